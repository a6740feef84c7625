import type { NativeAsked } from '../native.ts';
import type { Said } from './protocol.ts';

/**
 * What of the answers to a question is wanted: those that were asked about, and the run behind them as far as it goes. The last of it is
 * the one that ends it.
 *
 * Behind a draft the run is what the model would say if it had said the draft: where it would have said something else in place of the
 * draft's last token, nobody will go on there.
 */
export class Cut {
  readonly #question: Pick<NativeAsked, 'tokens' | 'asked' | 'run' | 'certainty'>;
  #taken = 0;
  #over = false;
  /** Whether the model would have come to the end of the draft by itself. */
  #comes = true;

  constructor(question: Pick<NativeAsked, 'tokens' | 'asked' | 'run' | 'certainty'>) {
    this.#question = question;
  }

  /** Whether everything that was asked has been said. */
  get done(): boolean {
    return this.#taken >= this.#question.asked;
  }

  /** Whether the server would say more than is wanted. */
  get broke(): boolean {
    return this.#over && this.#taken < this.#question.asked + this.#question.run;
  }

  /** Those among the next answers that are wanted. */
  take(said: readonly Said[]): Said[] {
    const { tokens, asked, run, certainty } = this.#question;
    const wanted: Said[] = [];
    for (const one of said) {
      if (this.#over) break;
      wanted.push(one);
      this.#taken += 1;
      if (this.#taken === asked - 1) this.#comes = one.token === tokens.at(-1);
      if (this.#taken < asked) continue;
      const goesOn = this.#comes && one.token === one.goesOn && Math.exp(one.logprob) >= certainty;
      this.#over = !goesOn || this.#taken === asked + run;
    }
    return wanted;
  }
}
