import type { AnswerStream } from '../stream.ts';
import type { Answer, GenerateOptions, Input, Piece } from '../types.ts';
import { ApiError } from './api-error.ts';
import type { Served } from './served.ts';

/** One answer that is wanted. */
export interface Wish {
  input: Input;
  options: GenerateOptions;
}

/** What comes of the answers, in the order in which it comes. */
export type Arrival = { index: number; piece: Piece } | { index: number; answer: Answer };

/** What is counted of a request's answers. */
export interface Tally {
  firstMs?: number;
  answers: Answer[];
}

/**
 * The answers of one request, which begin with it and end with it: when its client leaves, all of them give up their places within a tick
 * of the engine, also where they wait for one or are at the prompt.
 */
export class Generation {
  readonly #served: Served;
  readonly #streams: AnswerStream[] = [];
  readonly #began = performance.now();
  readonly #signal: AbortSignal;
  readonly tally: Tally = { answers: [] };
  #ending: Promise<void> | undefined;

  /**
   * @param signal aborts all
   * @throws what the engine says of options and of a full queue
   */
  constructor(served: Served, wishes: readonly Wish[], signal: AbortSignal) {
    const engine = served.ready();
    this.#served = served;
    this.#signal = signal;
    try {
      for (const { input, options } of wishes) {
        this.#streams.push(engine.stream(input, { ...options, signal }));
        served.active += 1;
      }
    } catch (error) {
      void this.end();
      throw error;
    }
  }

  /**
   * Pieces and answers as they come. Who takes no more makes these answers wait, and nobody else's.
   *
   * @throws what the engine says, and the signal's reason if that is an ApiError
   */
  async *arrivals(): AsyncGenerator<Arrival, void, undefined> {
    const [only] = this.#streams;
    if (only && this.#streams.length === 1) {
      for (;;) {
        const { done, value } = await only.next();
        yield this.#arrived(0, done ? { answer: value } : { piece: value });
        if (done) return;
      }
    }
    const next = (index: number) => (this.#streams[index] as AnswerStream).next().then((result) => ({ index, result }));
    const pending = new Map(this.#streams.map((_, index) => [index, next(index)]));
    // One that fails while another is waited for is heard of when its turn comes.
    for (const promise of pending.values()) promise.catch(() => {});
    while (pending.size > 0) {
      const { index, result } = await Promise.race(pending.values());
      if (result.done) {
        pending.delete(index);
        yield this.#arrived(index, { answer: result.value });
      } else {
        const following = next(index);
        following.catch(() => {});
        pending.set(index, following);
        yield this.#arrived(index, { piece: result.value });
      }
    }
  }

  #arrived(index: number, what: { piece: Piece } | { answer: Answer }): Arrival {
    if (this.#signal.reason instanceof ApiError) throw this.#signal.reason;
    if ('piece' in what) this.tally.firstMs ??= performance.now() - this.#began;
    else this.tally.answers[index] = what.answer;
    return { index, ...what };
  }

  /** All answers, once they are whole. */
  async whole(): Promise<Answer[]> {
    const answers = await Promise.all(this.#streams.map((stream) => stream.answer));
    if (this.#signal.reason instanceof ApiError) throw this.#signal.reason;
    const first = Math.min(...answers.map(({ stats }) => stats.times.queued + stats.times.firstPiece));
    if (answers.some(({ pieces }) => pieces.length > 0)) this.tally.firstMs = first;
    return answers;
  }

  /** Gives up what is not done. Idempotent; resolves when nothing of it is left in the engine. */
  end(): Promise<void> {
    this.#ending ??= this.#end();
    return this.#ending;
  }

  async #end(): Promise<void> {
    await Promise.allSettled(
      this.#streams.map(async (stream, index) => {
        try {
          await stream.return();
          const answer = await stream.answer;
          // Also what nobody read has been computed, and counts.
          this.tally.answers[index] = answer;
          if (answer.stopReason !== 'aborted') this.#served.times.add(answer.stats.times.total / 1000);
        } finally {
          this.#served.active -= 1;
        }
      }),
    );
  }
}
