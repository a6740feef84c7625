/** @returns 0 for no values */
export function mean(values: readonly number[]): number {
  return values.length === 0 ? 0 : values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** Resamples from which a standard error is taken: its own error is then about 2 %. */
const resamples = 1000;

/**
 * The standard error of the mean, by the bootstrap over its values (Efron, Annals of Statistics 7, 1979): nothing is assumed about how they
 * are distributed, only that they are independent. 0 for fewer than two values.
 */
export function bootstrapError(values: readonly number[], random: () => number): number {
  if (values.length < 2) return 0;
  const means = Array.from({ length: resamples }, () => {
    let sum = 0;
    for (let drawn = 0; drawn < values.length; ++drawn) sum += values[Math.floor(random() * values.length)] as number;
    return sum / values.length;
  });
  const center = mean(means);
  return Math.sqrt(means.reduce((sum, each) => sum + (each - center) ** 2, 0) / (resamples - 1));
}

/** A probability that was stated for an event, and whether the event came. */
export interface Forecast {
  probability: number;
  came: boolean;
  weight: number;
}

/**
 * The expected calibration error (Naeini et al., AAAI 2015) with ten bins of equal width: the mean distance between what was stated and how
 * often it came, each bin by its weight. In [0, 1]; 0 without forecasts.
 */
export function calibrationError(forecasts: readonly Forecast[]): number {
  const bins = Array.from({ length: 10 }, () => ({ stated: 0, came: 0 }));
  let all = 0;
  for (const { probability, came, weight } of forecasts) {
    const bin = bins[Math.min(9, Math.floor(probability * 10))] as { stated: number; came: number };
    bin.stated += probability * weight;
    if (came) bin.came += weight;
    all += weight;
  }
  return all === 0 ? 0 : bins.reduce((sum, { stated, came }) => sum + Math.abs(stated - came), 0) / all;
}
