import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Nudging } from '../lib/index.ts';
import { compare } from './support/compare.ts';
import { spread } from './support/questions.ts';
import { replay } from './support/replay.ts';

const questions = spread(50).map((row) => row.question);

describe.each(['pair.json', 'pair-cross.json'])('models/demo/%s', (manifest) => {
  let engine: Nudging;
  beforeAll(async () => {
    engine = await Nudging.load(fileURLToPath(new URL(`../models/demo/${manifest}`, import.meta.url)));
  });
  afterAll(() => engine.close());

  // So "the stateless reference's rounds" are those to the letter, and every number is the same to the bit.
  test('is deterministic', () => {
    expect(engine.deterministic).toBe(true);
  });

  async function mismatches(
    options: { gamma: number; lookahead: number; maxTokens: number; speculation?: boolean | number },
    asked: string[],
    of = engine,
  ) {
    const different: string[] = [];
    for (const question of asked) {
      const { result, reasons } = await compare(of, question, options);
      if (result === 'mismatch') different.push(`${question}: ${reasons.join('\n  ')}`);
    }
    return different;
  }

  test("50 questions give the stateless reference's rounds", { timeout: 240_000 }, async () => {
    expect(await mismatches({ gamma: 0.4, lookahead: 16, maxTokens: 96 }, questions)).toEqual([]);
  });

  test.each([
    { gamma: 0, lookahead: 16, maxTokens: 40 },
    { gamma: 0.9, lookahead: 16, maxTokens: 60 },
    { gamma: 1.01, lookahead: 5, maxTokens: 30 },
    { gamma: 0.4, lookahead: 16, maxTokens: 96, speculation: false },
    { gamma: 0.4, lookahead: 16, maxTokens: 96, speculation: 3 },
    { gamma: 0.2, lookahead: 16, maxTokens: 60, speculation: 31 },
    { gamma: 0.9, lookahead: 7, maxTokens: 60, speculation: 1 },
    { gamma: 0.4, lookahead: 1, maxTokens: 20 },
    { gamma: 0.4, lookahead: 64, maxTokens: 60 },
    { gamma: 0.3, lookahead: 3, maxTokens: 7 },
  ])('gamma $gamma, lookahead $lookahead, at most $maxTokens tokens, speculation $speculation', { timeout: 120_000 }, async (options) => {
    expect(await mismatches(options, [...questions.filter((_, i) => i % 13 === 0), 'Who  are you?\n\n', 'naïve 中文 🙂 question'])).toEqual(
      [],
    );
  });

  test('without `deterministic` the rounds are the same up to ties', { timeout: 120_000 }, async () => {
    await using fast = await Nudging.load({
      pair: fileURLToPath(new URL(`../models/demo/${manifest}`, import.meta.url)),
      deterministic: false,
    });
    expect(
      await mismatches(
        { gamma: 0.4, lookahead: 16, maxTokens: 96 },
        questions.filter((_, i) => i % 5 === 0),
        fast,
      ),
    ).toEqual([]);
  });

  test('every decision of a run is confirmed by the models, asked from nothing', { timeout: 60_000 }, async () => {
    for (const question of questions.filter((_, i) => i % 17 === 0)) {
      const answer = await engine.generate(question, { trace: 'full' });
      const { wrong, decisions } = await replay(engine, question, answer);
      expect(decisions).toBe(answer.decisions?.length);
      expect(decisions).toBeGreaterThan(20);
      expect(wrong).toEqual([]);
    }
  });
});
