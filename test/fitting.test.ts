import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { oldTurns, without } from '../lib/turns.ts';
import { Nudging, type ChatMessage, type GenerateOptions, type LaneName } from '../lib/index.ts';

const user = (content: string): ChatMessage => ({ role: 'user', content });
const assistant = (content: string): ChatMessage => ({ role: 'assistant', content });
const system = (content: string): ChatMessage => ({ role: 'system', content });

describe('turns', () => {
  test('begin with the user, hold no system message, and the last one stays', () => {
    const messages = [system('s'), user('a'), assistant('b'), user('c'), system('t'), assistant('d'), user('e')];
    expect(oldTurns(messages)).toEqual([
      [1, 2],
      [3, 5],
    ]);
    expect(oldTurns([user('a')])).toEqual([]);
    expect(oldTurns([assistant('x'), user('a'), user('b'), assistant('c'), assistant('d'), user('e')])).toEqual([[0], [1], [2, 3, 4]]);
    const chat = { kind: 'chat', messages, prefill: 'p' } as const;
    expect(without({ ...chat, messages: [...messages] }, oldTurns(messages).slice(0, 1))).toEqual({
      ...chat,
      messages: [system('s'), ...messages.slice(3)],
    });
  });
});

describe.each([false, true])('a chat that is too long, isolate: %s', (isolate) => {
  const context = 256;
  const options = { fit: 'oldest-first', maxTokens: 40 } as const satisfies GenerateOptions;
  let engine: Nudging;
  beforeAll(async () => {
    engine = await Nudging.load({ isolate, context });
  });
  afterAll(() => engine.close());

  const long = (turns: number) => [
    system('Answer in one sentence.'),
    ...Array.from({ length: turns }, (_, turn) => [
      user(`Question ${turn}: what is a harbor?`),
      assistant('A sheltered port where ships can be safe.'.repeat(1 + (turn % 3))),
    ]).flat(),
    user('What is a harbor?'),
  ];
  const needed = async (messages: ChatMessage[], lanes: LaneName[] = ['base', 'aligned']) =>
    options.maxTokens + Math.max(...(await Promise.all(lanes.map((lane) => engine.countTokens(messages, { lane })))));

  test('leaves room for what a guard asks behind the answer', async () => {
    const asked = { ...options, mode: 'aligned', stop: [] } as const;
    const guard = { every: 8, tokens: 12, phrases: ['no such words'] };
    const padded = (words: number) => [...long(2).slice(0, -1), user(`What is a harbor?${' Say it.'.repeat(words)}`)];
    let words = 0;
    while ((await needed(padded(words + 1), ['aligned'])) <= context) words += 1;
    const whole = await engine.generate(padded(words), asked);
    expect(whole).toMatchObject({ droppedMessages: 0 });
    const guarded = await engine.generate(padded(words), { ...asked, guard });
    expect(guarded.droppedMessages).toBeGreaterThan(0);
    expect(guarded.stopReason).not.toBe('context');
    expect(guarded.stats.guard?.checks).toBeGreaterThan(2);
    // Nothing is left that could be left out.
    await expect(engine.generate(padded(words).slice(-1), { ...asked, maxTokens: context - 60, guard })).rejects.toMatchObject({
      code: 'ERR_PROMPT_TOO_LONG',
      message: expect.stringMatching(/`maxTokens` asks for 196, the guard for \d+, and the context holds 256/),
    });
  });

  test.each([1, 2, 7, 30, 100])('loses the fewest of its oldest turns: %i turns', async (turns) => {
    const messages = long(turns);
    const answer = await engine.generate(messages, options);
    const dropped = answer.droppedMessages as number;
    expect(dropped % 2).toBe(0);
    const shorter = (count: number) => [messages[0] as ChatMessage, ...messages.slice(1 + count)];
    expect(await needed(shorter(dropped))).toBeLessThanOrEqual(context);
    if (dropped > 0) expect(await needed(shorter(dropped - 2))).toBeGreaterThan(context);
    const { text, stats } = await engine.generate(shorter(dropped), { maxTokens: options.maxTokens });
    expect(answer.text).toBe(text);
    expect([answer.stats.base.promptTokens, answer.stats.aligned.promptTokens]).toEqual([
      stats.base.promptTokens,
      stats.aligned.promptTokens,
    ]);
    expect(turns > 7 ? dropped > 0 : true).toBe(true);
  });

  test('what fits loses nothing, and without the option nothing is said of it', async () => {
    expect(await engine.generate('What is a harbor?', options)).toMatchObject({ droppedMessages: 0, stopReason: 'end' });
    expect(await engine.generate('What is a harbor?')).not.toHaveProperty('droppedMessages');
    await expect(engine.generate(long(100))).rejects.toMatchObject({ code: 'ERR_PROMPT_TOO_LONG' });
  });

  test('a stream, with prefill, thinking and one model alone', async () => {
    const stream = engine.stream({ messages: long(30), prefill: 'A harbor is' }, { ...options, mode: 'base', thinking: true, stop: [] });
    let text = '';
    for await (const piece of stream) text += piece.text;
    const answer = await stream.answer;
    expect(answer.text).toBe(text);
    expect(answer.thinking).toBe('');
    expect(answer.droppedMessages).toBeGreaterThan(0);
  });

  test('a function that makes the base prompt sees what is left', async () => {
    const seen: number[] = [];
    const answer = await engine.generate(long(50), {
      ...options,
      basePrompt: ({ messages }) => {
        seen.push(messages.length);
        return messages.map(({ content }) => content).join('\n');
      },
    });
    expect(seen.at(-1)).toBe(101 - (answer.droppedMessages as number));
    // The whole, a count for each halving, the result.
    expect(seen.length).toBeLessThanOrEqual(2 + Math.ceil(Math.log2(50)));
    const thrown = new Error('no');
    let calls = 0;
    const fails = engine.generate(long(50), {
      ...options,
      basePrompt: ({ messages }) => {
        calls += 1;
        if (calls === 3) throw thrown;
        return messages.map(({ content }) => content).join('\n');
      },
    });
    await expect(fails).rejects.toBe(thrown);
  });

  test('the last turn alone may be too long, and maxTokens too many', async () => {
    const lengthy = [...long(3), assistant('b'), user('what is a harbor? '.repeat(100))];
    const refused = { name: 'NudgingError', code: 'ERR_PROMPT_TOO_LONG' };
    await expect(engine.generate(lengthy, options)).rejects.toMatchObject({
      ...refused,
      message: expect.stringMatching(/context holds 256.*without the 8 oldest messages/),
    });
    await expect(engine.generate('What is a harbor?', { ...options, maxTokens: 256 })).rejects.toMatchObject({
      ...refused,
      message: expect.stringContaining('`maxTokens` asks for 256'),
    });
    await expect(engine.generate({ base: 'x '.repeat(230), aligned: 'x' }, options)).rejects.toMatchObject(refused);
  });

  test('every request comes to its end: aborted, out of time, closed', async () => {
    const controller = new AbortController();
    const aborted = engine.generate(long(2000), { ...options, signal: controller.signal });
    setImmediate(() => controller.abort());
    expect(await aborted).toMatchObject({ stopReason: 'aborted', text: '' });
    expect(await engine.generate(long(2000), { ...options, timeout: 1 })).toMatchObject({ stopReason: 'timeout', text: '' });
    const other = await Nudging.load({ isolate, context });
    const answers = [other.generate(long(300), options), other.generate(long(3), options)];
    const closed = other.close();
    for (const answer of answers) expect(await answer).toMatchObject({ stopReason: 'end' });
    await closed;
  });
});
