import { describe, expect, test } from 'vitest';
import { seeded } from './soak/mix.mjs';
import { growth, mostGrowth, slope, type Sample } from './soak/trend.mjs';

/** Megabytes that a run without a leak had taken after every 200 requests: it fills up, and engines that are replaced come and go. */
const measured = [
  116.3, 118.5, 117.1, 121.7, 120.1, 119.5, 123.6, 125.1, 123.3, 126.7, 126.2, 122.9, 126.3, 126.1, 123.1, 125.9, 127.6,
  125.2, 128.4, 128.9, 126.5, 129.3, 128, 124.9, 129.1, 128.9, 125.1, 128.3, 127.4, 125.6, 128.8, 127.9, 125.2, 128.9,
  127.7, 125.2, 129, 128.8, 126.2, 129.2, 128.1, 125.5, 129.2, 128.3, 126.2, 128.9, 127.5, 125.6, 129.1, 129.1,
].map((megabytes, at): Sample => ({ requests: 200 * (at + 1), bytes: 1e6 * megabytes }));
const leaking = (samples: readonly Sample[], bytesARequest: number) =>
  samples.map(({ requests, bytes }) => ({ requests, bytes: bytes + bytesARequest * requests }));

/** Runs that somebody could have: how long it fills up, by how much, and how far single samples are off. */
const runs = [1, 2, 3, 4, 5, 6, 7, 8].map((seed) => {
  const random = seeded(seed);
  const [fill, noise, after] = [4e6 + 12e6 * random(), 1e6 + 2e6 * random(), 500 + 1500 * random()];
  return Array.from({ length: 60 }, (_, at): Sample => {
    const requests = 250 * (at + 1);
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
