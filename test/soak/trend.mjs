// Whether memory grows. Between two moments it always differs by more than a small leak makes: engines come and go, allocators keep what
// was freed, V8 compiles what turns out to be used often. A leak is what is left of that over many moments: so many bytes more for every
// request.

/** @typedef {{ requests: number, bytes: number }} Sample how much memory was taken after how many requests */

/** @param {readonly number[]} numbers */
function median(numbers) {
  const sorted = [...numbers].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const [below = Number.NaN, above = Number.NaN] = [sorted[(sorted.length - 1) >> 1], sorted[middle]];
  return (below + above) / 2;
}

/**
 * Bytes a request: the median of the slopes between all pairs of samples (Theil and Sen). Up to a quarter of the samples can be anything
 * without moving it far.
 * @param {readonly Sample[]} samples
 */
export function slope(samples) {
  const between = (/** @type {Sample} */ one, /** @type {Sample} */ other) => (other.bytes - one.bytes) / (other.requests - one.requests);
  const slopes = samples.flatMap((one, at) => samples.slice(at + 1).map((other) => between(one, other)));
  return slopes.length === 0 ? Number.NaN : median(slopes);
}

/**
 * By how many bytes a request memory grows once what is compiled and cached only once is there: in the second half of a run, in the first
 * half of that, and in the second; the middle one of the three. A leak goes on through all of them at the same pace; what only fills up
 * grows less and less, and what comes and goes is in one of them alone.
 * @param {readonly Sample[]} samples
 */
export function growth(samples) {
  const late = samples.slice(samples.length >> 1);
  const middle = late.length >> 1;
  const paces = [late, late.slice(0, middle), late.slice(middle)].map(slope);
  return paces.some(Number.isNaN) ? Number.NaN : median(paces);
}

/** Bytes a request that are no leak yet: a run with none shows less, one with a leak of some hundred bytes more. */
export const mostGrowth = 200;
