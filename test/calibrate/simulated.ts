import { Deferrals } from '../../lib/calibrate/deferrals.ts';
import { seededRandom } from '../../lib/calibrate/random.ts';

/**
 * A pair whose law is known: p̂ has the distribution function F(p) = p^shape at every decision, moved a little from prompt to prompt, and a
 * decision that defers is a nudged token.
 */
export interface Simulated {
  shape: number;
  /** How much prompts differ: the shape of each is multiplied by e^(spread · u), u even in ±1. */
  spread: number;
  decisions: number;
}

/** The probabilities of one prompt's decisions. */
export function prompt({ shape, spread, decisions }: Simulated, random: () => number): number[] {
  const own = shape * Math.exp(spread * (2 * random() - 1));
  return Array.from({ length: decisions }, () => random() ** (1 / own));
}

export function prompts(simulated: Simulated, count: number, seed: number): Deferrals[] {
  const random = seededRandom(seed);
  return Array.from({ length: count }, () => new Deferrals(prompt(simulated, random)));
}

/** The share of decisions below γ, over all prompts there could be. */
export function trueShare({ shape, spread }: Simulated, gamma: number): number {
  const steps = 200;
  let sum = 0;
  for (let step = 0; step < steps; ++step) {
    const u = (step + 0.5) / steps;
    sum += gamma ** (shape * Math.exp(spread * (2 * u - 1)));
  }
  return sum / steps;
}
