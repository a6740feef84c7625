import type { Answer, Piece } from '../types.ts';
import { answerMetadata, deltaMetadata, finishReasonOf, metadataOf, unknownUsage, usageOf } from './answers.ts';
import { asSdkError, isNudgingError } from './errors.ts';
import type { StreamPart, Warning } from './specification.ts';

/** What a stream of parts is made from. */
export interface Streaming {
  modelId: string;
  warnings: Warning[];
  /** The pieces that come after `first`. */
  pieces: AsyncIterator<Piece, Answer>;
  first: IteratorResult<Piece, Answer>;
  /** Also a part for each piece as it is. */
  raw: boolean;
  /** Throws the reason of the call's signal if an answer was aborted. */
  mustNotBeAborted(answer: Answer): void;
}

/** The parts in the order that the SDK wants: thinking first, in a block of its own, then the text. */
export async function* partsOf({ modelId, warnings, pieces, first, raw, mustNotBeAborted }: Streaming): AsyncGenerator<StreamPart, void> {
  yield { type: 'stream-start', warnings };
  yield { type: 'response-metadata', modelId, timestamp: new Date() };
  let open: 'text' | 'reasoning' | undefined;
  try {
    let step = first;
    for (; !step.done; step = await pieces.next()) {
      const piece = step.value;
      const kind = piece.thinking ? 'reasoning' : 'text';
      if (raw) yield { type: 'raw', rawValue: piece };
      if (open !== kind) {
        if (open) yield { type: `${open}-end`, id: open };
        yield { type: `${kind}-start`, id: kind };
        open = kind;
      }
      yield { type: `${kind}-delta`, id: kind, delta: piece.text, providerMetadata: metadataOf(deltaMetadata(piece)) };
    }
    const answer = step.value;
    mustNotBeAborted(answer);
    // The block as a whole would else be said to be what its last delta was.
    if (open) yield { type: `${open}-end`, id: open, providerMetadata: metadataOf({ nudgeRatio: answer.stats.nudgeRatio }) };
    const providerMetadata = answerMetadata(answer, { streamed: true });
    yield { type: 'finish', usage: usageOf(answer), finishReason: finishReasonOf(answer), providerMetadata };
  } catch (error) {
    if (!isNudgingError(error)) throw error;
    yield { type: 'error', error: asSdkError(error, modelId) };
    yield { type: 'finish', usage: unknownUsage, finishReason: { unified: 'error', raw: error.code } };
  }
}

/** A stream that takes the next part when it is asked for one, so that a slow reader holds up its own generation and no other. */
export function streamOf<Part>(parts: AsyncIterator<Part, void>, cancelled: () => Promise<unknown>): ReadableStream<Part> {
  return new ReadableStream<Part>(
    {
      async pull(controller) {
        const { done, value } = await parts.next();
        if (done) controller.close();
        else controller.enqueue(value);
      },
      async cancel() {
        await cancelled();
      },
    },
    { highWaterMark: 0 },
  );
}
