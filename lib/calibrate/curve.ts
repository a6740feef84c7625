import type { Deferrals } from './deferrals.ts';
import { meanShare } from './thresholds.ts';
import type { MeasuredRate } from './types.ts';

/** What is known of one γ: how often the base would defer in the recorded runs, and how many tokens are nudged. */
interface Known {
  share: number;
  rate: number;
}

/** With γ = 0 the base never defers and with share 1 always: beyond the measured rates the estimate goes there in a straight line. */
const ends: readonly [Known, Known] = [
  { share: 0, rate: 0 },
  { share: 1, rate: 1 },
];

/**
 * Estimates the rate of nudged tokens by γ. The recorded judgements tell how often the base would defer with each γ; how many tokens that
 * is, is interpolated between the measured rates. It goes through these, and does not fall unless they do.
 */
export function rateEstimate(prompts: readonly Deferrals[], measured: readonly MeasuredRate[]): (gamma: number) => number {
  const points = measured.map(({ gamma, rate }) => ({ share: meanShare(prompts, gamma), rate }));
  const known = [ends[0], ...points.sort((one, other) => one.share - other.share), ends[1]];
  return (gamma) => rateAt(known, meanShare(prompts, gamma));
}

/** That estimate from 0 to 1 in steps of 0.05. */
export function rateCurve(prompts: readonly Deferrals[], measured: readonly MeasuredRate[]): { gamma: number; rate: number }[] {
  const estimate = rateEstimate(prompts, measured);
  return Array.from({ length: 21 }, (_, index) => ({ gamma: index / 20, rate: estimate(index / 20) }));
}

function rateAt(known: readonly Known[], share: number): number {
  const above = known.findIndex((each, index) => index > 0 && each.share >= share);
  const [low, high] = [known[above - 1], known[above]] as [Known, Known];
  if (high.share === low.share) return high.rate;
  return low.rate + ((share - low.share) / (high.share - low.share)) * (high.rate - low.rate);
}
