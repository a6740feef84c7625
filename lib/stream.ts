import type { Sink } from './dispatcher.ts';
import type { ErrorCode } from './errors.ts';
import type { NativeFinished, NativeInspected } from './native.ts';
import { toAnswer } from './stats.ts';
import type { Answer, Piece } from './types.ts';

/**
 * An answer as it is made: iterate over it for the pieces, await `answer` for the whole. Generation starts with the call that returned the
 * stream and does not wait for the reader. Leaving the loop early (`break`, `return`, an exception) ends the generation as `aborted`.
 */
export class AnswerStream implements AsyncIterableIterator<Piece, Answer>, Sink {
  /** The finished answer. Rejects with a {@link NudgingError} if the request fails. */
  readonly answer: Promise<Answer>;
  readonly #pieces: Piece[] = [];
  readonly #cancel: () => void;
  readonly #error: (code: ErrorCode, message: string) => Error;
  readonly #seed: number | undefined;
  #settled = false;
  #read = 0;
  #wake: (() => void) | undefined;
  #resolve!: (answer: Answer) => void;
  #reject!: (error: Error) => void;

  /** @internal Made by `Nudging.stream`. */
  constructor(cancel: () => void, error: (code: ErrorCode, message: string) => Error, seed?: number) {
    this.#seed = seed;
    this.#cancel = cancel;
    this.#error = error;
    this.answer = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    // A reader of the pieces sees the failure there; one who never looks must not bring the process down.
    this.answer.catch(() => {});
  }

  async next(): Promise<IteratorResult<Piece, Answer>> {
    for (;;) {
      const piece = this.#pieces[this.#read];
      if (piece) {
        this.#read += 1;
        return { done: false, value: piece };
      }
      if (this.#settled) return { done: true, value: await this.answer };
      await new Promise<void>((resolve) => {
        const before = this.#wake;
        this.#wake = () => {
          before?.();
          resolve();
        };
      });
    }
  }

  async return(): Promise<IteratorResult<Piece, Answer>> {
    this.#cancel();
    const value = await this.answer;
    this.#read = this.#pieces.length;
    return { done: true, value };
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#cancel();
    await this.answer.catch(() => {});
  }

  /** @internal */
  pieces(pieces: Piece[]): void {
    this.#pieces.push(...pieces);
    this.#notify();
  }

  /** @internal */
  finished(event: NativeFinished | NativeInspected): void {
    if (event.type === 'finished') this.#resolve(toAnswer(event, this.#pieces, this.#seed));
    this.#settled = true;
    this.#notify();
  }

  /** @internal */
  failed(code: ErrorCode, message: string): void {
    this.#reject(this.#error(code, message));
    this.#settled = true;
    this.#notify();
  }

  #notify(): void {
    const wake = this.#wake;
    this.#wake = undefined;
    wake?.();
  }
}
