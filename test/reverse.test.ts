import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Nudging, type GenerateOptions } from '../lib/index.ts';
import { compare } from './support/compare.ts';
import { spread } from './support/questions.ts';
import { replay } from './support/replay.ts';

const question = 'What is a harbor?';
const questions = spread(3).map((row) => row.question);
const demo = (name: string) => fileURLToPath(new URL(`../models/demo/${name}`, import.meta.url));

const ways = [
  { gamma: 0.4 },
  { gamma: 0.9, punctuation: 'any' },
  { gamma: 0.8, temperature: 1, seed: 3 },
  { gamma: 1.5, lead: 2 },
  { gamma: 1.5, lookahead: 1, temperature: 0.7, seed: 5, punctuation: 'any' },
] as const;

describe.each(['pair.json', 'pair-cross.json'])('models/demo/%s', (manifest) => {
  let engine: Nudging;
  beforeAll(async () => {
    engine = await Nudging.load(demo(manifest));
  });
  afterAll(() => engine.close());

  test.each(ways)("R26 to R30: the stateless reference's rounds: %j", { timeout: 120_000 }, async (way) => {
    for (const [index, asked] of [...questions, 'naïve 中文 🙂 question'].entries()) {
      const options = { mode: 'reverse', lookahead: 16, maxTokens: index === 0 ? 7 : 24, ...way } as const;
      expect(await compare(engine, asked, options)).toMatchObject({ result: 'exact' });
    }
  });

  test.each(ways)('the answer is the same alone, in company, and whatever is said of speculation: %j', async (way) => {
    const options: GenerateOptions = { mode: 'reverse', maxTokens: 30, seed: 1, ...way };
    const alone: object[] = [];
    for (const asked of questions) alone.push(seen(await engine.generate(asked, options)));
    for (const speculation of [true, false, 5]) {
      const together = await Promise.all(questions.map((asked) => engine.generate(asked, { ...options, speculation })));
      expect(together.map(seen)).toEqual(alone);
    }
  });
});

const seen = ({ text, rounds, stopReason }: Awaited<ReturnType<Nudging['generate']>>) => ({ text, rounds, stopReason });

describe('with the demo pair', () => {
  let engine: Nudging;
  beforeAll(async () => {
    engine = await Nudging.load();
  });
  afterAll(() => engine.close());

  test('at γ = 0 it is the aligned model alone, and above 1 the base has its words in it', async () => {
    const aligned = await engine.generate(question, { mode: 'aligned', maxTokens: 30 });
    const none = await engine.generate(question, { mode: 'reverse', gamma: 0, maxTokens: 30 });
    expect(none.text).toBe(aligned.text);
    expect(none).toMatchObject({ stopReason: aligned.stopReason, stats: { nudgeRatio: 1, base: { decodes: 0 } } });
    const all = await engine.generate(question, { mode: 'reverse', gamma: 2, maxTokens: 30 });
    expect(all.stats.baseTokens).toBeGreaterThan(5);
    expect(all.rounds.every(({ by, base }) => (by === 'unsure') === (base !== ''))).toBe(true);
    for (const { text } of all.pieces.filter(({ source }) => source === 'base')) expect(text).not.toMatch(/^ ?[.,\n]/);
  });

  test('every decision is confirmed by the models, asked from nothing', { timeout: 60_000 }, async () => {
    for (const way of ways) {
      const options: GenerateOptions = { mode: 'reverse', maxTokens: 24, ...way };
      const answer = await engine.generate(question, { ...options, trace: 'full' });
      const { decisions, wrong } = await replay(engine, question, answer, options);
      expect(wrong).toEqual([]);
      expect(decisions).toBe(answer.decisions?.length);
    }
  });

  test('streams, stops at a stop string, and counts', async () => {
    const options: GenerateOptions = { mode: 'reverse', gamma: 0.9, maxTokens: 40 };
    const stream = engine.stream(question, options);
    let text = '';
    for await (const piece of stream) text += piece.text;
    const whole = await stream.answer;
    expect(text).toBe(whole.text);
    const { tokens, baseTokens, nudgedTokens } = whole.stats;
    expect(baseTokens + nudgedTokens).toBe(tokens);
    const word = text.split(' ')[2] as string;
    expect(await engine.generate(question, { ...options, stop: word })).toMatchObject({
      stopReason: 'stop',
      text: text.slice(0, text.indexOf(word)),
    });
  });

  test('chats that grow and raw prompts need both prompts', async () => {
    await expect(engine.generate({ base: 'x' }, { mode: 'reverse' })).rejects.toMatchObject({ option: 'aligned' });
    const chat = [{ role: 'user' as const, content: question }];
    expect((await engine.generate({ messages: chat, fit: 'oldest-first' }, { mode: 'reverse', maxTokens: 8 })).droppedMessages).toBe(0);
  });

  test('punctuation is whose it may be', async () => {
    await expect(engine.generate(question, { punctuation: 'base' as never })).rejects.toMatchObject({
      code: 'ERR_INVALID_OPTION',
      option: 'punctuation',
    });
  });
});
