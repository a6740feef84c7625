import type { Nudging } from '../engine.ts';
import type { Answer, Decision, LoadOptions, StopReason } from '../types.ts';
import type { Arguments } from './args.ts';
import { exitCodes } from './failure.ts';
import type { Interrupt } from './interrupt.ts';
import { answerJson, textOf } from './json.ts';
import { wrap } from './layout.ts';
import { load } from './load.ts';
import { questionFromStdin } from './question.ts';
import { count, harmless, palette, rate } from './terminal.ts';
import { guestsShare, unnudged } from './who-spoke.ts';

/** Answers one question. Returns the exit code. */
export async function generate(args: Arguments, interrupt: Interrupt): Promise<number> {
  const question = args.question ?? (await questionFromStdin(interrupt.signal));
  // Memory for more answers would never be used.
  const nudging = await load({ parallel: 1, ...args.load }, interrupt.signal, args.verbose);
  try {
    const answer = args.json
      ? await nudging.generate(question, { signal: interrupt.signal })
      : await show(nudging, question, args.load.mode, interrupt.signal);
    if (args.json) process.stdout.write(`${JSON.stringify(answerJson(answer))}\n`);
    else {
      if (args.trace) process.stderr.write(traceLines(answer));
      console.error(wrap(statsLine(answer, args.load.mode), (process.stderr.isTTY && process.stderr.columns) || Infinity).join('\n'));
    }
  } finally {
    await nudging.close();
  }
  return interrupt.exitCode ?? exitCodes.ok;
}

/** Streams the answer to stdout, and what was thought before it to stderr. */
async function show(nudging: Nudging, question: string, mode: LoadOptions['mode'], signal: AbortSignal): Promise<Answer> {
  const { stdout, stderr } = process;
  const { nudged } = palette(stdout);
  const { dim } = palette(stderr);
  const clean = ({ isTTY }: { isTTY?: boolean }, text: string) => (isTTY ? harmless(text) : text);
  const stream = nudging.stream(question, { signal });
  // The words that stand out are those of the model that was let in.
  const guest = mode === 'reverse' ? 'base' : 'nudge';
  let thinking = false;
  for await (const piece of stream) {
    if (thinking && !piece.thinking) stderr.write('\n');
    thinking = piece.thinking ?? false;
    if (thinking) {
      stderr.write(dim(clean(stderr, piece.text)));
      continue;
    }
    const shown = clean(stdout, piece.text);
    stdout.write(piece.source === guest ? nudged(shown) : shown);
  }
  if (thinking) stderr.write('\n');
  const answer = await stream.answer;
  // The answer ends its line, so that the shell's prompt or the next line of a script starts on its own.
  if (!answer.text.endsWith('\n')) stdout.write('\n');
  // What was said in its place is no part of the answer.
  if (answer.refusal !== undefined) stderr.write(`${dim(clean(stderr, answer.refusal.trim()))}\n`);
  return answer;
}

const endings: Record<StopReason, string> = {
  end: 'ended by itself (end)',
  length: 'cut by --max-tokens (length)',
  stop: 'ended at a stop text (stop)',
  context: 'context full (context)',
  stalled: 'went in circles (stalled)',
  aborted: 'interrupted (aborted)',
  timeout: 'out of time (timeout)',
  refused: 'refused by the guard (refused)',
};

function statsLine({ stats, stopReason, endedBy, seed, ties }: Answer, mode: LoadOptions['mode'] = 'nudge'): string {
  const { dim, nudged } = palette(process.stderr);
  const { tokens, times } = stats;
  const speed = times.total > 0 ? `${rate(tokens / (times.total / 1000))} tokens/s` : '';
  const parts = [
    count(tokens, 'token'),
    unnudged[mode] ?? nudged(guestsShare(stats, mode)),
    speed,
    tokens > 0 ? `first piece after ${Math.round(times.firstPiece)} ms` : '',
    mode === 'nudge' && endedBy === 'base' ? 'ended by the base (end)' : endings[stopReason],
    seed === undefined ? '' : `seed ${seed}`,
    ties > 0 ? count(ties, 'tie') : '',
  ];
  return dim(parts.filter(Boolean).join(', '));
}

/** What the rule looked at beside p. */
function judgedBy({ words, runnerUp, entropy }: Decision): string {
  if (words) return `  words ${words.base.toFixed(3)} and ${words.aligned.toFixed(3)}`;
  if (runnerUp !== undefined) return `  second ${runnerUp.toFixed(3)}`;
  return entropy === undefined ? '' : `  entropy ${entropy.toFixed(3)}`;
}

/** What was asked on the way, in order: the kind of question, where in the answer, and what the model said. */
function traceLines({ decisions = [], rounds }: Answer): string {
  const asked = decisions.map((decision) => {
    const { kind, position, probability, bytes, ends } = decision;
    const said = ends ? 'end of text' : JSON.stringify(textOf(bytes));
    return `${kind.padEnd(8)} at ${String(position).padStart(5)}  p ${probability.toFixed(3)}  ${said}${judgedBy(decision)}`;
  });
  const taken = rounds.map(
    ({ words, base, by }, index) => `round ${index + 1}: ${JSON.stringify(words)} nudged, then ${by}, base ${JSON.stringify(base)}`,
  );
  return [...asked, ...taken].map((line) => `${line}\n`).join('');
}
