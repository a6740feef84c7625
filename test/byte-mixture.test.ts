import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Nudging, type Answer, type GenerateOptions } from '../lib/index.ts';
import { byteReference } from './support/byte-reference.ts';
import { ensemble, proxyTuning, type Mixing } from './support/mixture-reference.ts';
import { spread } from './support/questions.ts';
import { tinyModel } from './support/tiny-models.ts';

const demo = (name: string) => fileURLToPath(new URL(`../models/demo/${name}`, import.meta.url));
const question = 'What is a harbor?';
const questions = spread(4).map((row) => row.question);
const raw = { base: 'What is a harbor?', aligned: 'What is a harbor?' };
const said = ({ text, stopReason }: Answer) => ({ text, stopReason });

/** Three vocabularies of random models, that can be listed. */
let tiny: Nudging;
/** The demo base, and the aligned model with a vocabulary of its own. */
let cross: Nudging;
/** One vocabulary. */
let same: Nudging;
beforeAll(async () => {
  const merges = [
    ['Ġ', 'w'],
    ['o', 'r'],
    ['Ġw', 'or'],
    ['t', 'h'],
    ['th', 'e'],
    ['Ġ', 'the'],
    ['n', 'e'],
  ] as const;
  tiny = await Nudging.load({
    base: tinyModel({ seed: 1 }),
    aligned: tinyModel({ seed: 2, merges }),
    reference: tinyModel({ seed: 3, merges: [['e', 'r'], ...merges] }),
    deterministic: true,
  });
  cross = await Nudging.load({
    pair: demo('pair-cross.json'),
    reference: demo('base.gguf'),
    otherModels: { twin: demo('aligned-cross.gguf') },
  });
  same = await Nudging.load({ reference: demo('base.gguf') });
});
afterAll(() => Promise.all([tiny.close(), cross.close(), same.close()]));

describe('R41 to R46: with models of different vocabularies', () => {
  // Letters that the vocabularies spell in different ways; else random models say bytes of all kinds.
  const logitBias = { e: 7, o: 6, r: 6.5, t: 5, h: 6, n: 5, ' ': 6, w: 5.5, or: 5 };
  const cases: [string, Mixing, GenerateOptions][] = [
    ['an ensemble', ensemble({ base: 1, aligned: 1 }), { mode: 'ensemble' }],
    [
      'an ensemble with weights',
      ensemble({ base: 1, aligned: 3, reference: 2 }),
      { mode: 'ensemble', weights: { base: 1, aligned: 3, reference: 2 } },
    ],
    ['proxy tuning', proxyTuning(1), { mode: 'proxy-tuning' }],
    ['proxy tuning with half of it', proxyTuning(0.5), { mode: 'proxy-tuning', alpha: 0.5 }],
  ];
  // The weights of `ensemble` need not sum up to 1 there: the highest score is the same.
  test.each(cases)('%s writes what all spellings together say', { timeout: 120_000 }, async (_, mixing, settings) => {
    let compared = 0;
    for (const asked of [
      { base: 'Name it.', aligned: 'It is.' },
      { base: 'A word!', aligned: 'Words.' },
      { base: 'One other.', aligned: 'Then who?' },
      { base: 'Here, there.', aligned: 'Not now!' },
    ]) {
      const options = { maxTokens: 6, logitBias };
      const slow = await byteReference(tiny, asked, mixing, options);
      const answer = await tiny.generate(asked, { ...settings, ...options, stop: [] });
      expect(slow.stopReason === 'beyond ASCII' ? answer.text.slice(0, slow.text.length) : said(answer)).toEqual(
        slow.stopReason === 'beyond ASCII' ? slow.text : slow,
      );
      compared += slow.text.length;
    }
    expect(compared).toBeGreaterThan(8);
  });

  test('an ensemble in which one model counts is that model, whatever the other one is', async () => {
    const byteAlone = await cross.generate(question, { mode: 'ensemble', weights: { aligned: 1 }, unit: 'byte' });
    for (const settings of [{}, { temperature: 0.9, seed: 7 }]) {
      const one = await cross.generate(question, { mode: 'ensemble', weights: { aligned: 1 }, unit: 'byte', ...settings });
      const two = await cross.generate(question, { mode: 'ensemble', weights: { aligned: 2, twin: 1 }, unit: 'byte', ...settings });
      expect(said(two)).toEqual(said(one));
    }
    expect(byteAlone.text).not.toBe('');
  });

  test('proxy tuning with the aligned model as its own reference is the base', async () => {
    await using own = await Nudging.load({ pair: demo('pair-cross.json'), reference: demo('aligned-cross.gguf') });
    const tuned = await own.generate(raw, { mode: 'proxy-tuning', stop: [], maxTokens: 16 });
    const alone = await own.generate(raw, { mode: 'ensemble', weights: { base: 1 }, unit: 'byte', stop: [], maxTokens: 16 });
    expect(said(tuned)).toEqual(said(alone));
  });

  test('proxy tuning with the base as the reference is the aligned model', async () => {
    const tuned = await cross.generate(raw, { mode: 'proxy-tuning', stop: [], maxTokens: 16 });
    const alone = await cross.generate(raw, { mode: 'ensemble', weights: { aligned: 1 }, unit: 'byte', stop: [], maxTokens: 200 });
    expect(tuned.text.length).toBeGreaterThan(8);
    expect(alone.text.startsWith(tuned.text)).toBe(true);
  });

  test('R47: answers are whole characters, whatever the vocabularies spell them in', async () => {
    const settings = { mode: 'ensemble', maxTokens: 24, temperature: 2, stop: [] } as const;
    for (let seed = 0; seed < 6; ++seed) {
      const { text } = await tiny.generate('naïve 中文 🙂', { ...settings, seed });
      expect(text).not.toContain('�');
      expect(Buffer.from(text).toString()).toBe(text);
    }
  });
});

describe('R43: places are asked together', () => {
  const tuning = { mode: 'proxy-tuning', unit: 'byte', stop: [], maxTokens: 32 } as const;
  const passes = ({ stats }: Answer) => [stats.base, stats.aligned, ...Object.values(stats.others)].map(({ decodes }) => decodes);

  test('so each of three models is asked about once a token', { timeout: 60_000 }, async () => {
    for (const engine of [cross, same]) {
      let tokens = 0;
      let most = 0;
      for (const asked of questions) {
        const answer = await engine.generate(asked, tuning);
        tokens += answer.stats.tokens;
        most += Math.max(...passes(answer));
      }
      // One by one, it would be more than three passes a token.
      expect(most / tokens).toBeLessThan(1.7);
    }
  });

  test('and take no cell that the context itself will need', async () => {
    // llama.cpp makes cells by 256: of a smaller context some are left over, and nothing would show.
    await using full = await Nudging.load({ reference: demo('aligned.gguf'), context: 256, parallel: 1 });
    const words = Array.from({ length: 190 }, (_, at) => ['ship', 'port', 'lamp', 'tree', 'stone'][at % 5]);
    const question = `What is a harbor? ${words.join(' ')}?`;
    for (const mode of ['proxy-tuning', 'ensemble'] as const) {
      const { stopReason } = await full.generate(question, { mode, unit: 'byte', maxTokens: 400, stop: [] });
      expect(stopReason).toBe('context');
    }
  });

  test('and where there is no room for that, the answer is the same', { timeout: 60_000 }, async () => {
    const whole = await cross.generate(raw, { ...tuning, maxTokens: 64 });
    // Filled to its last cell.
    await using full = await Nudging.load({ pair: demo('pair-cross.json'), reference: demo('base.gguf'), context: 40, parallel: 1 });
    await using narrow = await Nudging.load({ pair: demo('pair-cross.json'), reference: demo('base.gguf'), batch: 2, parallel: 1 });
    const cut = await full.generate(raw, { ...tuning, maxTokens: 64 });
    expect(cut.stats.tokens).toBeGreaterThan(16);
    expect(whole.text.startsWith(cut.text)).toBe(true);
    const slow = await narrow.generate(raw, { ...tuning, maxTokens: 64 });
    expect(said(slow)).toEqual(said(whole));
    expect(Math.max(...passes(slow))).toBeGreaterThan(Math.max(...passes(whole)));
  });

  test('nor does it change what a repeated token or a banned one is worth', { timeout: 60_000 }, async () => {
    await using narrow = await Nudging.load({ pair: demo('pair-cross.json'), reference: demo('base.gguf'), batch: 2, parallel: 1 });
    const options = { ...tuning, repeatPenalty: 1.5, logitBias: { ' the': -4, e: 1 } } as const;
    expect(said(await cross.generate(raw, options))).toEqual(said(await narrow.generate(raw, options)));
  });
});

describe('unit', () => {
  test('is tokens where the vocabularies are one, and bytes where they are not', async () => {
    const options = { mode: 'ensemble', maxTokens: 24 } as const;
    expect((await same.generate(question, options)).text).toBe((await same.generate(question, { ...options, unit: 'token' })).text);
    expect((await cross.generate(question, options)).text).toBe((await cross.generate(question, { ...options, unit: 'byte' })).text);
  });

  test.each(['ensemble', 'proxy-tuning'] as const)('token is refused for %s of two vocabularies, with what to do', async (mode) => {
    const refused = cross.generate(question, { mode, unit: 'token' });
    await expect(refused).rejects.toMatchObject({ code: 'ERR_VOCABULARIES_DIFFER' });
    await expect(refused).rejects.toThrow('leave `unit` out');
  });

  test('byte also works where the vocabularies are one', async () => {
    const options = { mode: 'ensemble', maxTokens: 64 } as const;
    const byBytes = await same.generate(question, { ...options, unit: 'byte' });
    expect(byBytes.text).not.toBe('');
    expect(byBytes.stopReason).toBe('end');
  });

  test('is checked', async () => {
    const refused = same.generate(question, { mode: 'ensemble', unit: 'word' as never });
    await expect(refused).rejects.toMatchObject({ code: 'ERR_INVALID_OPTION', option: 'unit' });
  });
});

describe.each([{ mode: 'ensemble' }, { mode: 'proxy-tuning' }] as const)('$mode byte by byte', ({ mode }) => {
  test('gives the same text alone, beside others and streamed, greedy and sampled', { timeout: 60_000 }, async () => {
    for (const settings of [{}, { temperature: 1, seed: 11 }, { temperature: 1.2, topP: 0.9, seed: 11 }]) {
      const options = { mode, maxTokens: 10, ...settings };
      const alone: Answer[] = [];
      for (const asked of questions) alone.push(await cross.generate(asked, options));
      const others = questions.map((asked, i) => cross.generate(asked, { maxTokens: 16, mode: i % 2 ? 'nudge' : 'base' }));
      const together = await Promise.all(questions.map((asked) => cross.generate(asked, options)));
      await Promise.all(others);
      expect(together.map(said)).toEqual(alone.map(said));
      const stream = cross.stream(question, options);
      let text = '';
      for await (const piece of stream) {
        expect(piece.source).toBe('mix');
        expect([...piece.text]).toHaveLength(1);
        text += piece.text;
      }
      expect(text).toBe((await stream.answer).text);
    }
  });

  test('obeys the budget, stop strings and an abort', async () => {
    // A long answer.
    const settings = { temperature: 1, seed: 4, logitBias: { '.': -8 } } as const;
    const long = await cross.generate(question, { mode, maxTokens: 24, stop: [], ...settings });
    const cut = await cross.generate(question, { mode, maxTokens: 3, stop: [], ...settings });
    expect([cut.stopReason, cut.stats.tokens]).toEqual(['length', 3]);
    expect(long.text.startsWith(cut.text)).toBe(true);
    const stop = long.text.slice(6, 9);
    const stopped = await cross.generate(question, { mode, maxTokens: 24, stop, ...settings });
    expect(stopped).toMatchObject({ stopReason: 'stop', text: long.text.slice(0, long.text.indexOf(stop)) });
    const controller = new AbortController();
    const stream = cross.stream(question, { mode, maxTokens: 500, stop: [], signal: controller.signal });
    for await (const _ of stream) controller.abort();
    expect((await stream.answer).stopReason).toBe('aborted');
  });

  test('leaves its place while its reader is behind, and goes on as if it had not', { timeout: 60_000 }, async () => {
    await using one = await Nudging.load({ pair: demo('pair-cross.json'), reference: demo('base.gguf'), parallel: 1 });
    const options = { mode, maxTokens: 24, stop: [], highWaterMark: 1 } as const;
    const whole = await one.generate(question, options);
    const stream = one.stream(question, options);
    let text = '';
    let turn = 0;
    for await (const piece of stream) {
      text += piece.text;
      if (turn++ % 8 === 0) await one.generate(questions[turn % questions.length] as string, { maxTokens: 2 });
    }
    expect(text).toBe(whole.text);
  });

  test('goes on where a prompt ends in the middle of a word', async () => {
    const options = { mode, maxTokens: 4, stop: [] } as const;
    const { text } = await cross.generate({ base: 'A harb', aligned: 'A harb' }, options);
    expect(text).not.toBe('');
  });
});
