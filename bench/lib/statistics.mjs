/** @param {readonly number[]} values */
export function median(values) {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? upper) + upper) / 2;
}

/** @param {readonly number[]} values */
export const sum = (values) => values.reduce((total, value) => total + value, 0);

/**
 * Median and range: with few rounds on a machine that others use too, the range says more than a deviation.
 * @param {readonly number[]} values
 */
export const spread = (values) => ({ median: median(values), min: Math.min(...values), max: Math.max(...values) });
