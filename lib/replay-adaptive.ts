import type { RuleReplay } from './replay.ts';
import type { ResolvedRule } from './rule.ts';
import type { Decision } from './types.ts';

/** R22 over a trace: γ moves by what is judged there. Behind the parting these are the judgements of the answer that is there. */
export class AdaptiveReplay implements RuleReplay {
  readonly #rate: number;
  readonly #step: number;
  readonly #lowest: number;
  readonly #highest: number;
  #gamma: number;

  constructor(rule: ResolvedRule, gamma: number) {
    const { rate, step, reach } = rule as unknown as Record<'rate' | 'step' | 'reach', number>;
    this.#rate = rate;
    this.#step = step;
    this.#gamma = Math.fround(gamma);
    this.#lowest = this.#gamma - reach;
    this.#highest = this.#gamma + reach;
  }

  judge({ probability, speaks }: Decision): boolean {
    // R7a, R7b, R10: nothing is judged.
    if (speaks === undefined) return true;
    const defers = probability < this.#gamma;
    const moved = this.#gamma + this.#step * (this.#rate - Number(defers));
    this.#gamma = Math.min(this.#highest, Math.max(this.#lowest, moved));
    return !defers;
  }
}
