import type { Answer, Decision } from '../types.ts';

/** An answer as it is printed: the same keys in the same order everywhere. */
export function answerJson({
  text,
  stopReason,
  endedBy,
  refusal,
  rounds,
  ties,
  pieces,
  stats,
  thinking,
  droppedMessages,
  seed,
  decisions,
  decidedBy,
}: Answer): object {
  const asked = { ...(thinking === undefined ? {} : { thinking }), ...(droppedMessages === undefined ? {} : { droppedMessages }) };
  const traced = { ...(decisions ? { decisions: decisions.map(decisionJson) } : {}), ...(decidedBy === undefined ? {} : { decidedBy }) };
  const sometimes = { ...asked, ...(seed === undefined ? {} : { seed }), ...traced };
  return {
    text,
    stopReason,
    ...(endedBy === undefined ? {} : { endedBy }),
    ...(refusal === undefined ? {} : { refusal }),
    rounds,
    ties,
    pieces,
    stats,
    ...sometimes,
  };
}

/** Bytes need not be whole characters, so they are kept in hexadecimal beside their text. */
function decisionJson({ bytes, ...rest }: Decision): object {
  return { ...rest, text: textOf(bytes), bytes: Buffer.from(bytes).toString('hex') };
}

export function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('utf8');
}
