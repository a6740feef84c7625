import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Nudging, type Answer, type DeferralRule, type NudgingError } from '../lib/index.ts';
import { spread } from './support/questions.ts';
import { reference } from './support/reference.ts';

const questions = spread(20).map((row) => row.question);
/** Every rule, with settings under which each defers here and there. */
const rules: DeferralRule[] = [
  'bet',
  { name: 'bet', lambda: 0 },
  'hybrid',
  { name: 'hybrid', low: 0.1, high: 0.99, lambda: 0 },
  'margin',
  { name: 'margin', margin: 0.7 },
  'entropy',
  { name: 'entropy', entropy: 1.5 },
];
const named = rules.map((rule) => [JSON.stringify(rule), rule] as const);
const settings = { gamma: 0.4, lookahead: 16, maxTokens: 64 };
const said = ({ text, rounds, stopReason, stats }: Answer) => ({ text, rounds, stopReason, used: stats.tokens });

describe.each(['pair.json', 'pair-cross.json'])('models/demo/%s', (manifest) => {
  let engine: Nudging;
  beforeAll(async () => {
    engine = await Nudging.load(fileURLToPath(new URL(`../models/demo/${manifest}`, import.meta.url)));
  });
  afterAll(() => engine.close());

  test.each(named)("%s gives the stateless reference's rounds", { timeout: 240_000 }, async (_, rule) => {
    for (const question of questions.slice(0, 6)) {
      const answer = await engine.generate(question, { ...settings, rule });
      expect(said(answer)).toEqual(await reference(engine, question, { ...settings, rule }));
    }
  });
});
