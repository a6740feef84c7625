/** Differences between texts, by words. */

/** A text's words, each with the space in front. @param {string} text */
export function wordsIn(text) {
  return text.match(/\s*\S+/g) ?? [];
}

/**
 * A longest common subsequence, in memory that grows with the longer text alone (Hirschberg 1975).
 *
 * @param {readonly string[]} one @param {readonly string[]} other
 * @returns {[number, number][]} pairs of indices, both rising
 */
export function common(one, other) {
  /** @type {[number, number][]} */
  const pairs = [];
  between(one, 0, one.length, other, 0, other.length, pairs);
  return pairs;
}

/**
 * @param {readonly string[]} one @param {number} from @param {number} to @param {readonly string[]} other @param {number} start
 * @param {number} end @param {[number, number][]} pairs
 */
function between(one, from, to, other, start, end, pairs) {
  while (from < to && start < end && one[from] === other[start]) pairs.push([from++, start++]);
  /** @type {[number, number][]} */
  const behind = [];
  while (from < to && start < end && one[to - 1] === other[end - 1]) behind.unshift([--to, --end]);
  if (to - from === 1) {
    const found = other.indexOf(/** @type {string} */ (one[from]), start);
    if (found !== -1 && found < end) pairs.push([from, found]);
  } else if (from < to && start < end) {
    const middle = (from + to) >> 1;
    const before = lengths(one.slice(from, middle), other.slice(start, end));
    const after = lengths(one.slice(middle, to).reverse(), other.slice(start, end).reverse());
    let best = 0;
    const size = end - start;
    const sum = (/** @type {number} */ at) => /** @type {number} */ (before[at]) + /** @type {number} */ (after[size - at]);
    for (let at = 1; at <= size; at += 1) if (sum(at) > sum(best)) best = at;
    between(one, from, middle, other, start, start + best, pairs);
    between(one, middle, to, other, start + best, end, pairs);
  }
  pairs.push(...behind);
}

/** How much of `one` is in each beginning of `other`. @param {readonly string[]} one @param {readonly string[]} other */
function lengths(one, other) {
  let row = new Uint32Array(other.length + 1);
  for (const word of one) {
    const next = new Uint32Array(other.length + 1);
    for (let at = 1; at <= other.length; at += 1) {
      const [left, up, corner] = /** @type {[number, number, number]} */ ([next[at - 1], row[at], row[at - 1]]);
      next[at] = other[at - 1] === word ? corner + 1 : Math.max(left, up);
    }
    row = next;
  }
  return row;
}

/**
 * A stretch of three texts: the same words in all, or different ones. `shared` are the words that the middle one has too (of the middle one:
 * those that both others have).
 *
 * @typedef {object} Row
 * @property {boolean} same
 * @property {{ from: number, to: number }[]} ranges of words, one for each text
 */

/** Fewer common words than these in a row are accidents, and would only tear texts to pieces. */
const leastCommon = 2;

/**
 * Aligns two texts with one in the middle.
 *
 * @param {readonly string[]} left @param {readonly string[]} middle @param {readonly string[]} right words without spaces
 * @returns {{ rows: Row[], shared: [Set<number>, Set<number>, Set<number>] }}
 */
export function aligned(left, middle, right) {
  const toLeft = new Map(common(middle, left));
  const toRight = new Map(common(middle, right));
  const shared = /** @type {[Set<number>, Set<number>, Set<number>]} */ ([
    new Set(toLeft.values()),
    new Set([...toLeft.keys()].filter((index) => toRight.has(index))),
    new Set(toRight.values()),
  ]);
  /** Runs of words that all have, one behind the other in each. @type {{ at: [number, number, number], length: number }[]} */
  const runs = [];
  for (const index of [...shared[1]].sort((one, another) => one - another)) {
    const at = /** @type {[number, number, number]} */ ([toLeft.get(index), index, toRight.get(index)]);
    const last = runs.at(-1);
    if (last && at.every((place, text) => place === /** @type {number} */ (last.at[text]) + last.length)) last.length += 1;
    else runs.push({ at, length: 1 });
  }
  const sizes = [left.length, middle.length, right.length];
  /** @type {Row[]} */
  const rows = [];
  let done = [0, 0, 0];
  const differing = (/** @type {readonly number[]} */ until) => {
    if (until.some((place, text) => place > /** @type {number} */ (done[text])))
      rows.push({ same: false, ranges: until.map((to, text) => ({ from: /** @type {number} */ (done[text]), to })) });
  };
  for (const { at, length } of runs) {
    const isEdge = at.every((place) => place === 0) || at.every((place, text) => place + length === sizes[text]);
    if (length < leastCommon && !isEdge) continue;
    differing(at);
    rows.push({ same: true, ranges: at.map((from) => ({ from, to: from + length })) });
    done = at.map((place) => place + length);
  }
  differing(sizes);
  return { rows, shared };
}
