import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Nudging, type Answer, type GenerateOptions } from '../lib/index.ts';
import { compare } from './support/compare.ts';
import { spread } from './support/questions.ts';
import type { RuleOptions } from './support/reference.ts';
import { replay } from './support/replay.ts';

const question = 'What is a harbor?';
const questions = spread(3).map((row) => row.question);
const demo = (name: string) => fileURLToPath(new URL(`../models/demo/${name}`, import.meta.url));

/** Who ends, and what of: with settings under which it makes a difference to the demo pair. */
const ways: (Partial<RuleOptions> & { gamma: number; stop?: string[] })[] = [
  { gamma: 0.4, endRule: 'either' },
  { gamma: 0, endRule: 'either', endCertainty: 0.2 },
  { gamma: 0.1, endRule: 'either', endCertainty: 0.5, shortDrafts: 'check' },
  { gamma: 0.4, endRule: 'base', stop: [] },
  { gamma: 0.9, endRule: 'base', endCertainty: 0.3, stop: [] },
  { gamma: 0.1, shortDrafts: 'check' },
];

describe.each(['pair.json', 'pair-cross.json'])('models/demo/%s', (manifest) => {
  let engine: Nudging;
  beforeAll(async () => {
    engine = await Nudging.load(demo(manifest));
  });
  afterAll(() => engine.close());

  test.each(ways)("R23, R24: the stateless reference's rounds: %j", { timeout: 120_000 }, async (way) => {
    for (const asked of questions) {
      for (const more of [
        { lookahead: 16, maxTokens: 40 },
        { lookahead: 64, maxTokens: 24 },
      ]) {
        expect(await compare(engine, asked, { ...more, ...way })).toMatchObject({ result: 'exact' });
      }
    }
  });

  test.each(ways)('speculation leaves the answer as it is, alone and in company: %j', { timeout: 60_000 }, async (way) => {
    const answers = async (speculation: boolean | number, temperature: number) => {
      const all = await Promise.all(
        questions.map((asked) => engine.generate(asked, { ...way, speculation, temperature, seed: 7, maxTokens: 40 })),
      );
      return all.map(({ text, rounds, stopReason, endedBy }) => ({ text, rounds, stopReason, endedBy }));
    };
    for (const temperature of [0, 0.8]) {
      const plain = await answers(false, temperature);
      expect(await answers(true, temperature)).toEqual(plain);
      expect(await answers(5, temperature)).toEqual(plain);
    }
  });
});

describe('with the demo pair', () => {
  let engine: Nudging;
  beforeAll(async () => {
    engine = await Nudging.load();
  });
  afterAll(() => engine.close());

  const endings = async (options: GenerateOptions) => {
    const answers = await Promise.all(questions.map((asked) => engine.generate(asked, { maxTokens: 60, ...options })));
    return answers.map(({ stopReason, endedBy }) => endedBy ?? stopReason);
  };

  test('the aligned model ends the answer, unless the base may', async () => {
    expect(new Set(await endings({}))).toEqual(new Set(['aligned']));
    expect(await endings({ gamma: 0 })).not.toContain('base');
    expect(await endings({ gamma: 0, endRule: 'either', endCertainty: 0 })).toContain('base');
    expect(await endings({ endRule: 'base', endCertainty: 0.1 })).not.toContain('aligned');
  });

  test('in the other modes it is the model that runs, and where nobody ended it, nobody', async () => {
    const settings = { maxTokens: 200, stop: [] };
    expect((await engine.generate(question, { ...settings, mode: 'aligned' })).endedBy).toBe('aligned');
    expect(await engine.generate(question, { maxTokens: 3 })).not.toHaveProperty('endedBy');
    expect(await engine.generate(question, { stop: [' is'] })).not.toHaveProperty('endedBy');
  });

  test('an answer that ends by its first draft: checked, the base has its part in it', async () => {
    const long = { lookahead: 256, gamma: 0.1 };
    const accepted = await engine.generate(question, long);
    expect(accepted).toMatchObject({ endedBy: 'aligned', stats: { baseTokens: 0 } });
    expect(accepted.stats.base.decodes).toBe(0);
    const checked = await engine.generate(question, { ...long, shortDrafts: 'check', trace: 'full' });
    expect(checked.stats.baseTokens).toBeGreaterThan(0);
    expect((await replay(engine, question, checked, long)).wrong).toEqual([]);
  });

  test('streams, and stops at a stop string, as ever', async () => {
    const options: GenerateOptions = { endRule: 'base', endCertainty: 0.5, maxTokens: 40 };
    const whole = await engine.generate(question, options);
    const stream = engine.stream(question, options);
    let text = '';
    for await (const piece of stream) text += piece.text;
    expect(text).toBe(whole.text);
    const word = /\w+ \w+$/.exec(whole.text.slice(0, 30))?.[0] as string;
    const stopped = await engine.generate(question, { ...options, stop: word });
    expect(stopped).toMatchObject({ stopReason: 'stop', text: whole.text.slice(0, whole.text.indexOf(word)) });
  });

  test('every decision is confirmed by the models, asked from nothing', { timeout: 60_000 }, async () => {
    for (const way of ways) {
      for (const asked of questions.slice(0, 2)) {
        const answer = await engine.generate(asked, { ...way, maxTokens: 40, trace: 'full' });
        const { decisions, wrong } = await replay(engine, asked, answer, way);
        expect(wrong).toEqual([]);
        expect(decisions).toBe(answer.decisions?.length);
      }
    }
  });

  test.each([
    ['endRule', 'both', 'one of "aligned", "either", "base"'],
    ['endCertainty', 1.1, 'a number from 0 to 1'],
    ['shortDrafts', true, 'one of "accept", "check"'],
  ])('%s: %j must be %s', async (option, value, expected) => {
    await expect(engine.generate(question, { [option]: value })).rejects.toMatchObject({
      code: 'ERR_INVALID_OPTION',
      option,
      message: expect.stringContaining(expected),
    });
  });
});

// The ways an answer can take; what else there is in the engine must not change one.
const paths: GenerateOptions[] = [
  { gamma: 0, endRule: 'either', endCertainty: 0.2 },
  { endRule: 'base', gamma: 0.9 },
  { gamma: 0.1, shortDrafts: 'check' },
  { lead: 3 },
  { mode: 'reverse', gamma: 0.9, lead: 1 },
];

test.each([{ overlap: true }, { isolate: true }])('the same answers with %j', { timeout: 60_000 }, async (options) => {
  await using plain = await Nudging.load();
  await using other = await Nudging.load(options);
  for (const path of paths) {
    const settings = { ...path, maxTokens: 40, trace: 'full' as const };
    const expected = await Promise.all(questions.map((asked) => plain.generate(asked, { ...settings, speculation: false })));
    const got = await Promise.all(questions.map((asked) => other.generate(asked, settings)));
    const seen = ({ text, rounds, stopReason, endedBy, decisions }: Answer) => ({ text, rounds, stopReason, endedBy, decisions });
    expect(got.map(seen)).toEqual(expected.map(seen));
  }
});
