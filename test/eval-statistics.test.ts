import { describe, expect, test } from 'vitest';
import { answerReliability, boundaryReliability, reliability } from '../lib/eval/calibration.ts';
import { NumpyRandom } from '../lib/eval/data/numpy-random.ts';
import { coinFlips } from '../lib/eval/generated/coin-flip.ts';
import { lastLetters } from '../lib/eval/generated/last-letters.ts';
import { names } from '../lib/eval/generated/names.ts';
import type { AnswerRow } from '../lib/eval/rows.ts';
import { meanOf, wilson } from '../lib/eval/stats/intervals.ts';
import { mcnemar } from '../lib/eval/stats/mcnemar.ts';

describe("Wilson's interval", () => {
  // scipy.stats.binomtest(k, n).proportion_ci(method='wilson').
  test.each([
    [0, 10, 0, 0.2775327998628893],
    [5, 10, 0.236593090512564, 0.7634069094874361],
    [9, 10, 0.5958499732047615, 0.9821237869049271],
    [10, 10, 0.7224672001371109, 1],
    [81, 263, 0.2552885198782742, 0.36620957698280004],
  ])('%i of %i', (right, rows, low, high) => {
    const interval = wilson(right, rows);
    expect(interval.low).toBeCloseTo(low, 9);
    expect(interval.high).toBeCloseTo(high, 9);
  });

  test('of nothing is everything', () => expect(wilson(0, 0)).toEqual({ low: 0, high: 1 }));
});

test('a mean has an interval from two numbers on', () => {
  expect(meanOf([])).toBeUndefined();
  expect(meanOf([4])).toEqual({ mean: 4 });
  const { mean, low = 0, high = 0 } = meanOf([1, 2, 3, 4, 5]) ?? { mean: 0 };
  expect([mean, low, high].map((value) => value.toFixed(4))).toEqual(['3.0000', '1.6141', '4.3859']);
});

describe("McNemar's exact test", () => {
  const pairs = (won: number, lost: number, equal = 3) => [
    ...Array.from({ length: won }, () => [true, false] as const),
    ...Array.from({ length: lost }, () => [false, true] as const),
    ...Array.from({ length: equal }, () => [true, true] as const),
  ];

  // scipy.stats.binomtest(min(won, lost), won + lost).pvalue.
  test.each([
    [0, 0, 1],
    [5, 5, 1],
    [6, 0, 0.03125],
    [0, 6, 0.03125],
    [1, 9, 0.021484375],
    [86, 150, 3.7159361395713866e-5],
    [1200, 1000, 2.1817026407914194e-5],
  ])('%i against %i', (won, lost, p) => {
    const found = mcnemar(pairs(won, lost));
    expect(found).toMatchObject({ pairs: won + lost + 3, won, lost });
    expect(found.p / p).toBeCloseTo(1, 9);
  });
});

describe("numpy's generator", () => {
  // np.random.seed(seed); np.random.choice(count, k, replace=False).
  test.each([
    [609, 20, [19, 14, 10, 15, 17, 8, 5, 6, 0, 12, 4, 16, 7, 3, 18, 11, 13, 9, 1, 2]],
    [609, 1319, [193, 661, 1301, 1189, 231, 826, 777, 813]],
    [1, 5, [2, 1, 4, 0, 3]],
    [4294967295, 300, [110, 21, 54, 6, 19, 166]],
  ])('seed %i draws from %i as numpy does', (seed, count, expected) => {
    expect(new NumpyRandom(seed).permutation(count).slice(0, expected.length)).toEqual(expected);
  });
});

describe('generated questions', () => {
  test('are the same for a seed however many are made, and others for another', () => {
    for (const generate of [coinFlips, lastLetters]) {
      expect(generate(7, 5)).toEqual(generate(7, 50).slice(0, 5));
      expect(generate(8, 5).map(({ input }) => input)).not.toEqual(generate(7, 5).map(({ input }) => input));
      const many = generate(609, 300);
      expect(new Set(many.map(({ input }) => input)).size).toBe(300);
      expect(new Set(many.map(({ id }) => id)).size).toBe(300);
    }
  });

  test('have the right answers', () => {
    for (const { input, gold } of coinFlips(3, 40)) {
      const flips = (input.match(/ flips the coin/g) ?? []).length;
      expect(gold).toBe(flips % 2 === 0 ? 'yes' : 'no');
    }
    for (const { input, gold } of lastLetters(3, 40)) {
      const words = /"(.*)"/.exec(input)?.[1]?.split(' ') ?? [];
      expect(new Set(words).size).toBe(4);
      expect(gold).toBe(words.map((word) => word.slice(-1)).join(''));
    }
    const yes = coinFlips(1, 400).filter(({ gold }) => gold === 'yes').length;
    expect(Math.abs(yes - 200)).toBeLessThan(50);
  });

  test('draw from names that differ', () => expect(new Set(names).size).toBe(names.length));
});

describe('reliability', () => {
  test('weighs the gaps of its bins', () => {
    const judged = [
      ...Array.from({ length: 8 }, () => [0.95, true] as const),
      [0.95, false] as const,
      [0.95, false] as const,
      [0.15, false] as const,
    ];
    const found = reliability(judged);
    expect(found?.bins.map(({ low, count, right }) => [low, count, right])).toEqual([
      [0.1, 1, 0],
      [0.9, 10, 0.8],
    ]);
    expect(found?.error).toBeCloseTo((10 / 11) * 0.15 + (1 / 11) * 0.15, 9);
    expect(reliability([[1, true]])?.bins[0]?.low).toBe(0.9);
    expect(reliability([])).toBeUndefined();
  });

  test('of answers is about their own tokens, of boundaries about the aligned model', () => {
    const row = {
      task: 'coin_flip',
      score: { strict: true, lenient: true, found: 'stated' },
      confidence: Math.log(0.75),
      boundaries: [[0.2, false]],
    };
    const rows = [
      row as unknown as AnswerRow,
      { ...row, score: undefined, confidence: undefined, boundaries: undefined } as unknown as AnswerRow,
    ];
    expect(answerReliability(rows)).toMatchObject({ count: 1, bins: [{ low: 0.7, confidence: expect.closeTo(0.75, 9), right: 1 }] });
    expect(boundaryReliability(rows)).toMatchObject({ count: 1, bins: [{ low: 0.2, right: 0 }] });
  });
});
