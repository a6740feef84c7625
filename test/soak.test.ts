import { describe, expect, test } from 'vitest';
import { seeded } from './soak/mix.mjs';
import { growth, mostGrowth, slope, type Sample } from './soak/trend.mjs';

/** Megabytes that a run without a leak had taken after every 100 requests: it fills up, and engines that are replaced come and go. */
const measured = [
  52.8, 53.7, 50.9, 55.3, 55.8, 53.6, 57, 57.9, 55.5, 60.6, 61.4, 58, 61.3, 61.9, 58.9, 61.8, 62.8, 60, 63.2, 64.5, 61.6, 64.3, 64.7, 62.1,
  64.6, 65.1, 61.7, 64.4, 65, 61.6, 64.4, 64.4, 61.7, 65, 65.4, 63.7, 66.5, 67.4, 64.1, 67.2, 67.3, 63.8, 67.1, 67.4, 64.1, 67, 67.1, 64.1,
  67, 67.6, 64.6, 67.5, 68, 64.8, 67.7, 67.9, 64.9, 67.6, 67.6, 64.9, 67.7, 68.2, 64.8, 67.2, 67.5, 64.7, 67.6, 68, 64.9, 67.9, 67.9, 64.7,
  67.8, 67.9, 64.8, 68, 68.3, 65.3, 68, 68, 64.6, 67.5, 68, 65, 68.4, 68.8, 65.4, 67.9, 68.1, 65.4, 68.1, 68.7, 65.6, 68.5, 68.6, 65.1, 68,
  68.1, 65.1, 68.3,
].map((megabytes, at): Sample => ({ requests: 100 * (at + 1), bytes: 1e6 * megabytes }));
const leaking = (samples: readonly Sample[], bytesARequest: number) =>
  samples.map(({ requests, bytes }) => ({ requests, bytes: bytes + bytesARequest * requests }));

/** Runs that somebody could have: how long it fills up, by how much, and how far single samples are off. */
const runs = [1, 2, 3, 4, 5, 6, 7, 8].map((seed) => {
  const random = seeded(seed);
  const [fill, noise, after] = [4e6 + 12e6 * random(), 1e6 + 2e6 * random(), 500 + 1500 * random()];
  return Array.from({ length: 200 }, (_, at): Sample => {
    const requests = 100 * (at + 1);
    // Now and then the allocator gives much back, or has just taken a new arena.
    const jump = random() < 0.1 ? 8e6 * (random() - 0.5) : 0;
    return { requests, bytes: 110e6 + fill * (1 - Math.exp(-requests / after)) + noise * (random() - 0.5) + jump };
  });
});

describe('the soak run', () => {
  test('takes what fills up, comes and goes for no leak', () => {
    expect(growth(measured)).toBeLessThan(mostGrowth);
    for (const run of runs) expect(growth(run)).toBeLessThan(mostGrowth);
  });

  test('notices a leak of a few hundred bytes a request', () => {
    for (const leak of [300, 1000]) {
      expect(growth(leaking(measured, leak))).toBeGreaterThan(mostGrowth);
      for (const run of runs) expect(growth(leaking(run, leak))).toBeGreaterThan(mostGrowth);
    }
  });

  test('does not pass with too few samples to tell', () => {
    for (const few of [[], measured.slice(0, 1), measured.slice(0, 5)]) expect(growth(few) <= mostGrowth).toBe(false);
  });

  test('finds a slope through samples of which some are far off', () => {
    const line = Array.from({ length: 21 }, (_, at) => ({ requests: 10 * at, bytes: 1000 + 30 * at + (at % 5 === 0 ? 1e6 : 0) }));
    expect(slope(line)).toBeCloseTo(3, 5);
    expect(slope(line.slice(1, 5))).toBe(3);
  });
});
