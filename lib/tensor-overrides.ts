import type { Fault } from './logit-bias.ts';
import type { Rule } from './options.ts';
import type { TensorOverride } from './types.ts';

/** What patterns are made of. schema/pair.schema.json says the same. */
const patternText = /^[\w.^$|()[\]{}*+?,\\-]{1,200}$/;
/** ggml's names of devices, such as "CUDA0" and "CPU". */
export const deviceName = /^[\w.:-]{1,64}$/;
const most = 64;

/** What can be said of the list in few words; {@link faultOf} says the rest. */
export const overridesRule: Rule = {
  check: (value) => Array.isArray(value) && value.length <= most && value.every(isOverride),
  expected:
    `an array of at most ${most} such as { pattern: "ffn_.*_exps", device: "CPU" }, ` +
    'with a pattern of 1 to 200 letters, digits and .^$|()[]{}*+?,-_\\ and the name of a device',
};

function isOverride(value: unknown): value is TensorOverride {
  return (
    typeof value === 'object' &&
    value !== null &&
    Object.keys(value).every((name) => name === 'pattern' || name === 'device') &&
    'pattern' in value &&
    typeof value.pattern === 'string' &&
    patternText.test(value.pattern) &&
    'device' in value &&
    typeof value.device === 'string' &&
    deviceName.test(value.device)
  );
}

/** Names of weights are shorter. */
const longestName = 64;
/**
 * Ways in which all patterns of a model together may fit one name, at most. std::regex, which llama.cpp matches with, tries them one by one
 * for every weight.
 */
const mostWays = 5000;

const expectedPatterns =
  'patterns of characters, ".", "\\d", "\\w", "\\." and the like, classes such as [0-9], groups (a|b), and "*", "+", "?" or {2,3} behind ' +
  'a single character or class';

/** The first pattern that is no simple one, or with which matching them all would not stay cheap, whoever wrote them. */
export function faultOf(overrides: readonly TensorOverride[]): Fault | undefined {
  let ways = 0;
  for (const { pattern } of overrides) {
    const own = new Pattern(pattern).ways();
    if (own === undefined) return { value: pattern, expected: expectedPatterns };
    ways += own;
    if (ways > mostWays)
      return { value: pattern, expected: 'patterns with fewer repetitions and alternatives: matching these could take very long' };
  }
  return undefined;
}

/** Reads the part of regular expressions that is allowed here, and counts in how many ways it may fit a name. */
class Pattern {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  /** Undefined if it is none. */
  ways(): number | undefined {
    const ways = this.#alternatives();
    return this.#at === this.#text.length ? ways : undefined;
  }

  #takes(part: RegExp): string | undefined {
    const found = part.exec(this.#text.slice(this.#at))?.[0];
    this.#at += found?.length ?? 0;
    return found;
  }

  #alternatives(): number | undefined {
    let sum = 0;
    do {
      const ways = this.#sequence();
      if (ways === undefined) return undefined;
      sum += ways;
    } while (this.#takes(/^\|/) !== undefined);
    return sum;
  }

  /** Empty ones would fit everything. */
  #sequence(): number | undefined {
    let product = 1;
    let isEmpty = true;
    for (;;) {
      const ways = this.#part();
      if (ways === undefined) return isEmpty ? undefined : product;
      isEmpty = false;
      product *= ways;
    }
  }

  #part(): number | undefined {
    if (this.#takes(/^[$^]/) !== undefined) return 1;
    if (this.#takes(/^\((?!\?)/) !== undefined) {
      const ways = this.#alternatives();
      if (ways === undefined || this.#takes(/^\)/) === undefined) return undefined;
      return this.#takes(/^\?/) === undefined ? this.#onlyOnce(ways) : this.#onlyOnce(ways + 1);
    }
    if (this.#takes(/^(?:\w|-|,|\.|\\[dw.\-^$|()[\]{}*+?\\]|\[\^?(?:[\w.](?:-\w)?)+\])/) === undefined || this.#hasWrongRange())
      return undefined;
    if (this.#takes(/^\?/) !== undefined) return this.#onlyOnce(2);
    if (this.#takes(/^[*+]/) !== undefined) return this.#onlyOnce(longestName);
    const counts = this.#takes(/^\{\d{1,2}(?:,\d{0,2})?\}/);
    if (counts === undefined) return 1;
    const [low = 0, high = longestName] = counts
      .slice(1, -1)
      .split(',')
      .map((count) => (count === '' ? undefined : Number(count)));
    const ways = counts.includes(',') ? high - low + 1 : 1;
    return ways < 1 ? undefined : this.#onlyOnce(ways);
  }

  /** A class whose last range runs backwards is none. */
  #hasWrongRange(): boolean {
    const before = this.#text.slice(0, this.#at);
    const ranges = before.endsWith(']') ? [...before.slice(before.lastIndexOf('[')).matchAll(/(\w)-(\w)/g)] : [];
    return ranges.some(([, low = '', high = '']) => low > high);
  }

  /** Repetitions of repetitions are none. */
  #onlyOnce(ways: number): number | undefined {
    return /^[*+?{]/.test(this.#text.slice(this.#at)) ? undefined : ways;
  }
}
