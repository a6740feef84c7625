import { clip, toCell, type GammaLimits } from './thresholds.ts';
import type { MeasuredRate } from './types.ts';

/** What a threshold is corrected by. */
export interface Settling {
  start: number;
  /** The share of nudged tokens to come to. */
  target: number;
  limits: GammaLimits;
  /** Most measurements, at least 1. */
  maxRounds: number;
  /** Runs all prompts with this γ. */
  measure: (gamma: number) => Promise<MeasuredRate>;
  /** The γ that should have the target's rate, by what was measured so far. */
  propose: (measured: readonly MeasuredRate[]) => number;
}

export interface Settled extends MeasuredRate {
  /** Every measurement, in order. */
  rounds: MeasuredRate[];
  /** Whether the rate may be the target's: within two standard errors. */
  atTarget: boolean;
  /**
   * Why it ended there. `target`: the rate is within one standard error. `low`, `high`: the limit was reached, and the rate is still above
   * or below it. `rounds`: all measurements were made, or there is nothing left to try, and this is the nearest one.
   */
  by: 'target' | 'low' | 'high' | 'rounds';
}

/** Nearer than this to the target counts as there, however small the standard error is. */
const closest = 0.005;

/** Whether a rate is the target's, up to so many standard errors. */
function isAt({ rate, standardError }: MeasuredRate, target: number, errors: number): boolean {
  return Math.abs(rate - target) <= Math.max(errors * standardError, closest);
}

/**
 * Measures and corrects γ until the rate of nudged tokens is the target's. γ changes which texts the models see, so a threshold that was
 * computed from runs at another one is a first guess. A proposal outside the interval that is known to hold the answer is replaced by
 * the middle of that.
 */
export async function settle({ start, target, limits, maxRounds, measure, propose }: Settling): Promise<Settled> {
  const rounds: MeasuredRate[] = [];
  const bracket = { ...limits };
  const ended = (at: MeasuredRate, by: Settled['by']): Settled => ({ ...at, rounds, by, atTarget: isAt(at, target, 2) });
  let gamma = toCell(clip(start, limits));
  while (true) {
    const now = await measure(gamma);
    rounds.push(now);
    const tooMuch = now.rate > target;
    // Two would do; but how far these prompts are off adds to how far they are from others.
    if (isAt(now, target, 1)) return ended(now, 'target');
    if (tooMuch && gamma <= limits.low) return ended(now, 'low');
    if (!tooMuch && gamma >= limits.high) return ended(now, 'high');
    bracket[tooMuch ? 'high' : 'low'] = gamma;
    const next = following(gamma, bracket, limits, propose(rounds));
    if (rounds.length >= maxRounds || next === undefined) return ended(nearest(rounds, target), 'rounds');
    gamma = next;
  }
}

/** What to try next; undefined if the bracket holds nothing between its ends. */
function following(gamma: number, bracket: GammaLimits, limits: GammaLimits, wanted: number): number | undefined {
  const isInside = (cell: number) =>
    cell !== gamma &&
    (cell > bracket.low || (cell === bracket.low && cell === limits.low)) &&
    (cell < bracket.high || (cell === bracket.high && cell === limits.high));
  return [wanted, (bracket.low + bracket.high) / 2].map((cell) => toCell(clip(cell, limits))).find(isInside);
}

function nearest(rounds: readonly MeasuredRate[], target: number): MeasuredRate {
  return rounds.reduce((best, each) => (Math.abs(each.rate - target) <= Math.abs(best.rate - target) ? each : best));
}
