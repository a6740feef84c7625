/** A share with its interval, all in [0, 1]. */
export interface Interval {
  low: number;
  high: number;
}

/** The 97.5 % quantile of the standard normal distribution, for intervals of 95 %. */
const z = 1.959963984540054;

/**
 * Wilson's score interval of a binomial share, 95 % (Wilson 1927, "Probable inference, the law of succession, and statistical inference").
 * Of nothing, everything is possible: [0, 1].
 */
export function wilson(right: number, rows: number): Interval {
  if (rows === 0) return { low: 0, high: 1 };
  const share = right / rows;
  const square = z * z;
  const middle = (share + square / (2 * rows)) / (1 + square / rows);
  const half = (z * Math.sqrt((share * (1 - share)) / rows + square / (4 * rows * rows))) / (1 + square / rows);
  // At the ends the exact bound is 0 or 1, and only rounding keeps it from that.
  return { low: right === 0 ? 0 : middle - half, high: right === rows ? 1 : middle + half };
}

/** The mean of some numbers with its 95 % interval by the normal distribution; undefined for none. One number has no interval. */
export function meanOf(values: readonly number[]): ({ mean: number } & Partial<Interval>) | undefined {
  if (values.length === 0) return undefined;
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  if (values.length === 1) return { mean };
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (values.length - 1);
  const half = z * Math.sqrt(variance / values.length);
  return { mean, low: mean - half, high: mean + half };
}
