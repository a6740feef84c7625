import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Nudging, type Answer, type GenerateOptions, type LaneName, type LogitBias, type NudgingError } from '../lib/index.ts';
import { compare } from './support/compare.ts';
import { spread } from './support/questions.ts';
import { replay } from './support/replay.ts';

const question = 'What is a harbor?';
const questions = spread(8).map((row) => row.question);
const penalised = { repeatPenalty: 2, repeatWindow: 48 } satisfies GenerateOptions;

let engine: Nudging;
beforeAll(async () => {
  // One place, so that every request finds what the one before has left.
  engine = await Nudging.load({ parallel: 1 });
});
afterAll(() => engine.close());

/** What an answer says and whom it has that from. */
const said = ({ rounds, stopReason }: Answer) => ({ rounds, stopReason });
const textOf = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
const says = (lane: LaneName, options: GenerateOptions = {}, text = '') => {
  const { logitBias, repeatPenalty, repeatWindow } = options;
  const sampling = {
    ...(logitBias ? { logitBias } : {}),
    ...(repeatPenalty ? { repeatPenalty } : {}),
    ...(repeatWindow ? { repeatWindow } : {}),
  };
  return engine.inspect({ lane, input: question, text, sampling });
};

/** The token with which a model ends what it says alone. */
async function endOf(lane: LaneName): Promise<number> {
  const { text } = await engine.generate(question, { mode: lane, stop: [] });
  const { token, ends } = await says(lane, {}, text);
  expect(ends).toBe(true);
  return token;
}

describe('logitBias', () => {
  test('moves what a model says: a token is banned, favoured, and named by text or id alike', async () => {
    for (const lane of ['base', 'aligned'] as const) {
      const plain = await says(lane);
      const text = textOf(plain.bytes);
      const banned = await says(lane, { logitBias: { [lane]: { [plain.token]: -100 } } });
      expect(banned.token).not.toBe(plain.token);
      expect(await says(lane, { logitBias: { [lane]: { [text]: -100 } } })).toEqual(banned);
      // The next one, made to win by exactly its margin and a bit.
      const favoured = await says(lane, { logitBias: { [lane]: { [banned.token]: plain.margin + 0.01 } } });
      expect(favoured.token).toBe(banned.token);
      const tooLittle = await says(lane, { logitBias: { [lane]: { [banned.token]: plain.margin - 0.01 } } });
      expect(tooLittle.token).toBe(plain.token);
    }
  });

  test('probability and margin are those of the biased logits', async () => {
    const plain = await says('base');
    const odds = (p: number) => Math.log(p / (1 - p));
    const better = await says('base', { logitBias: { base: { [plain.token]: 1.5 } } });
    expect(odds(better.probability)).toBeCloseTo(odds(plain.probability) + 1.5, 3);
    expect(better.margin).toBeCloseTo(plain.margin + 1.5, 3);
    // Banned, a token counts for nothing: the others' probabilities are shared out anew.
    const banned = await says('base', { logitBias: { base: { [plain.token]: -100 } } });
    const rival = await says('base', { logitBias: { base: { [banned.token]: 100 } } });
    expect(rival.probability).toBeCloseTo(1, 6);
    expect(banned.probability).toBeGreaterThan(Math.exp(-plain.margin) * plain.probability);
  });

  test('of one model leaves the other alone; by text it is for both', async () => {
    const [base, aligned] = [await says('base'), await says('aligned')];
    const forBase: LogitBias = { base: { [base.token]: -100 } };
    expect(await says('aligned', { logitBias: forBase })).toEqual(aligned);
    expect((await says('base', { logitBias: forBase })).token).not.toBe(base.token);
    const both: LogitBias = { [textOf(aligned.bytes)]: -100 };
    expect((await says('aligned', { logitBias: both })).token).not.toBe(aligned.token);
    const bothAndBase: LogitBias = { ...both, base: { [base.token]: 100 } };
    expect((await says('base', { logitBias: bothAndBase })).token).toBe(base.token);
  });

  test('a banned word does not come in an answer, greedy or sampled', async () => {
    const settings = { logitBias: { ' shelter': -100 }, maxTokens: 40 };
    expect((await engine.generate(question, { maxTokens: 40 })).text).toContain(' shelter');
    for (const sampling of [{}, ...[1, 2, 3, 4, 5].map((seed) => ({ temperature: 1, seed }))]) {
      const answer = await engine.generate(question, { ...settings, ...sampling, trace: 'full' });
      expect(answer.decisions?.filter(({ bytes }) => textOf(bytes) === ' shelter')).toEqual([]);
    }
  });

  test('γ is compared with what the bias leaves', async () => {
    // The base is sure of what it would say; banned, it is not, and is nudged more.
    const plain = await engine.generate(question, { trace: 'full' });
    const sure = plain.decisions?.find(({ kind, probability }) => kind === 'run' && probability > 0.9);
    const without = await engine.generate(question, { trace: 'full', logitBias: { base: { [sure?.token as number]: -100 } } });
    expect(without.stats.nudgeRatio).toBeGreaterThan(plain.stats.nudgeRatio);
    // And a bias that makes one token certain makes every run endless.
    const certain = await engine.generate(question, {
      logitBias: { base: { [sure?.token as number]: 100 } },
      maxTokens: 20,
      trace: 'full',
    });
    const runs = certain.decisions?.filter(({ kind }) => kind === 'run') ?? [];
    expect(runs.length).toBeGreaterThan(10);
    for (const { token, probability } of runs) expect([token, probability]).toEqual([sure?.token, 1]);
  });

  test.each(['nudge', 'base', 'aligned'] as const)('mode %s: banned ends leave it to maxTokens to end the answer', async (mode) => {
    const ends = { base: { [await endOf('base')]: -100 }, aligned: { [await endOf('aligned')]: -100 } };
    const plain = await engine.generate(question, { mode, stop: [], maxTokens: 120 });
    expect(plain.stopReason).toBe('end');
    const endless = await engine.generate(question, { mode, stop: [], maxTokens: 120, logitBias: ends });
    expect(endless).toMatchObject({ stopReason: 'length', stats: { tokens: 120 } });
    expect(endless.text.startsWith(plain.text.slice(0, 10))).toBe(true);
  });

  test('an end that is favoured ends the answer at once', async () => {
    const answer = await engine.generate(question, { logitBias: { aligned: { [await endOf('aligned')]: 100 } } });
    expect(answer).toMatchObject({ text: '', stopReason: 'end' });
  });
});

describe('repeatPenalty', () => {
  test('looks at the prompt and the answer, as far back as its window', async () => {
    const text = ' shelter. A harbor is a';
    const plain = await says('base', {}, text);
    expect(textOf(plain.bytes)).toBe(' shelter');
    const strong = { repeatPenalty: 100 };
    expect((await says('base', strong, text)).token).not.toBe(plain.token);
    const back = plain.context.length - plain.context.lastIndexOf(plain.token);
    expect(back).toBe(6);
    expect((await says('base', { ...strong, repeatWindow: back - 1 }, text)).token).toBe(plain.token);
    expect((await says('base', { ...strong, repeatWindow: back }, text)).token).not.toBe(plain.token);
    // In the prompt alone: the word of the question is the aligned model's second one.
    const named = await says('aligned', {}, 'A');
    expect(textOf(named.bytes)).toBe(' harbor');
    expect((await says('aligned', { ...strong, repeatWindow: 1_000_000 }, 'A')).token).not.toBe(named.token);
    expect((await says('aligned', { ...strong, repeatWindow: 1 }, 'A')).token).toBe(named.token);
  });

  test('below 1 it favours repetition, and 1 is none, whatever the window', async () => {
    const base = { mode: 'base', stop: [], maxTokens: 60 } as const;
    const words = ({ pieces }: Answer) => new Set(pieces.map(({ text }) => text)).size;
    const plain = await engine.generate(question, base);
    expect(said(await engine.generate(question, { ...base, repeatPenalty: 1, repeatWindow: 3 }))).toEqual(said(plain));
    const varied = await engine.generate(question, { ...base, repeatPenalty: 1.5 });
    const stubborn = await engine.generate(question, { ...base, repeatPenalty: 0.5 });
    expect(words(varied)).toBeGreaterThan(words(plain));
    expect(words(stubborn)).toBeLessThan(words(varied));
  });
});

describe('a context has one answer', () => {
  const settings: { name: string; options: GenerateOptions }[] = [
    { name: 'biases', options: { logitBias: { ' shelter': -100, ' the': -2, base: { ' is': 1 }, aligned: { ' is': -1.5 } } } },
    { name: 'a penalty', options: penalised },
    { name: 'both, sampled', options: { ...penalised, logitBias: { ' a': -3 }, temperature: 0.8, topP: 0.9, seed: 5 } },
  ];

  test.each(settings)('$name: with speculation or without', { timeout: 60_000 }, async ({ options }) => {
    let guessed = 0;
    for (const asked of questions.slice(0, 3)) {
      const plain = await engine.generate(asked, { ...options, speculation: false, maxTokens: 40, trace: 'full' });
      for (const speculation of [true, 1, 4, 8]) {
        // Other settings in between: what the lanes remember must not be what makes the answers equal.
        await engine.generate(asked, { speculation: false, maxTokens: 1 });
        const answer = await engine.generate(asked, { ...options, speculation, maxTokens: 40, trace: 'full' });
        expect(said(answer)).toEqual(said(plain));
        expect(answer.decisions).toEqual(plain.decisions);
        guessed += answer.stats.base.guessed;
      }
    }
    expect(guessed).toBeGreaterThan(40);
  });

  test.each(settings)('$name: in company, with overlap, and in an engine of its own process', { timeout: 60_000 }, async ({ options }) => {
    const run = (pair: Nudging, asked: string) => pair.generate(asked, { ...options, maxTokens: 40, trace: 'full' });
    const alone: Answer[] = [];
    for (const asked of questions) alone.push(await run(engine, asked));
    for (const load of [{ parallel: 4 }, { parallel: 3, overlap: true }, { isolate: true }]) {
      await using wide = await Nudging.load(load);
      // Company with other settings, which share prefixes with these.
      const others = questions.map((asked) => wide.generate(asked, { maxTokens: 20 }));
      const together = await Promise.all(questions.map((asked) => run(wide, asked)));
      await Promise.all(others);
      for (const [i, first] of alone.entries()) {
        expect(said(together[i] as Answer)).toEqual(said(first));
        expect(together[i]?.decisions).toEqual(first.decisions);
      }
    }
  });

  test.each(settings)('$name: nothing is remembered from other settings', async ({ options }) => {
    const plain = await engine.generate(question, { maxTokens: 40 });
    const first = await engine.generate(question, { ...options, maxTokens: 40 });
    expect(said(first)).not.toEqual(said(plain));
    expect(said(await engine.generate(question, { maxTokens: 40 }))).toEqual(said(plain));
    expect(said(await engine.generate(question, { ...options, maxTokens: 40 }))).toEqual(said(first));
    // But with the same ones it is, all of it where one model runs alone.
    const alone = { ...options, mode: 'base', stop: [], maxTokens: 20 } as const;
    expect((await engine.generate(question, alone)).stats.base.decodes).toBeGreaterThan(0);
    expect((await engine.generate(question, alone)).stats.base.decodes).toBe(0);
  });

  test.each(['pair.json', 'pair-cross.json'])("%s: the stateless reference's rounds", { timeout: 120_000 }, async (manifest) => {
    await using pair = await Nudging.load(fileURLToPath(new URL(`../models/demo/${manifest}`, import.meta.url)));
    const reasons = [];
    for (const [i, asked] of questions.slice(0, 6).entries()) {
      const { options } = settings[i % settings.length] as (typeof settings)[number];
      // Tokens of both pairs' vocabularies.
      const logitBias = { ' a': -3, base: { ' shelter': -100 } };
      const given = { gamma: [0.4, 0.2, 0.9][i % 3] as number, lookahead: 12, maxTokens: 32, speculation: i % 2 === 0 ? 4 : true };
      const chosen = { ...options, ...(options.logitBias ? { logitBias } : {}) };
      const compared = await compare(pair, asked, { ...given, ...chosen });
      reasons.push(...compared.reasons);
      expect(await replay(pair, asked, compared.answer, { ...given, ...chosen })).toMatchObject({ wrong: [], ties: 0 });
    }
    expect(reasons).toEqual([]);
  });
});

describe('settings', () => {
  test('of the engine hold, and those of a generation replace them', async () => {
    const logitBias = { ' shelter': -100 };
    await using biased = await Nudging.load({ logitBias, ...penalised });
    const expected = await engine.generate(question, { logitBias, ...penalised });
    expect(said(await biased.generate(question))).toEqual(said(expected));
    const plain = await engine.generate(question);
    expect(said(await biased.generate(question, { logitBias: {}, repeatPenalty: 1 }))).toEqual(said(plain));
  });

  test('that change nothing cost no answer its memory', async () => {
    const alone = { mode: 'base', stop: [], maxTokens: 20 } as const;
    await engine.generate(question, alone);
    const again = await engine.generate(question, { ...alone, logitBias: { base: { 5: 0 } }, repeatWindow: 7 });
    expect(again.stats.base.decodes).toBe(0);
  });
});

describe('errors', () => {
  const refused = async (options: object) => (await engine.generate(question, options).catch((reason: unknown) => reason)) as NudgingError;

  test.each<[string, object, unknown, string]>([
    ['no number', { logitBias: { ' word': NaN } }, NaN, 'a number from -100 to 100 for " word"'],
    ['no finite number', { logitBias: { ' word': Infinity } }, Infinity, 'a number from -100 to 100 for " word"'],
    ['too low', { logitBias: { base: { 5: -101 } } }, -101, 'a number from -100 to 100 for "5" under base'],
    ['a text', { logitBias: { aligned: { 5: '1' } } }, '1', 'a number from -100 to 100 for "5" under aligned'],
    ['a bias for a model', { logitBias: { base: -5 } }, -5, 'an object of biases under base'],
    ['an id for both models', { logitBias: { 5: -5 } }, 5, 'token ids under base or aligned only'],
    ['an empty text', { logitBias: { '': -5 } }, '', 'texts of 1 to 256 characters'],
    [
      'a text that is too long',
      { logitBias: { base: { ['x'.repeat(257)]: -5 } } },
      'x'.repeat(257),
      'texts of 1 to 256 characters under base',
    ],
    [
      'too many',
      { logitBias: { base: Object.fromEntries(Array.from({ length: 1025 }, (_, id) => [id, 1])) } },
      1025,
      'at most 1024 biases under base',
    ],
    ['a list', { logitBias: [1] }, [1], 'an object of biases'],
    ['null', { logitBias: null }, null, 'an object of biases'],
    ['no penalty', { repeatPenalty: 0 }, 0, 'a number from 0.01 to 100'],
    ['a penalty that is no number', { repeatPenalty: NaN }, NaN, 'a number from 0.01 to 100'],
    ['a penalty without end', { repeatPenalty: Infinity }, Infinity, 'a number from 0.01 to 100'],
    ['no window', { repeatWindow: 0 }, 0, 'an integer from 1 to 1000000'],
    ['half a token', { repeatWindow: 1.5 }, 1.5, 'an integer from 1 to 1000000'],
  ])('%s is refused by name', async (_, options, value, expected) => {
    const [option] = Object.keys(options);
    const error = await refused(options);
    expect(error).toMatchObject({ name: 'NudgingError', code: 'ERR_INVALID_OPTION', option, value });
    expect(error.message).toContain(expected);
    expect(error.message.length).toBeLessThan(300);
    await expect(engine.inspect({ lane: 'base', input: question, sampling: options })).rejects.toMatchObject({
      code: 'ERR_INVALID_OPTION',
      option,
    });
    await expect(Nudging.load(options)).rejects.toMatchObject({ code: 'ERR_INVALID_OPTION', option });
  });

  test('an id beyond the vocabulary, with both', async () => {
    const size = engine.models.base.vocabulary;
    const options = { logitBias: { base: { [size]: 1 } } };
    expect(await refused(options)).toMatchObject({
      code: 'ERR_TOKEN_UNKNOWN',
      option: 'logitBias',
      value: size,
      message: expect.stringContaining(`token ${size} of the base model, whose vocabulary has ${size} tokens`),
    });
    expect(() => engine.stream(question, options)).toThrow(expect.objectContaining({ code: 'ERR_TOKEN_UNKNOWN' }));
    await expect(Nudging.load(options)).rejects.toMatchObject({ code: 'ERR_TOKEN_UNKNOWN', value: size });
    await expect(engine.inspect({ lane: 'base', input: question, sampling: options })).rejects.toMatchObject({ code: 'ERR_TOKEN_UNKNOWN' });
    expect((await engine.generate(question, { logitBias: { base: { [size - 1]: 1 } }, maxTokens: 1 })).stats.tokens).toBe(1);
    await expect(engine.generate(question, { logitBias: { aligned: { '99999999999999999999': 1 } } })).rejects.toMatchObject({
      code: 'ERR_TOKEN_UNKNOWN',
    });
  });

  test('a text that is several tokens, with their number and the model', async () => {
    const error = await refused({ logitBias: { ' harbormasters of old': -100 } });
    expect(error.code).toBe('ERR_TOKEN_UNKNOWN');
    expect(error.message).toMatch(/`logitBias` names the text " harbormasters of old", and the base model's .* it is \d+ tokens there/);
    // A mode that does not run the model does not ask it.
    const options = { logitBias: { aligned: { ' harbormasters of old': -100 } }, maxTokens: 1 };
    expect((await engine.generate(question, { ...options, mode: 'base' })).stats.tokens).toBe(1);
    expect((await refused({ ...options, mode: 'aligned' })).message).toContain("the aligned model's");
    // The engine is none the worse for it.
    expect((await engine.generate(question)).stopReason).toBe('end');
  });
});
