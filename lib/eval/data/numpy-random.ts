/** Words of the Mersenne twister's state. */
const size = 624;
const middle = 397;

/**
 * The numbers of numpy's legacy generator: the Mersenne twister MT19937 (Matsumoto, Nishimura 1998), seeded with one 32-bit integer as
 * `numpy.random.seed` does. With it, a sample of the authors' is drawn again: they seed it with 609.
 */
export class NumpyRandom {
  readonly #state = new Uint32Array(size);
  #at = size;

  /** @param seed 0 to 2^32 - 1 */
  constructor(seed: number) {
    this.#state[0] = seed;
    for (let i = 1; i < size; i += 1) {
      const before = this.#state[i - 1] as number;
      this.#state[i] = Math.imul(1812433253, before ^ (before >>> 30)) + i;
    }
  }

  /** The next 32 bits. */
  next(): number {
    if (this.#at === size) this.#twist();
    let word = this.#state[this.#at] as number;
    this.#at += 1;
    word ^= word >>> 11;
    word ^= (word << 7) & 0x9d2c5680;
    word ^= (word << 15) & 0xefc60000;
    return (word ^ (word >>> 18)) >>> 0;
  }

  /** An integer from 0 to `most`, as numpy draws it: bits that are too large are thrown away. */
  upTo(most: number): number {
    const mask = 2 ** (32 - Math.clz32(most)) - 1;
    for (;;) {
      const value = (this.next() & mask) >>> 0;
      if (value <= most) return value;
    }
  }

  /** 0 to count - 1 in the order of `numpy.random.permutation(count)`; its first k are `numpy.random.choice(count, k, replace=False)`. */
  permutation(count: number): number[] {
    const order = Array.from({ length: count }, (_, index) => index);
    for (let i = count - 1; i >= 1; i -= 1) {
      const j = this.upTo(i);
      [order[i], order[j]] = [order[j] as number, order[i] as number];
    }
    return order;
  }

  #twist(): void {
    const state = this.#state;
    for (let i = 0; i < size; i += 1) {
      const bits = ((state[i] as number) & 0x80000000) | ((state[(i + 1) % size] as number) & 0x7fffffff);
      state[i] = (state[(i + middle) % size] as number) ^ (bits >>> 1) ^ (bits & 1 ? 0x9908b0df : 0);
    }
    this.#at = 0;
  }
}
