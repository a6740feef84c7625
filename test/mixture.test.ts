import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Nudging, type Answer, type GenerateOptions } from '../lib/index.ts';
import { ensemble, mixtureReference, proxyTuning } from './support/mixture-reference.ts';
import { spread } from './support/questions.ts';
import { tinyModel } from './support/tiny-models.ts';

const question = 'What is a harbor?';
const questions = spread(6).map((row) => row.question);
const demo = (name: string) => fileURLToPath(new URL(`../models/demo/${name}`, import.meta.url));
const raw = { base: 'What is a harbor?', aligned: 'What is a harbor?' };

const said = ({ text, stopReason }: Answer) => ({ text, stopReason });

let engine: Nudging;
/** Random weights, vocabularies that can be listed, prompts of their own. */
let tiny: Nudging;
beforeAll(async () => {
  engine = await Nudging.load({ reference: demo('base.gguf'), otherModels: { twin: demo('base.gguf') } });
  tiny = await Nudging.load({
    base: tinyModel({ seed: 1 }),
    aligned: tinyModel({ seed: 2 }),
    reference: tinyModel({ seed: 3 }),
    otherModels: { fourth: tinyModel({ seed: 4, padding: 5 }) },
    deterministic: true,
  });
});
afterAll(() => Promise.all([engine.close(), tiny.close()]));

describe('R31: an ensemble', () => {
  test.each([
    ['of both models alike', undefined, { base: 1, aligned: 1 }],
    ['with weights, which need not sum up to 1', { base: 3, aligned: 1.5 }, { base: 2, aligned: 1 }],
    ['of three models', { base: 1, fourth: 0.5, aligned: 0.25 }, { base: 1, aligned: 0.25, fourth: 0.5 }],
    ['without the base', { aligned: 1, reference: 2 }, { aligned: 1, reference: 2 }],
  ])('%s says what the stateless reference says', { timeout: 60_000 }, async (_, weights, shares) => {
    for (const asked of ['a', question, 'naïve 中文 🙂']) {
      const settings: GenerateOptions = { mode: 'ensemble', maxTokens: 16, ...(weights ? { weights } : {}) };
      const answer = await tiny.generate(asked, settings);
      const slow = await mixtureReference(tiny, asked, ensemble(shares), { maxTokens: 16 });
      expect({ ...said(answer), used: answer.stats.tokens }).toEqual(slow);
    }
  });

  test('ends where one of the models would: the models of the demo pair end each in its own way', async () => {
    const answer = await engine.generate(question, { mode: 'ensemble', weights: { base: 0.2, aligned: 0.8 } });
    expect(answer.stopReason).toBe('end');
    expect(answer.stats.tokens).toBeGreaterThan(3);
  });

  test('ends where any of the models would, though the others know no such end', async () => {
    await using pair = await Nudging.load({ base: tinyModel({ seed: 1 }), aligned: tinyModel({ seed: 2, end: 'z' }), maxTokens: 40 });
    // Hardly anything but these two can be said.
    const settings = { logitBias: { x: 95, z: 95 }, temperature: 10, seed: 2 };
    const alone = await pair.generate(question, { ...settings, mode: 'base', stop: [] });
    expect(alone.text).toMatch(/x.*z.*x/);
    const together = await pair.generate(question, { ...settings, mode: 'ensemble' });
    expect(together.stopReason).toBe('end');
    expect(together.text).not.toContain('z');
    expect(together.stats.tokens).toBeLessThan(40);
  });

  test('has the noise of its first model, not of another one', async () => {
    const settings = { maxTokens: 24, stop: [], temperature: 1, seed: 3 };
    const together = await engine.generate(question, { ...settings, mode: 'ensemble', weights: { base: 1, aligned: 1e-12 } });
    expect(said(together)).toEqual(said(await engine.generate(question, { ...settings, mode: 'base' })));
  });

  test('changes logits first (R16)', async () => {
    const logits = { logitBias: { e: 3, base: { '104': -100 } }, repeatPenalty: 1.5, repeatWindow: 20 };
    const answer = await tiny.generate(question, { mode: 'ensemble', maxTokens: 16, ...logits });
    const slow = await mixtureReference(tiny, question, ensemble({ base: 1, aligned: 1 }), { maxTokens: 16, ...logits });
    expect(answer.text).toBe(slow.text);
    expect(answer.text).not.toBe((await tiny.generate(question, { mode: 'ensemble', maxTokens: 16 })).text);
  });

  test('of a model with itself is the model alone, sampled too', { timeout: 120_000 }, async () => {
    for (const [i, asked] of questions.entries()) {
      for (const settings of [{}, { temperature: 0.9, topP: 0.9, seed: i }]) {
        const together = await engine.generate(asked, {
          mode: 'ensemble',
          weights: { base: 1, twin: 1 },
          stop: [],
          maxTokens: 32,
          ...settings,
        });
        const alone = await engine.generate(asked, { mode: 'base', stop: [], maxTokens: 32, ...settings });
        expect(said(together)).toEqual(said(alone));
      }
    }
  });

  test.each(['base', 'aligned'] as const)('in which only the %s model counts is that model alone', async (mode) => {
    for (const settings of [{}, { temperature: 0.9, minP: 0.05, seed: 7 }]) {
      const weights = { base: 0, aligned: 0, [mode]: 1 };
      const together = await engine.generate(question, { mode: 'ensemble', weights, stop: [], maxTokens: 32, ...settings });
      const alone = await engine.generate(question, { mode, stop: [], maxTokens: 32, ...settings });
      expect(said(together)).toEqual(said(alone));
      expect(together.stats[mode === 'base' ? 'aligned' : 'base'].decodes).toBe(0);
    }
  });
});

describe('R32: proxy tuning', () => {
  test.each([0.5, 1, 2])('with α = %f says what the stateless reference says', { timeout: 60_000 }, async (alpha) => {
    for (const asked of ['a', question]) {
      const answer = await tiny.generate(asked, { mode: 'proxy-tuning', alpha, maxTokens: 16 });
      const slow = await mixtureReference(tiny, asked, proxyTuning(alpha), { maxTokens: 16 });
      expect({ ...said(answer), used: answer.stats.tokens }).toEqual(slow);
    }
  });

  test('with α = 0 is the base alone, sampled too', async () => {
    for (const settings of [{}, { temperature: 0.8, seed: 3 }]) {
      const tuned = await engine.generate(question, { mode: 'proxy-tuning', alpha: 0, stop: [], maxTokens: 32, ...settings });
      const alone = await engine.generate(question, { mode: 'base', stop: [], maxTokens: 32, ...settings });
      expect(said(tuned)).toEqual(said(alone));
    }
  });

  test('with the aligned model as its own reference is the base alone', async () => {
    const path = demo('aligned.gguf');
    await using same = await Nudging.load({ reference: path });
    // The same prompts too: the reference has the base's.
    const tuned = await same.generate(raw, { mode: 'proxy-tuning', stop: [], maxTokens: 32 });
    const alone = await same.generate(raw, { mode: 'base', stop: [], maxTokens: 32 });
    expect(said(tuned)).toEqual(said(alone));
  });

  test('with the base as the reference is the aligned model alone, where prompts are equal', async () => {
    for (const asked of [raw, { base: 'A harbor is', aligned: 'A harbor is' }]) {
      const tuned = await engine.generate(asked, { mode: 'proxy-tuning', stop: [], maxTokens: 32 });
      const alone = await engine.generate(asked, { mode: 'aligned', stop: [], maxTokens: 32 });
      expect(tuned.text).toBe(alone.text);
    }
  });

  test('a bias for all models counts once', async () => {
    const settings = { mode: 'proxy-tuning', maxTokens: 12, temperature: 0 } as const;
    const answer = await tiny.generate(question, { ...settings, logitBias: { e: 2 } });
    // In a product of probabilities a factor of the base alone is the same.
    const slow = await mixtureReference(tiny, question, proxyTuning(1), { maxTokens: 12, logitBias: { e: 2 } });
    expect(answer.text).toBe(slow.text);
    const base = await tiny.generate(question, { ...settings, logitBias: { base: { [tokenOf('e')]: 2 } } });
    expect(base.text).toBe(answer.text);
  });

  test('without a reference is refused, with what to do', async () => {
    await using pair = await Nudging.load();
    const refused = pair.generate(question, { mode: 'proxy-tuning' });
    await expect(refused).rejects.toMatchObject({ code: 'ERR_INVALID_OPTION', option: 'reference' });
    await expect(refused).rejects.toThrow('at load');
    await expect(Nudging.load({ mode: 'proxy-tuning' })).rejects.toMatchObject({ code: 'ERR_INVALID_OPTION', option: 'reference' });
  });
});

describe.each([{ mode: 'ensemble' }, { mode: 'proxy-tuning' }] as const)('$mode', ({ mode }) => {
  test('gives the same text alone, beside others and streamed, greedy and sampled', { timeout: 60_000 }, async () => {
    for (const settings of [{}, { temperature: 1, seed: 11 }]) {
      const options = { mode, maxTokens: 24, ...settings };
      const alone: Answer[] = [];
      for (const asked of questions) alone.push(await engine.generate(asked, options));
      const others = questions.map((asked, i) => engine.generate(asked, { maxTokens: 24, mode: i % 2 ? 'nudge' : 'base' }));
      const together = await Promise.all(questions.map((asked) => engine.generate(asked, options)));
      await Promise.all(others);
      expect(together.map(said)).toEqual(alone.map(said));
      const stream = engine.stream(question, options);
      let text = '';
      for await (const piece of stream) {
        expect(piece.source).toBe('mix');
        text += piece.text;
      }
      expect(text).toBe((await stream.answer).text);
    }
  });

  test('keeps its caches: a token costs one token of each model', async () => {
    const { stats } = await engine.generate(question, { mode, maxTokens: 20, stop: [] });
    const lanes = mode === 'ensemble' ? [stats.base, stats.aligned] : [stats.base, stats.aligned, stats.others['reference']];
    expect(Object.keys(stats.others)).toEqual(['reference', 'twin']);
    for (const lane of lanes) {
      expect(lane?.questions).toBeGreaterThanOrEqual(stats.tokens);
      expect(lane?.questions).toBeLessThanOrEqual(stats.tokens + 1);
      expect((lane?.decodedTokens ?? 0) + (lane?.cachedPromptTokens ?? 0)).toBeLessThanOrEqual((lane?.promptTokens ?? 0) + stats.tokens);
      expect(lane?.rewinds).toBeLessThanOrEqual(1);
    }
    expect([stats.mixedTokens, stats.baseTokens, stats.nudgedTokens]).toEqual([stats.tokens, 0, 0]);
    expect(stats.times.othersDecode > 0).toBe(mode === 'proxy-tuning');
  });

  test('obeys the budget, stop strings and an abort', async () => {
    const cut = await engine.generate(question, { mode, maxTokens: 3, stop: [] });
    expect([cut.stopReason, cut.stats.tokens]).toEqual(['length', 3]);
    const long = await engine.generate(question, { mode, maxTokens: 24, stop: [] });
    const stop = long.text.slice(6, 9);
    const stopped = await engine.generate(question, { mode, maxTokens: 24, stop });
    expect(stopped).toMatchObject({ stopReason: 'stop', text: long.text.slice(0, long.text.indexOf(stop)) });
    const controller = new AbortController();
    const stream = engine.stream(question, { mode, maxTokens: 500, stop: [], signal: controller.signal });
    for await (const _ of stream) controller.abort();
    expect((await stream.answer).stopReason).toBe('aborted');
  });

  test('leaves its place while its reader is behind, and goes on as if it had not', { timeout: 60_000 }, async () => {
    await using one = await Nudging.load({ reference: demo('base.gguf'), parallel: 1 });
    const options = { mode, maxTokens: 40, stop: [], highWaterMark: 1 } as const;
    const whole = await one.generate(question, options);
    const stream = one.stream(question, options);
    let text = '';
    let turn = 0;
    for await (const piece of stream) {
      text += piece.text;
      // Another one takes the place meanwhile.
      if (turn++ % 4 === 0) await one.generate(questions[turn % questions.length] as string, { maxTokens: 2 });
    }
    expect(text).toBe(whole.text);
  });

  test('of two vocabularies is refused, with the place where they differ', async () => {
    const fourth = mode === 'ensemble' ? {} : { reference: demo('base.gguf') };
    await using cross = await Nudging.load({ pair: demo('pair-cross.json'), ...fourth });
    const refused = cross.generate(question, { mode, unit: 'token' });
    await expect(refused).rejects.toMatchObject({ code: 'ERR_VOCABULARIES_DIFFER' });
    await expect(refused).rejects.toThrow(
      /`base` and `aligned` do not have the same vocabulary: token \d+ is .* and .*: take models of one family, leave `unit` out/,
    );
    // Others are not concerned.
    expect((await cross.generate(question, { maxTokens: 4 })).text).not.toBe('');
  });
});

describe('in a process of its own', () => {
  test('answers are the same, and a chat that is too long for a third model loses its oldest turns', { timeout: 60_000 }, async () => {
    // The third one's prompts are the longest: its template is the tiny models' own, and so are its tokens.
    await using isolated = await Nudging.load({
      isolate: true,
      base: tinyModel({ seed: 1 }),
      aligned: tinyModel({ seed: 2 }),
      reference: tinyModel({ seed: 3 }),
      otherModels: { fourth: tinyModel({ seed: 4, padding: 5 }) },
      deterministic: true,
      maxTokens: 8,
    });
    for (const options of [{ mode: 'proxy-tuning' }, { mode: 'ensemble', weights: { base: 1, fourth: 1 } }] as const) {
      const answer = await isolated.generate(question, { ...options, maxTokens: 8 });
      expect(said(answer)).toEqual(said(await tiny.generate(question, { ...options, maxTokens: 8 })));
      const chat = Array.from(
        { length: 41 },
        (_, i) => ({ role: i % 2 ? 'assistant' : 'user', content: `Turn ${i} of a long talk.` }) as const,
      );
      const fitted = await isolated.generate(chat, { ...options, fit: 'oldest-first' });
      expect(fitted.droppedMessages).toBeGreaterThan(0);
      const lanes = [fitted.stats.base, ...Object.values(fitted.stats.others)].map(({ promptTokens }) => promptTokens);
      expect(Math.max(...lanes)).toBeGreaterThan(900);
      expect(Math.max(...lanes)).toBeLessThanOrEqual(1024 - 8);
    }
  });
});

describe('one vocabulary', () => {
  const differs = async (other: string) => {
    await using pair = await Nudging.load({ base: tinyModel({ seed: 1 }), aligned: other });
    return pair.generate(question, { mode: 'ensemble', unit: 'token', maxTokens: 4 }).then(
      () => 'the same',
      ({ message }: Error) => message,
    );
  };
  test('may be filled up with tokens that show nothing', async () => {
    expect(await differs(tinyModel({ seed: 2, padding: 7 }))).toBe('the same');
  });
  test('may not have more tokens that show something', async () => {
    expect(await differs(tinyModel({ seed: 2, more: ['xyz'] }))).toContain('token 269 is no token of that number and "xyz"');
  });
  test('is compared by what tokens show', async () => {
    const merges = [['Ġ', 'u']] as const;
    expect(await differs(tinyModel({ seed: 2, merges }))).toContain('token 256 is " t" and " u"');
  });
});

test('weights that cannot be, and models that were not loaded, are refused', async () => {
  for (const weights of [
    {},
    { base: 0 },
    { base: -1 },
    { base: '1' },
    { '7': 1 },
    { 'a b': 1 },
    [1],
    null,
    { base: Number.NaN },
  ] as never[])
    await expect(engine.generate(question, { mode: 'ensemble', weights })).rejects.toMatchObject({
      code: 'ERR_INVALID_OPTION',
      option: 'weights',
    });
  const unknown = engine.generate(question, { mode: 'ensemble', weights: { judge: 1 } });
  await expect(unknown).rejects.toMatchObject({ code: 'ERR_INVALID_OPTION', option: 'weights', value: 'judge' });
  await expect(unknown).rejects.toThrow('base, aligned, reference, twin');
});

/** The id of a token of one byte in the tiny vocabulary. */
const tokenOf = (character: string) => `${character.charCodeAt(0)}`;
