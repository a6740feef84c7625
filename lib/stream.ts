import type { Sink } from './dispatcher.ts';
import type { ErrorCode } from './errors.ts';
import type { Asked } from './explain/explanation.ts';
import type { NativeBegun, NativeCounted, NativeFinished, NativeInspected } from './native.ts';
import { toAnswer } from './stats.ts';
import type { ObservedRequest } from './telemetry/request.ts';
import type { RiskMeter } from './signals.ts';
import type { ThinkingSplitter } from './thinking.ts';
import type { Answer, Piece } from './types.ts';

/** What a stream may ask of the engine. */
export interface Remote {
  cancel(): void;
  /** Stops decoding for this request, or goes on with it. */
  park(parked: boolean): void;
}

export interface ArrivingSettings {
  highWaterMark: number;
  seed?: number | undefined;
  /** What tells of pieces how far the models agree, if that is wanted. */
  meter?: RiskMeter | undefined;
  /** Where thinking is to be told apart. */
  splitter?: ThinkingSplitter | undefined;
  /** The names of the models beside the two. */
  others?: readonly string[];
  decidedBy?: Answer['decidedBy'];
  asked?: Asked;
}

/**
 * The engine's end of a stream: pieces go in here. It knows nothing of the reader's end, which may be collected while this one still
 * receives.
 */
export class Arriving implements Sink {
  readonly pieces: Piece[] = [];
  /** Messages that were left out, if they may be. */
  droppedMessages: number | undefined;
  /** Rejects with a NudgingError if the request fails. */
  readonly answer: Promise<Answer>;
  settled = false;
  /** Who is told how it goes, if telemetry is observed. */
  observer: ObservedRequest | undefined;
  readonly #remote: Remote;
  readonly #error: (code: ErrorCode, message: string) => Error;
  readonly #highWaterMark: number;
  readonly #seed: number | undefined;
  readonly #meter: RiskMeter | undefined;
  readonly #splitter: ThinkingSplitter | undefined;
  readonly #others: readonly string[];
  readonly #decidedBy: Answer['decidedBy'];
  readonly #asked: Asked;
  #read = 0;
  #reading = false;
  #whole = false;
  #parked = false;
  #wake: (() => void) | undefined;
  #resolve!: (answer: Answer) => void;
  #reject!: (reason: unknown) => void;

  constructor(remote: Remote, error: (code: ErrorCode, message: string) => Error, settings: ArrivingSettings) {
    const { highWaterMark, seed, meter, splitter, decidedBy, others = [], asked = {} } = settings;
    this.#remote = remote;
    this.#others = others;
    this.#highWaterMark = highWaterMark;
    this.#seed = seed;
    this.#meter = meter;
    this.#splitter = splitter;
    this.#decidedBy = decidedBy;
    this.#asked = asked;
    this.#error = error;
    this.answer = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    // A reader of the pieces sees the failure there; one who never looks must not bring the process down.
    this.answer.catch(() => {});
  }

  /** The next unread piece, if it has arrived. */
  take(): Piece | undefined {
    this.#reading = true;
    const piece = this.pieces[this.#read];
    if (piece) this.#read += 1;
    if (this.pieces.length - this.#read <= this.#highWaterMark / 2) this.#park(false);
    return piece;
  }

  skipRest(): void {
    this.#read = this.pieces.length;
  }

  /** From here on somebody waits for the end, so nothing waits for the reader. */
  wantWhole(): void {
    this.#whole = true;
    this.#park(false);
  }

  /** Nobody can read any more. */
  abandon(): void {
    if (!this.settled && !this.#whole) this.cancel();
  }

  cancel(): void {
    if (!this.settled) this.#remote.cancel();
  }

  /** Resolves when something new has arrived. */
  changed(): Promise<void> {
    return new Promise((resolve) => {
      const before = this.#wake;
      this.#wake = () => {
        before?.();
        resolve();
      };
    });
  }

  begun({ thinking }: NativeBegun): void {
    this.#splitter?.begin(thinking);
  }

  arrived(pieces: Piece[]): void {
    const meter = this.#meter;
    const read = meter ? pieces.map((piece) => meter.read(piece)) : pieces;
    const told = this.#splitter ? read.flatMap((piece) => this.#splitter?.push(piece) ?? []) : read;
    for (const piece of told) this.pieces.push(piece);
    if (told.length > 0) this.observer?.arrived();
    if (this.#reading && !this.#whole && this.pieces.length - this.#read >= this.#highWaterMark) this.#park(true);
    this.#notify();
  }

  finished(event: NativeFinished | NativeInspected | NativeCounted): void {
    for (const piece of this.#splitter?.end() ?? []) this.pieces.push(piece);
    const settings = {
      seed: this.#seed,
      thinks: this.#splitter !== undefined,
      droppedMessages: this.droppedMessages,
      decidedBy: this.#decidedBy,
      others: this.#others,
      asked: this.#asked,
    };
    if (event.type === 'finished') {
      const answer = toAnswer(event, this.pieces, settings);
      this.#resolve(answer);
      this.observer?.finished(answer);
    }
    this.settled = true;
    this.#notify();
  }

  failed(code: ErrorCode, message: string): void {
    this.rejected(this.#error(code, message));
  }

  rejected(reason: unknown): void {
    this.#reject(reason);
    this.observer?.failed(reason);
    this.settled = true;
    this.#notify();
  }

  #park(parked: boolean): void {
    if (this.settled || parked === this.#parked) return;
    this.#parked = parked;
    this.#remote.park(parked);
  }

  #notify(): void {
    const wake = this.#wake;
    this.#wake = undefined;
    wake?.();
  }
}

const abandoned = new FinalizationRegistry<Arriving>((arriving) => arriving.abandon());

/**
 * An answer as it is made: iterate over it for the pieces, await `answer` for the whole. Generation starts with the call that returned the
 * stream. A reader that falls behind by `highWaterMark` pieces makes this generation wait, and no other; whoever takes `answer` does not
 * wait for the reader any more. Leaving the loop early (`break`, `return`, an exception), or dropping the stream unread, ends the
 * generation as `aborted`.
 *
 * It is an `AsyncIterableIterator<Piece, Answer>` and an `AsyncDisposable`.
 */
export class AnswerStream {
  // Not declared by `implements`: before TypeScript 5.6 the first of those takes one argument, and not every user's compiler knows the
  // second.
  readonly #arriving: Arriving;

  /** @internal Made by `Nudging.stream`. */
  constructor(arriving: Arriving) {
    this.#arriving = arriving;
    abandoned.register(this, arriving);
  }

  /** The finished answer. Rejects with a {@link NudgingError} if the request fails. */
  get answer(): Promise<Answer> {
    this.#arriving.wantWhole();
    return this.#arriving.answer;
  }

  /** The next piece, as soon as it is there; at the end the answer. Rejects with a {@link NudgingError} if the request fails. */
  async next(): Promise<IteratorResult<Piece, Answer>> {
    for (;;) {
      const piece = this.#arriving.take();
      if (piece) return { done: false, value: piece };
      if (this.#arriving.settled) return { done: true, value: await this.#arriving.answer };
      await this.#arriving.changed();
    }
  }

  /** Ends the generation, as leaving a loop does; the answer is what there was, as `aborted`, or as it ended before. */
  async return(): Promise<IteratorResult<Piece, Answer>> {
    this.#arriving.cancel();
    const value = await this.#arriving.answer;
    this.#arriving.skipRest();
    return { done: true, value };
  }

  /** Itself: a stream is read once. */
  [Symbol.asyncIterator](): this {
    return this;
  }

  /** Ends the generation if it has not ended, for `await using`. Never rejects. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#arriving.cancel();
    await this.#arriving.answer.catch(() => {});
  }
}
