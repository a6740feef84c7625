import { describe, expect, test } from 'vitest';
import { rateEstimate } from '../../lib/calibrate/curve.ts';
import { seededRandom } from '../../lib/calibrate/random.ts';
import { settle } from '../../lib/calibrate/settle.ts';
import { bootstrapError, mean } from '../../lib/calibrate/statistics.ts';
import { clip, highestCell, rateThreshold } from '../../lib/calibrate/thresholds.ts';
import { prompt, prompts, type Simulated } from './simulated.ts';

const pair: Simulated = { shape: 1.4, spread: 0.3, decisions: 80 };
const limits = { low: 0, high: 1 };

/** Settles a pair of which the recorded runs tell something else than is true: there, prompts have another shape. */
async function settled(seed: number, target: number, told: Simulated, options: { maxRounds?: number; limits?: typeof limits } = {}) {
  const recorded = prompts(told, 64, seed);
  let asked = 0;
  const result = await settle({
    start: clip(rateThreshold(recorded, target) ?? 0, options.limits ?? limits),
    target,
    limits: options.limits ?? limits,
    maxRounds: options.maxRounds ?? 8,
    measure: async (gamma) => {
      asked += 1;
      // The same prompts each time.
      const random = seededRandom(seed * 1000);
      const rates = Array.from({ length: 64 }, () => {
        const probabilities = prompt(pair, random);
        return probabilities.filter((probability) => probability < gamma).length / probabilities.length;
      });
      return { gamma, rate: mean(rates), standardError: bootstrapError(rates, random) };
    },
    propose: (rounds) => {
      const estimate = rateEstimate(recorded, rounds);
      return highestCell((gamma) => estimate(gamma) <= target) ?? 0;
    },
  });
  return { ...result, asked };
}

describe('settling', () => {
  test.each([
    ['agree', pair],
    ['are far too low', { ...pair, shape: 2.8 }],
    ['are far too high', { ...pair, shape: 0.7 }],
  ])('comes to the target where the recorded runs %s', async (_, told) => {
    for (let seed = 1; seed <= 30; ++seed) {
      const { rate, standardError, by, rounds, atTarget } = await settled(seed, 0.2, told);
      // A hundredth of γ may be more than a standard error.
      expect(by === 'target' || (by === 'rounds' && atTarget)).toBe(true);
      expect(Math.abs(rate - 0.2)).toBeLessThanOrEqual((by === 'target' ? 1 : 2) * Math.max(standardError, 0.005));
      expect(new Set(rounds.map(({ gamma }) => gamma)).size).toBe(rounds.length);
    }
  });

  test('goes on from two standard errors, which are near enough if there is no better', async () => {
    const measure = async (gamma: number) => ({ gamma, rate: gamma < 0.5 ? 0.22 : 0.35, standardError: 0.0125 });
    const first = { start: 0.3, target: 0.2, limits, measure, propose: () => 0.2 };
    expect(await settle({ ...first, maxRounds: 3 })).toMatchObject({ by: 'rounds', atTarget: true, rate: 0.22 });
    expect((await settle({ ...first, maxRounds: 3 })).rounds.length).toBe(3);
    expect(await settle({ ...first, start: 0.6, maxRounds: 1 })).toMatchObject({ by: 'rounds', atTarget: false });
  });

  test('stops at a limit with the rate still beyond', async () => {
    const low = await settled(1, 0.2, pair, { limits: { low: 0.6, high: 0.9 } });
    expect(low).toMatchObject({ by: 'low', gamma: 0.6, asked: 1 });
    expect(low.rate).toBeGreaterThan(0.25);
    const high = await settled(1, 0.2, pair, { limits: { low: 0.05, high: 0.1 } });
    expect(high).toMatchObject({ by: 'high', gamma: 0.1, asked: 1 });
  });

  test('gives the nearest of its measurements when it may make no more', async () => {
    const result = await settled(3, 0.2, { ...pair, shape: 0.7 }, { maxRounds: 2 });
    expect(result).toMatchObject({ by: 'rounds', asked: 2 });
    expect(result.rate).toBe(result.rounds.map(({ rate }) => rate).sort((a, b) => Math.abs(a - 0.2) - Math.abs(b - 0.2))[0]);
  });

  test('ends where no γ has the rate, because it jumps over it', async () => {
    let asked = 0;
    const result = await settle({
      start: 0.5,
      target: 0.5,
      limits,
      maxRounds: 20,
      measure: async (gamma) => {
        asked += 1;
        return { gamma, rate: gamma < 0.37 ? 0.1 : 0.8, standardError: 0.01 };
      },
      propose: (rounds) => rounds.at(-1)?.gamma as number,
    });
    expect(result.by).toBe('rounds');
    expect(result.gamma).toBe(0.37);
    expect(asked).toBeLessThan(12);
  });
});
