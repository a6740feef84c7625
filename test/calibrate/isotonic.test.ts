import { expect, test } from 'vitest';
import { nonIncreasing } from '../../lib/calibrate/isotonic.ts';
import { seededRandom } from '../../lib/calibrate/random.ts';

const at = (...values: [x: number, y: number, weight?: number][]) => values.map(([x, y, weight = 1]) => ({ x, y, weight }));
const valuesOf = (observations: ReturnType<typeof at>) => nonIncreasing(observations).map(({ from, to, value }) => [from, to, value]);

test('what falls already is kept', () => {
  expect(valuesOf(at([1, 5], [2, 3], [3, -1]))).toEqual([
    [1, 1, 5],
    [2, 2, 3],
    [3, 3, -1],
  ]);
});

test('what rises is pooled, and pools what is before it', () => {
  // The example of the literature with its sign turned: 1, 3, 2, 4, 3.5, 5 rising becomes 1, 2.5, 2.5, 3.75, 3.75, 5.
  expect(valuesOf(at([1, -1], [2, -3], [3, -2], [4, -4], [5, -3.5], [6, -5]))).toEqual([
    [1, 1, -1],
    [2, 3, -2.5],
    [4, 5, -3.75],
    [6, 6, -5],
  ]);
  expect(valuesOf(at([1, 1], [2, 2], [3, 6]))).toEqual([[1, 3, 3]]);
});

test('weights count, and the order of the observations does not', () => {
  expect(valuesOf(at([2, 4, 3], [1, 0, 1]))).toEqual([[1, 2, 3]]);
});

test('observations in one place are one, whatever stands before them', () => {
  // Pooled one by one, the first of the two at 2 would join the one at 1 and never leave it.
  expect(valuesOf(at([1, 4], [2, 4], [2, 0]))).toEqual([
    [1, 1, 4],
    [2, 2, 2],
  ]);
});

test('is the nearest non-increasing function: nothing that falls comes nearer', () => {
  const random = seededRandom(7);
  const observations = Array.from({ length: 40 }, (_, x) => ({ x, y: 1 - x / 40 + random(), weight: 0.5 + random() }));
  const steps = nonIncreasing(observations);
  const fitted = observations.map(({ x }) => steps.find(({ from, to }) => from <= x && x <= to)?.value as number);
  expect(fitted.every((value, index) => index === 0 || value <= (fitted[index - 1] as number))).toBe(true);
  const distance = (values: readonly number[]) =>
    observations.reduce((sum, { y, weight }, index) => sum + weight * (y - (values[index] as number)) ** 2, 0);
  for (let round = 0; round < 500; ++round) {
    const other = fitted.map((value) => value + (random() - 0.5) * 0.2);
    for (let i = 1; i < other.length; ++i) other[i] = Math.min(other[i] as number, other[i - 1] as number);
    expect(distance(other)).toBeGreaterThanOrEqual(distance(fitted) - 1e-12);
  }
});

test('nothing gives nothing', () => {
  expect(nonIncreasing([])).toEqual([]);
});
