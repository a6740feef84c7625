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
  // Numbers are compared faster.
  /** @type {Map<string, number>} */
  const numbers = new Map();
  const numbered = (/** @type {readonly string[]} */ words) =>
    Uint32Array.from(words, (word) => {
      if (!numbers.has(word)) numbers.set(word, numbers.size);
      return /** @type {number} */ (numbers.get(word));
    });
  /** @type {[number, number][]} */
  const pairs = [];
  between(numbered(one), 0, numbered(other), 0, pairs);
  return pairs;
}

/**
 * @param {Uint32Array} one @param {number} from where it is in the whole text
 * @param {Uint32Array} other @param {number} start the same of the other
 * @param {[number, number][]} pairs
 */
function between(one, from, other, start, pairs) {
  const least = Math.min(one.length, other.length);
  let same = 0;
  while (same < least && one[same] === other[same]) same += 1;
  for (let index = 0; index < same; index += 1) pairs.push([from + index, start + index]);
  let behind = 0;
  while (behind < least - same && one[one.length - 1 - behind] === other[other.length - 1 - behind]) behind += 1;
  const [here, there] = [one.subarray(same, one.length - behind), other.subarray(same, other.length - behind)];
  if (here.length === 1) {
    const found = there.indexOf(/** @type {number} */ (here[0]));
    if (found !== -1) pairs.push([from + same, start + same + found]);
  } else if (here.length > 0 && there.length > 0) {
    const middle = here.length >> 1;
    const before = lengths(here.subarray(0, middle), there);
    const after = lengths(here.slice(middle).reverse(), there.slice().reverse());
    const sum = (/** @type {number} */ at) => /** @type {number} */ (before[at]) + /** @type {number} */ (after[there.length - at]);
    let best = 0;
    for (let at = 1; at <= there.length; at += 1) if (sum(at) > sum(best)) best = at;
    between(here.subarray(0, middle), from + same, there.subarray(0, best), start + same, pairs);
    between(here.subarray(middle), from + same + middle, there.subarray(best), start + same + best, pairs);
  }
  for (let index = behind; index > 0; index -= 1) pairs.push([from + one.length - index, start + other.length - index]);
}

/** How long what all of `one` shares with each beginning of `other` is. @param {Uint32Array} one @param {Uint32Array} other */
function lengths(one, other) {
  const row = new Uint32Array(other.length + 1);
  for (const word of one) {
    let [corner, left] = [0, 0];
    for (let at = 1; at <= other.length; at += 1) {
      const up = /** @type {number} */ (row[at]);
      left = other[at - 1] === word ? corner + 1 : Math.max(up, left);
      row[at] = left;
      corner = up;
    }
  }
  return row;
}

/**
 * A stretch of three texts. `in`: which of them have the same words there; none where they differ.
 *
 * @typedef {object} Row
 * @property {number[]} in
 * @property {{ from: number, to: number }[]} ranges of words, one for each text
 */

/**
 * A run of words that the middle text has in common with others, with its place in each of them that has it.
 *
 * @typedef {{ at: [number | undefined, number, number | undefined], length: number }} Run
 */

/** Fewer common words than these in a row are accidents, and would only tear texts to pieces. */
const leastCommon = 2;

/**
 * Aligns two texts with one in the middle.
 *
 * @param {readonly string[]} left @param {readonly string[]} middle @param {readonly string[]} right words without spaces
 * @returns {{ rows: Row[], shared: [Set<number>, Set<number>, Set<number>] }} `shared`: words of the outer texts that the middle one has
 * too, and of the middle one those that any other has
 */
export function aligned(left, middle, right) {
  const toLeft = new Map(common(middle, left));
  const toRight = new Map(common(middle, right));
  const runs = runsOf(middle.length, toLeft, toRight).filter(
    ({ at, length }) => length >= leastCommon || at.every((place) => place === 0) || endsAll(at, length, [left, middle, right]),
  );
  const sizes = [left.length, middle.length, right.length];
  /** @type {Row[]} */
  const rows = [];
  const done = [0, 0, 0];
  /** Up to where a text can be shown in front of a run: to its next place in common. @param {number} run @param {number} text */
  const until = (run, text) => {
    for (const { at } of runs.slice(run)) if (at[text] !== undefined) return /** @type {number} */ (at[text]);
    return /** @type {number} */ (sizes[text]);
  };
  const take = (/** @type {number} */ text, /** @type {number} */ to) => {
    const from = /** @type {number} */ (done[text]);
    done[text] = to;
    return { from, to };
  };
  for (let run = 0; run <= runs.length; run += 1) {
    const next = runs[run];
    const ends = [0, 1, 2].map((text) => until(run, text));
    const differs = [0, 1, 2].some(
      (text) => (!next || next.at[text] !== undefined) && /** @type {number} */ (ends[text]) > /** @type {number} */ (done[text]),
    );
    if (differs) rows.push({ in: [], ranges: ends.map((end, text) => take(text, end)) });
    if (!next) break;
    const inside = [0, 1, 2].filter((text) => next.at[text] !== undefined);
    const to = next.at.map((place, text) => (place === undefined ? until(run, text) : place + next.length));
    rows.push({ in: inside, ranges: to.map((end, text) => take(text, end)) });
  }
  return { rows, shared: [new Set(toLeft.values()), new Set([...toLeft.keys(), ...toRight.keys()]), new Set(toRight.values())] };
}

/** @param {number} size @param {Map<number, number>} toLeft @param {Map<number, number>} toRight */
function runsOf(size, toLeft, toRight) {
  /** @type {Run[]} */
  const runs = [];
  for (let index = 0; index < size; index += 1) {
    const at = /** @type {Run['at']} */ ([toLeft.get(index), index, toRight.get(index)]);
    if (at[0] === undefined && at[2] === undefined) continue;
    const last = runs.at(-1);
    const goesOn = last && at.every((place, text) => place === (last.at[text] === undefined ? undefined : last.at[text] + last.length));
    if (goesOn) last.length += 1;
    else runs.push({ at, length: 1 });
  }
  return runs;
}

/** @param {Run['at']} at @param {number} length @param {readonly (readonly string[])[]} texts */
function endsAll(at, length, texts) {
  return at.every((place, text) => place !== undefined && place + length === texts[text]?.length);
}
