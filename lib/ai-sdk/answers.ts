import { readingLane } from '../lanes.ts';
import type { Answer, Piece, StopReason } from '../types.ts';
import type { Content, FinishReason, ProviderMetadata, Usage } from './specification.ts';

/** What every delta of a stream says of itself, as `providerMetadata.nudging`. No interface: those are no JSON to TypeScript. */
export type DeltaMetadata = {
  /** Whether the aligned model supplied it. */
  nudged: boolean;
  source: Piece['source'];
  /** {@link Piece.topProbability}, in [0, 1]; null where there is none. */
  probability: number | null;
};

export function deltaMetadata({ source, topProbability }: Piece): DeltaMetadata {
  return { nudged: source === 'nudge', source, probability: topProbability ?? null };
}

type JsonObject = ProviderMetadata[string];

/** Data in the SDK's sense: without what is undefined. */
const json = (value: object): JsonObject => JSON.parse(JSON.stringify(value)) as JsonObject;

/** `providerMetadata` of a part. The SDK lets a delta without one have that of the delta before. */
export const metadataOf = (metadata: object): ProviderMetadata => ({ nudging: json(metadata) });

/**
 * What a finished call says of its answer, as `providerMetadata.nudging`. Who wrote which words is in `pieces`, which a stream does not
 * have, because its deltas have said it; with `trace: 'full'` also, and why, in `explanation`.
 */
export function answerMetadata(answer: Answer, { streamed }: { streamed: boolean }): ProviderMetadata {
  const { stopReason, endedBy, ties, droppedMessages, seed, stats } = answer;
  const { nudges, nudgeRatio, tokens, baseTokens, nudgedTokens, mixedTokens, times } = stats;
  return metadataOf({
    stopReason,
    endedBy,
    ...{ nudges, nudgeRatio, tokens, baseTokens, nudgedTokens, mixedTokens },
    ties,
    droppedMessages,
    seed,
    times,
    ...(streamed ? {} : { pieces: answer.pieces.map((piece) => ({ text: piece.text, ...deltaMetadata(piece) })) }),
    ...(answer.spans === undefined ? {} : { explanation: answer.explain() }),
  });
}

const finishReasons: Record<StopReason, FinishReason['unified']> = {
  end: 'stop',
  stop: 'stop',
  length: 'length',
  context: 'length',
  stalled: 'other',
  timeout: 'other',
  aborted: 'other',
  refused: 'content-filter',
};

export function finishReasonOf({ stopReason }: Answer): FinishReason {
  return { unified: finishReasons[stopReason], raw: stopReason };
}

/** Input is what the base has read, or where it was not asked the aligned model; `raw` has every model's own figures. */
export function usageOf({ stats, thinking }: Answer): Usage {
  const { base, aligned, others, tokens } = stats;
  const { promptTokens, cachedPromptTokens } = stats[readingLane(stats)];
  // Of thinking it is known how long the text is, and not how many tokens it is.
  const all = thinking ? undefined : tokens;
  return {
    inputTokens: { total: promptTokens, noCache: promptTokens - cachedPromptTokens, cacheRead: cachedPromptTokens, cacheWrite: undefined },
    outputTokens: { total: tokens, text: all, reasoning: all === undefined ? undefined : 0 },
    raw: json({ base, aligned, ...(Object.keys(others).length > 0 ? { others } : {}) }),
  };
}

/** Of a call that failed half-way: nobody knows. */
export const unknownUsage: Usage = {
  inputTokens: { total: undefined, noCache: undefined, cacheRead: undefined, cacheWrite: undefined },
  outputTokens: { total: undefined, text: undefined, reasoning: undefined },
};

export function contentOf({ text, thinking }: Answer): Content {
  return [...(thinking ? [{ type: 'reasoning' as const, text: thinking }] : []), ...(text === '' ? [] : [{ type: 'text' as const, text }])];
}
