import type { AnswerStream } from '../stream.ts';
import type { Answer, GenerateOptions, Input, LaneName, Piece } from '../types.ts';
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
  readonly #wishes: readonly Wish[];
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
    this.#wishes = wishes;
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
    this.tally.answers.push(...answers);
    const first = Math.min(...answers.map(({ stats }) => stats.times.queued + stats.times.firstPiece));
    if (answers.some(({ pieces }) => pieces.length > 0)) this.tally.firstMs = first;
    return answers;
  }

  /**
   * What the engine would refuse when a place is free. Answers that wait are not looked at yet, and who has got its first byte cannot be
   * told any more.
   *
   * @throws ApiError 400
   */
  async checkLengths(): Promise<void> {
    const engine = this.#served.ready();
    for (const { input, options } of this.#wishes) {
      for (const lane of lanesOf(options)) {
        const tokens = await engine.countTokens(input, { ...options, lane, signal: this.#signal });
        const { context } = engine.models[lane];
        if (tokens <= context) continue;
        const message = `the ${lane} prompt has ${tokens} tokens, and the context ${context}: shorten it`;
        throw new ApiError(400, 'context_length_exceeded', message, { param: 'messages' });
      }
    }
  }

  /** Gives up what is not done. Idempotent; resolves when nothing of it is left in the engine. */
  end(): Promise<void> {
    this.#ending ??= this.#end();
    return this.#ending;
  }

  async #end(): Promise<void> {
    await Promise.allSettled(
      this.#streams.map(async (stream) => {
        try {
          await stream.return();
          const value = await stream.answer;
          if (value.stopReason !== 'aborted') this.#served.times.add(value.stats.times.total / 1000);
        } finally {
          this.#served.active -= 1;
        }
      }),
    );
  }
}

function lanesOf({ mode }: GenerateOptions): LaneName[] {
  if (mode === 'aligned') return ['aligned'];
  return mode === 'base' || mode === 'in-context' ? ['base'] : ['base', 'aligned'];
}
