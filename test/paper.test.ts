import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Nudging } from '../lib/index.ts';
import { paperReference } from './support/paper-reference.ts';
import { spread } from './support/questions.ts';

const questions = spread(4).map((row) => row.question);
const demo = (name: string) => fileURLToPath(new URL(`../models/demo/${name}`, import.meta.url));

describe.each(['pair.json', 'pair-cross.json'])("R38: compat 'paper' with models/demo/%s", (manifest) => {
  let engine: Nudging;
  beforeAll(async () => {
    engine = await Nudging.load({ pair: demo(manifest), reference: demo('base.gguf') });
  });
  afterAll(() => engine.close());

  test.each(['ensemble', 'proxy-tuning'] as const)('%s says what the stateless reference says', { timeout: 120_000 }, async (mode) => {
    for (const question of [...questions, 'naïve 中文 🙂']) {
      for (const maxTokens of [40, 5]) {
        const { text, stopReason, stats } = await engine.generate(question, { mode, compat: 'paper', maxTokens });
        expect({ text, stopReason, used: stats.tokens }).toEqual(await paperReference(engine, question, mode, { maxTokens }));
        expect(stats.mixedTokens).toBe(stats.tokens);
      }
    }
  });

  test('is the same beside others', async () => {
    const options = { mode: 'ensemble', compat: 'paper', maxTokens: 24 } as const;
    const alone: string[] = [];
    for (const question of questions) alone.push((await engine.generate(question, options)).text);
    const together = await Promise.all(questions.map((question) => engine.generate(question, options)));
    expect(together.map(({ text }) => text)).toEqual(alone);
  });

  test.each([
    [{ mode: 'nudge' }, 'compat'],
    [{ mode: 'ensemble', temperature: 1 }, 'temperature'],
    [{ mode: 'ensemble', weights: { base: 2, aligned: 1 } }, 'weights'],
    [{ mode: 'ensemble', weights: { base: 1 } }, 'weights'],
    [{ mode: 'proxy-tuning', alpha: 2 }, 'alpha'],
  ] as const)('%j has no such thing', async (options, option) => {
    await expect(engine.generate('Why?', { ...options, compat: 'paper' })).rejects.toMatchObject({ code: 'ERR_INVALID_OPTION', option });
  });
});
