import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Nudging } from '../lib/index.ts';
import { compare } from './support/compare.ts';
import { spread } from './support/questions.ts';
import { reference } from './support/reference.ts';
import { replay } from './support/replay.ts';

const question = 'What is a harbor?';
const questions = spread(3).map((row) => row.question);
const demo = (name: string) => fileURLToPath(new URL(`../models/demo/${name}`, import.meta.url));

describe.each(['pair.json', 'pair-cross.json'])('models/demo/%s', (manifest) => {
  let engine: Nudging;
  beforeAll(async () => {
    engine = await Nudging.load(demo(manifest));
  });
  afterAll(() => engine.close());

  test.each([1, 2, 3, 7, 30])("R25: the stateless reference's rounds with a lead of %i", { timeout: 120_000 }, async (lead) => {
    for (const [index, asked] of questions.entries()) {
      const way = { gamma: 0.4, lookahead: 8, maxTokens: index % 2 === 0 ? 24 : 5, lead };
      expect(await compare(engine, asked, way)).toMatchObject({ result: 'exact' });
    }
    const unsure = { gamma: 0.9, lookahead: 1, maxTokens: 12, lead, endRule: 'base' as const, stop: [] };
    expect(await compare(engine, question, unsure)).toMatchObject({ result: 'exact' });
  });

  test('speculation leaves the answer as it is, alone and in company', async () => {
    const answers = async (speculation: boolean | number) => {
      const all = await Promise.all(questions.map((asked) => engine.generate(asked, { lead: 3, speculation, maxTokens: 40 })));
      return all.map(({ text, rounds }) => ({ text, rounds }));
    };
    expect(await answers(true)).toEqual(await answers(false));
    expect(await answers(5)).toEqual(await answers(false));
  });
});

describe('with the demo pair', () => {
  let engine: Nudging;
  beforeAll(async () => {
    engine = await Nudging.load();
  });
  afterAll(() => engine.close());

  test('no pass of the base is spent on it, and the trace says what it is', async () => {
    const answer = await engine.generate(question, { lead: 4, maxTokens: 4, trace: 'full' });
    expect(answer).toMatchObject({ stopReason: 'length', stats: { baseTokens: 0, tokens: 4 } });
    expect(answer.stats.base).toMatchObject({ decodes: 0, questions: 0 });
    expect(answer.rounds).toEqual([{ words: answer.text, base: '', by: 'lead' }]);
    expect(new Set(answer.decisions?.map(({ kind }) => kind))).toEqual(new Set(['lead']));
    expect(answer.pieces.every(({ source, topProbability }) => source === 'nudge' && topProbability === undefined)).toBe(true);
    expect(answer.text).toBe((await engine.generate(question, { mode: 'aligned', maxTokens: 4 })).text);
  });

  test('every decision is confirmed by the models, asked from nothing', async () => {
    const answer = await engine.generate(question, { lead: 5, maxTokens: 40, trace: 'full' });
    const { decisions, wrong } = await replay(engine, question, answer);
    expect(wrong).toEqual([]);
    expect(decisions).toBe(answer.decisions?.length);
  });

  test('behind a prefill it is the first tokens there', async () => {
    const input = { messages: [{ role: 'user' as const, content: question }], prefill: 'A harbor is' };
    const options = { gamma: 0.4, lookahead: 16, maxTokens: 16, lead: 2 };
    const { text, rounds } = await engine.generate(input, options);
    expect(rounds[0]).toMatchObject({ by: 'lead', base: '' });
    expect(rounds[0]?.words).not.toBe('');
    expect({ text, rounds }).toMatchObject(
      await reference(engine, input, options).then((slow) => ({ text: slow.text, rounds: slow.rounds })),
    );
  });

  test('streams token by token, and ends at a stop string in it', async () => {
    const stream = engine.stream(question, { lead: 6, maxTokens: 20 });
    const pieces: string[] = [];
    for await (const { text } of stream) pieces.push(text);
    const { text, rounds } = await stream.answer;
    expect(pieces.join('')).toBe(text);
    expect(pieces[0]?.length).toBeLessThan((rounds[0]?.words ?? '').length);
    const word = text.split(' ')[1] as string;
    const stopped = await engine.generate(question, { lead: 6, stop: word });
    expect(stopped).toMatchObject({ stopReason: 'stop', text: text.slice(0, text.indexOf(word)) });
  });

  test.each([-1, 1.5, '8'])('lead: %j must be an integer', async (lead) => {
    await expect(engine.generate(question, { lead: lead as number })).rejects.toMatchObject({ code: 'ERR_INVALID_OPTION', option: 'lead' });
  });
});
