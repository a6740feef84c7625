/**
 * How often the base defers, by γ, in the answer to one prompt: the judgements that a recorded run took, judged again with another γ. Where
 * γ has no say the outcome stays what it was. It never falls as γ rises.
 */
export class Deferrals {
  readonly #probabilities: Float64Array;
  readonly #always: number;
  readonly #never: number;

  /**
   * @param probabilities the base's top-1 probabilities where γ decides
   * @param always judgements that end in deferring whatever γ is: the base would end (R7a, R10)
   * @param never those that never do: it agrees (R7b)
   */
  constructor(probabilities: readonly number[], always = 0, never = 0) {
    this.#probabilities = Float64Array.from(probabilities).sort();
    this.#always = always;
    this.#never = never;
  }

  /** The share of all judgements that defer with this γ, in [0, 1]; 0 without judgements. */
  share(gamma: number): number {
    const all = this.#probabilities.length + this.#always + this.#never;
    return all === 0 ? 0 : (this.#always + this.#below(gamma)) / all;
  }

  /** How many of the judgements where γ decides defer. */
  #below(gamma: number): number {
    let low = 0;
    let high = this.#probabilities.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#probabilities[middle] as number) < gamma) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
