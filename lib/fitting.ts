import type { Sink } from './dispatcher.ts';
import { NudgingError, type ErrorCode } from './errors.ts';
import type { NativeBegun, NativeCounted, NativeFinished } from './native.ts';
import type { Question } from './prompts.ts';
import { abortedAtOnce } from './stats.ts';
import type { Arriving } from './stream.ts';
import { oldTurns, without } from './turns.ts';
import type { Piece } from './types.ts';

/** What a generation that may leave out old turns asks of the engine. */
export interface Fitter {
  /** Submits it; the engine refuses it with ERR_PROMPT_TOO_LONG where there is no room. */
  generate(question: Question, sink: Sink): void;
  /** Has the tokens of its prompts counted. */
  count(question: Question, sink: Sink): void;
  /** Whether prompts of so many tokens leave room for the answer. */
  fits(counted: NativeCounted): boolean;
  /** Why the request is over already, if it is. */
  over(): 'aborted' | 'timeout' | undefined;
}

/**
 * A generation with `fit: 'oldest-first'`. The whole chat is tried first, as it is: most fit, and those are tokenised once. Where the
 * engine refuses it, the fewest turns to leave out are found by halving, with one count for each try: a chat of a thousand turns takes ten,
 * the longest of them of half the chat.
 */
export class Fitting implements Sink {
  /** Resolves when the generation has begun or never will: from then on nothing more is submitted for it. */
  readonly placed: Promise<void>;
  readonly #question: Question;
  readonly #fitter: Fitter;
  readonly #arriving: Arriving;
  readonly #turns: number[][];
  /** Whether turns have been left out. */
  #shortened = false;
  #place!: () => void;

  constructor(question: Question, fitter: Fitter, arriving: Arriving) {
    this.#question = question;
    this.#fitter = fitter;
    this.#arriving = arriving;
    this.#turns = question.kind === 'chat' ? oldTurns(question.messages) : [];
    this.placed = new Promise((resolve) => {
      this.#place = resolve;
    });
    arriving.droppedMessages = 0;
    fitter.generate(question, this);
  }

  begun(event: NativeBegun): void {
    this.#place();
    this.#arriving.begun(event);
  }

  arrived(pieces: Piece[]): void {
    this.#arriving.arrived(pieces);
  }

  finished(event: NativeFinished): void {
    this.#place();
    this.#arriving.finished(event);
  }

  failed(code: ErrorCode, message: string): void {
    if (code === 'ERR_PROMPT_TOO_LONG' && !this.#shortened && this.#turns.length > 0) {
      // What fails here failed long after the call.
      this.#shorten().catch((thrown: unknown) => this.#fail(thrown));
      return;
    }
    this.#place();
    const dropped = this.#arriving.droppedMessages ?? 0;
    this.#arriving.failed(code, dropped === 0 ? message : `${message} (without the ${dropped} oldest messages)`);
  }

  #fail(thrown: unknown): void {
    if (thrown instanceof NudgingError) return this.failed(thrown.code, thrown.message);
    this.#place();
    this.#arriving.rejected(thrown);
  }

  /**
   * Submits the generation again, without the fewest turns that make it fit; if it never does, without all, for the engine to say what is
   * too long.
   */
  async #shorten(): Promise<void> {
    this.#shortened = true;
    let least = 1;
    let most = this.#turns.length;
    while (least < most) {
      const middle = Math.floor((least + most) / 2);
      const result = await this.#count(this.#without(middle));
      // It was cancelled meanwhile.
      if (result.type === 'finished') return this.finished(result);
      if (this.#fitter.fits(result)) most = middle;
      else least = middle + 1;
      if (this.#over()) return;
    }
    if (this.#over()) return;
    this.#arriving.droppedMessages = this.#turns.slice(0, least).flat().length;
    this.#fitter.generate(this.#without(least), this);
  }

  #over(): boolean {
    const stopReason = this.#fitter.over();
    if (stopReason !== undefined) this.finished({ ...abortedAtOnce, stopReason });
    return stopReason !== undefined;
  }

  #without(turns: number): Question {
    return this.#question.kind === 'chat' ? without(this.#question, this.#turns.slice(0, turns)) : this.#question;
  }

  #count(question: Question): Promise<NativeCounted | NativeFinished> {
    return new Promise((resolve, reject) => {
      this.#fitter.count(question, {
        arrived: () => {},
        finished: (event) => (event.type === 'inspected' ? undefined : resolve(event)),
        failed: (code, message) => reject(new NudgingError(code, message)),
      });
    });
  }
}
