import { describe, expect, test } from 'vitest';
import { sample, seededRandom } from '../../lib/calibrate/random.ts';
import { bootstrapError, calibrationError, mean } from '../../lib/calibrate/statistics.ts';

describe('the generator', () => {
  test('is even, and the same for the same seed', () => {
    const [one, again, other] = [seededRandom(5), seededRandom(5), seededRandom(6)];
    const drawn = Array.from({ length: 10_000 }, one);
    expect(drawn.slice(0, 5)).toEqual(Array.from({ length: 5 }, again));
    expect(drawn[0]).not.toBe(other());
    for (let tenth = 0; tenth < 10; ++tenth) {
      const share = drawn.filter((value) => value >= tenth / 10 && value < (tenth + 1) / 10).length / drawn.length;
      // Five standard errors.
      expect(Math.abs(share - 0.1)).toBeLessThan(0.015);
    }
  });

  test('draws each item equally often, in order, and never one twice', () => {
    const random = seededRandom(1);
    const items = [0, 1, 2, 3, 4];
    const counts = items.map(() => 0);
    for (let round = 0; round < 5000; ++round) {
      const chosen = sample(items, 2, random);
      if (chosen.length !== 2 || !((chosen[0] as number) < (chosen[1] as number))) throw new Error(`drawn: ${chosen}`);
      for (const item of chosen) counts[item] = (counts[item] ?? 0) + 1;
    }
    for (const count of counts) expect(Math.abs(count / 5000 - 0.4)).toBeLessThan(0.035);
    expect(sample(items, 9, random)).toEqual(items);
  });
});

test("the bootstrap gives the mean's standard error", () => {
  const random = seededRandom(3);
  const values = Array.from({ length: 200 }, random);
  const variance = values.reduce((sum, value) => sum + (value - mean(values)) ** 2, 0) / (values.length - 1);
  const expected = Math.sqrt(variance / values.length);
  expect(Math.abs(bootstrapError(values, random) / expected - 1)).toBeLessThan(0.12);
  expect(bootstrapError([0.3], random)).toBe(0);
  expect(bootstrapError([0.5, 0.5, 0.5], random)).toBe(0);
});

describe('the calibration error', () => {
  const forecast = (probability: number, came: boolean, weight = 1) => ({ probability, came, weight });

  test('is 0 where what is said comes as often', () => {
    expect(calibrationError([forecast(0.25, true), ...[1, 2, 3].map(() => forecast(0.25, false))])).toBeCloseTo(0, 12);
  });

  test('is the mean distance over the bins, by weight', () => {
    // 0.9 off in one bin, 0.1 off in the other, which counts three times.
    expect(calibrationError([forecast(0.9, false), forecast(0.1, false, 3)])).toBeCloseTo((0.9 + 3 * 0.1) / 4, 12);
    expect(calibrationError([forecast(1, true)])).toBe(0);
    expect(calibrationError([])).toBe(0);
  });
});
