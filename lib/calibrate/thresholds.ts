import type { Deferrals } from './deferrals.ts';
import type { Step } from './isotonic.ts';
import { mean } from './statistics.ts';

/** Thresholds are whole hundredths: finer ones than samples of some dozen prompts can tell apart. */
const cells = 100;

/** Where γ may lie. */
export interface GammaLimits {
  low: number;
  high: number;
}

export function clip(gamma: number, { low, high }: GammaLimits): number {
  return Math.min(high, Math.max(low, gamma));
}

export function toCell(gamma: number): number {
  return Math.round(gamma * cells) / cells;
}

/**
 * The threshold of the confidence bet: below it the aligned model is on average surer than the base by at least `lambda`.
 *
 * @param advantage of the aligned model's top-1 probability over the base's, by the base's, as a non-increasing step function
 * @returns a whole hundredth, halfway between the last observation that the bet holds for and the first one that it does not; undefined if
 *   it holds for none
 */
export function betThreshold(advantage: readonly Step[], lambda: number): number | undefined {
  const held = advantage.filter(({ value }) => value >= lambda);
  const last = held.at(-1);
  if (last === undefined) return undefined;
  const next = advantage[held.length];
  return toCell(next === undefined ? 1 : (last.to + next.from) / 2);
}

/**
 * The highest threshold with which a further prompt is expected to defer at no more than this share of its judgements, by conformal risk
 * control (Angelopoulos et al., arXiv 2208.02814, with losses in [0, 1] that fall with -γ): the highest γ with (n · mean share + 1) / (n +
 * 1) ≤ `most`. If the prompts are exchangeable that holds whatever they are, in the mean over samples of n prompts.
 *
 * @returns a whole hundredth from 0 to 1; undefined if even 0 is too high, because the base would end too often, or n is too small
 */
export function rateThreshold(prompts: readonly Deferrals[], most: number): number | undefined {
  const count = prompts.length;
  return highestCell((gamma) => (count * meanShare(prompts, gamma) + 1) / (count + 1) <= most);
}

export function meanShare(prompts: readonly Deferrals[], gamma: number): number {
  return mean(prompts.map((prompt) => prompt.share(gamma)));
}

/** The highest whole hundredth from 0 to 1 that is good, where none is good that is higher than a bad one. */
export function highestCell(isGood: (gamma: number) => boolean): number | undefined {
  let good = -1;
  let bad = cells + 1;
  while (bad - good > 1) {
    const middle = (good + bad) >> 1;
    if (isGood(middle / cells)) good = middle;
    else bad = middle;
  }
  return good < 0 ? undefined : good / cells;
}
