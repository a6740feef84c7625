import { describe, expect, test } from 'vitest';
import { rateCurve } from '../../lib/calibrate/curve.ts';
import { Deferrals } from '../../lib/calibrate/deferrals.ts';
import { nonIncreasing } from '../../lib/calibrate/isotonic.ts';
import { seededRandom } from '../../lib/calibrate/random.ts';
import { betThreshold, highestCell, rateThreshold } from '../../lib/calibrate/thresholds.ts';
import { prompts, trueShare, type Simulated } from './simulated.ts';

test('a share counts what is below γ, what always defers, and what never does', () => {
  const deferrals = new Deferrals([0.4, 0.2, 0.4, 0.9], 1, 3);
  // Strictly below: with p̂ = γ the base goes on (R7c).
  expect([0, 0.4, 0.41, 1].map((gamma) => deferrals.share(gamma) * 8)).toEqual([1, 2, 4, 5]);
  expect(new Deferrals([]).share(0.5)).toBe(0);
});

describe('the confidence bet', () => {
  const step = (from: number, to: number, value: number) => ({ from, to, value, weight: 1 });

  test('lies between the last place where it holds and the first where it does not', () => {
    const steps = [step(0.1, 0.3, 0.5), step(0.32, 0.42, 0.1), step(0.48, 0.9, -0.2)];
    expect(betThreshold(steps, 0.1)).toBe(0.45);
    expect(betThreshold(steps, 0.2)).toBe(0.31);
    expect(betThreshold(steps, 0.6)).toBeUndefined();
    expect(betThreshold(steps, -0.5)).toBe(1);
    expect(betThreshold([], 0)).toBeUndefined();
  });

  test('finds the crossing of a known pair within a hundredth', () => {
    // q̂ - p̂ = 0.5 - p̂ and noise of ±0.2: the advantage is 0.1 at p̂ = 0.4.
    const found = Array.from({ length: 40 }, (_, seed) => {
      const random = seededRandom(seed);
      const observations = Array.from({ length: 6000 }, () => {
        const x = random();
        return { x, y: 0.5 - x + 0.4 * (random() - 0.5), weight: 1 };
      });
      return betThreshold(nonIncreasing(observations), 0.1) as number;
    });
    const mean = found.reduce((sum, gamma) => sum + gamma, 0) / found.length;
    expect(Math.abs(mean - 0.4)).toBeLessThan(0.01);
    expect(Math.max(...found.map((gamma) => Math.abs(gamma - 0.4)))).toBeLessThan(0.05);
  });
});

describe('the rate threshold', () => {
  const pair: Simulated = { shape: 1.6, spread: 0.6, decisions: 30 };

  test('keeps the rate in the mean over samples, and is not wasteful', { timeout: 120_000 }, () => {
    // Conformal risk control promises the first; that it stays within 2 / (n + 1), for losses up to 1, is its theorem 2.
    for (const most of [0.1, 0.2]) {
      for (const count of [16, 48]) {
        const shares = Array.from({ length: 1000 }, (_, seed) =>
          trueShare(pair, rateThreshold(prompts(pair, count, seed), most) as number),
        );
        const mean = shares.reduce((sum, share) => sum + share, 0) / shares.length;
        expect(mean).toBeLessThan(most + 0.001);
        expect(mean).toBeGreaterThan(most - 2 / (count + 1) - 0.01);
      }
    }
  });

  test('recovers the γ of a known pair within a cell where there are many prompts', () => {
    const many = { ...pair, spread: 0 };
    const gamma = 0.2 ** (1 / pair.shape);
    expect(Math.abs((rateThreshold(prompts(many, 1000, 1), 0.2) as number) - gamma)).toBeLessThanOrEqual(0.01);
  });

  test('is not there where no γ keeps the rate, or the prompts are too few to tell', () => {
    expect(rateThreshold([new Deferrals([0.5], 9), new Deferrals([0.5], 9)], 0.5)).toBeUndefined();
    const none = (count: number) => Array.from({ length: count }, () => new Deferrals([1]));
    expect([rateThreshold(none(8), 0.1), rateThreshold(none(9), 0.1)]).toEqual([undefined, 1]);
  });
});

test('the highest cell that is good is found wherever it is', () => {
  for (const edge of [0, 0.01, 0.37, 0.99, 1]) expect(highestCell((gamma) => gamma <= edge)).toBe(edge);
  expect(highestCell(() => false)).toBeUndefined();
});

describe('the curve', () => {
  const known = prompts({ shape: 1, spread: 0, decisions: 200 }, 200, 4);
  const measured = (gamma: number, rate: number) => ({ gamma, rate, standardError: 0 });
  const at = (curve: { gamma: number; rate: number }[], gamma: number) => curve.find((each) => each.gamma === gamma)?.rate as number;

  test('goes through what was measured, from nothing to all, and never falls', () => {
    const curve = rateCurve(known, [measured(0.4, 0.5), measured(0.2, 0.15)]);
    expect(curve.map(({ gamma }) => gamma)).toEqual(Array.from({ length: 21 }, (_, index) => index / 20));
    expect([at(curve, 0), at(curve, 0.2), at(curve, 0.4), at(curve, 1)]).toEqual([0, 0.15, 0.5, expect.closeTo(1, 2)]);
    expect(at(curve, 0.3)).toBeCloseTo(0.325, 1);
    expect(curve.every(({ rate }, index) => index === 0 || rate >= (curve[index - 1]?.rate as number))).toBe(true);
  });
});
