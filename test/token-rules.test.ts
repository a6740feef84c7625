import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Nudging, replay, type Answer, type DeferralRule, type LogitBias, type TokenRule } from '../lib/index.ts';
import { resolvedRule } from '../lib/rule.ts';
import { spread } from './support/questions.ts';
import { tinyModel } from './support/tiny-models.ts';
import { asked, distribution, tokenRuleReference, type Said } from './support/token-rule-reference.ts';

const question = 'What is a harbor?';
const questions = spread(5).map((row) => row.question);
const demo = (name: string) => fileURLToPath(new URL(`../models/demo/${name}`, import.meta.url));
const said = ({ text, stopReason, rounds }: Answer) => ({ text, stopReason, rounds });
const sources = ({ pieces }: Answer) => pieces.map(({ text, source }) => ({ text, source }));
/** The ends of the tiny vocabulary. */
const ends = [267, 268];

/** Every rule that does anything greedily, with settings under which random weights both defer and do not. */
const unsure: TokenRule[] = [
  { name: 'blend', tau: 0.5 },
  { name: 'blend', tau: 0.5, weight: 'product' },
  { name: 'blend', tau: 0.5, weight: 0.7 },
  { name: 'kad-dual', alpha: 0.5 },
  { name: 'bet-token', lambda: 0.1 },
];

/** How probable the first ten letters are to be to each model in the tests of sampling; hardly anything else is. */
const targets = {
  base: [0.3, 0.2, 0.15, 0.12, 0.08, 0.05, 0.04, 0.03, 0.02, 0.01],
  aligned: [0.02, 0.05, 0.03, 0.25, 0.05, 0.3, 0.1, 0.1, 0.05, 0.05],
};
/** The biases that make them so. */
function biasesFor(models: Said): LogitBias {
  const lane = (name: 'base' | 'aligned') =>
    Object.fromEntries(targets[name].map((target, i) => [`${97 + i}`, Math.log(target / (models[name][97 + i] as number)) + 12]));
  return { base: lane('base'), aligned: lane('aligned') };
}

let engine: Nudging;
let tiny: Nudging;
beforeAll(async () => {
  engine = await Nudging.load();
  tiny = await Nudging.load({ base: tinyModel({ seed: 1 }), aligned: tinyModel({ seed: 2 }), deterministic: true, maxQueue: 5000 });
});
afterAll(() => Promise.all([engine.close(), tiny.close()]));

describe('rules of single tokens', () => {
  test.each(unsure.map((rule) => [JSON.stringify(rule), rule] as const))(
    '%s says what the stateless reference says, piece by piece',
    { timeout: 60_000 },
    async (_, rule) => {
      const found = new Set<string>();
      for (const input of ['a', question, 'naïve 中文']) {
        const answer = await tiny.generate(input, { rule, maxTokens: 16 });
        expect(sources(answer)).toEqual(await tokenRuleReference(tiny, input, resolvedRule(rule), { maxTokens: 16, ends }));
        for (const { source } of answer.pieces) found.add(source);
        expect(answer.rounds.map(({ words, base }) => words + base).join('')).toBe(answer.text);
        const { tokens, baseTokens, mixedTokens, nudgedTokens } = answer.stats;
        expect(baseTokens + mixedTokens + nudgedTokens).toBe(tokens);
      }
      // Both happened.
      expect(found.size).toBe(2);
    },
  );

  test.each<TokenRule>([
    { name: 'blend', tau: 0.9 },
    { name: 'blend', tau: 0.9, weight: 0.3 },
    { name: 'kad-dual', alpha: 0.1 },
    { name: 'kad-primal', alpha: 0.3 },
    { name: 'bet-token', lambda: 0.2 },
  ])('sampled, %j draws from exactly the distribution of its formula', { timeout: 240_000 }, async (rule) => {
    const logitBias = biasesFor(await asked(tiny, question, []));
    const models = await asked(tiny, question, [], { logitBias });
    const { all, ofBase } = distribution(resolvedRule(rule), models);
    const count = 3000;
    const settings = { rule, logitBias, temperature: 1, maxTokens: 1 };
    const answers = await Promise.all(Array.from({ length: count }, (_, seed) => tiny.generate(question, { ...settings, seed })));
    const seen = new Map<string, number>();
    for (const { text } of answers) seen.set(text, (seen.get(text) ?? 0) + 1);
    const letters = Array.from({ length: 10 }, (_, i) => ({ text: String.fromCharCode(97 + i), probability: all[97 + i] as number }));
    const expected = letters.filter(({ probability }) => probability * count >= 5);
    // Pearson's statistic; what is expected less often than five times is too rare for it, and rare it must be.
    const statistic = expected.reduce(
      (sum, { text, probability }) => sum + ((seen.get(text) ?? 0) - probability * count) ** 2 / (probability * count),
      0,
    );
    const degrees = expected.length - 1;
    expect(degrees).toBeGreaterThan(3);
    expect(answers.length - expected.reduce((sum, { text }) => sum + (seen.get(text) ?? 0), 0)).toBeLessThan(30);
    // What it exceeds once in a thousand times (Wilson and Hilferty).
    expect(statistic).toBeLessThan(degrees * (1 - 2 / (9 * degrees) + 3.09 * Math.sqrt(2 / (9 * degrees))) ** 3);
    const base = answers.filter(({ stats }) => stats.baseTokens === 1).length;
    expect(Math.abs(base - ofBase * count)).toBeLessThan(4 * Math.sqrt(count * ofBase * (1 - ofBase)) + 1);
  });

  test.each<[TokenRule, 'base' | 'aligned']>([
    [{ name: 'blend', tau: 0 }, 'base'],
    [{ name: 'blend', weight: 0 }, 'base'],
    [{ name: 'blend', tau: 2, weight: 1 }, 'aligned'],
    [{ name: 'kad-dual', alpha: 0 }, 'base'],
    ['kad-primal', 'base'],
    [{ name: 'bet-token', lambda: 1 }, 'base'],
  ])('%j is the %s model alone', async (rule, mode) => {
    for (const input of questions) {
      const together = await engine.generate(input, { rule, maxTokens: 32, stop: [] });
      const alone = await engine.generate(input, { mode, maxTokens: 32, stop: [] });
      // An end of the other model's is an end too.
      expect(alone.text.startsWith(together.text)).toBe(true);
      if (together.stopReason !== 'end') expect(together.text).toBe(alone.text);
    }
  });

  test('greedy, kad-dual asks the aligned model where the base is unsure, and nowhere else', async () => {
    const { pieces, stats, stopReason } = await engine.generate(question, { rule: 'kad-dual' });
    expect(stopReason).toBe('end');
    for (const { source, topProbability = 0 } of pieces) expect(source).toBe(topProbability < 0.4 ? 'nudge' : 'base');
    // Once more if its end ended the answer.
    expect([stats.nudgedTokens, stats.nudgedTokens + 1]).toContain(stats.aligned.questions);
    expect(stats.baseTokens).toBeGreaterThan(5);
    expect(stats.aligned.decodes).toBeLessThan(stats.base.decodes);
  });

  test.each<DeferralRule>(['blend', 'kad-dual', 'bet-token'])(
    '%s: the same alone, in company, with speculation and overlap',
    async (rule) => {
      await using beside = await Nudging.load({ overlap: true });
      for (const sampled of [{}, { temperature: 0.9, seed: 5 }]) {
        const options = { rule, maxTokens: 32, ...sampled };
        const alone: Answer[] = [];
        for (const input of questions) alone.push(await engine.generate(input, { ...options, speculation: false }));
        for (const other of [engine, beside]) {
          const together = await Promise.all(questions.map((input) => other.generate(input, options)));
          expect(together.map(said)).toEqual(alone.map(said));
        }
      }
    },
  );

  test('are not what a trace of words can be judged by, and have none themselves', async () => {
    const words = await engine.generate(question, { trace: 'full', maxTokens: 8 });
    expect(() => replay(words, { rule: 'kad-dual' })).toThrow(expect.objectContaining({ code: 'ERR_INVALID_OPTION', option: 'rule' }));
    const tokens = await engine.generate(question, { trace: 'full', rule: 'kad-dual', maxTokens: 8 });
    expect(() => replay(tokens)).toThrow(expect.objectContaining({ code: 'ERR_INVALID_OPTION', option: 'answer' }));
  });

  test('of two vocabularies are refused', async () => {
    await using cross = await Nudging.load(demo('pair-cross.json'));
    await expect(cross.generate(question, { rule: 'blend' })).rejects.toMatchObject({ code: 'ERR_VOCABULARIES_DIFFER' });
  });

  test.each([
    { name: 'blend', weight: 'half' },
    { name: 'blend', weight: 2 },
    { name: 'kad-dual', alpha: 1.5 },
    { name: 'kad-primal', lambda: 0.1 },
    'kad',
  ] as never[])('%j is refused', async (rule) => {
    await expect(engine.generate(question, { rule })).rejects.toMatchObject({ code: 'ERR_INVALID_OPTION', option: 'rule' });
  });
});

test('a token that only the longer vocabulary has may be its likeliest', { timeout: 60_000 }, async () => {
  for (const [base, aligned, lane] of [
    [tinyModel({ seed: 1 }), tinyModel({ seed: 2, padding: 7 }), 'aligned'],
    [tinyModel({ seed: 1, padding: 7 }), tinyModel({ seed: 2 }), 'base'],
  ] as const) {
    await using filled = await Nudging.load({ base, aligned });
    const size = filled.models[lane].vocabulary;
    const settings = { maxTokens: 4, logitBias: { [lane]: { [size - 1]: 100 } } };
    for (const options of [...unsure.map((rule) => ({ rule })), { mode: 'ensemble' as const }]) {
      const answer = await filled.generate(question, { ...options, ...settings });
      expect(answer.stats.tokens).toBeGreaterThan(0);
    }
  }
});
