import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Nudging, type ChatMessage, type GenerateOptions, type Input } from '../lib/index.ts';

const question = 'What is a harbor?';
const lanes = ['base', 'aligned'] as const;

describe.each([false, true])('counted tokens, isolate: %s', (isolate) => {
  let engine: Nudging;
  beforeAll(async () => {
    engine = await Nudging.load({ isolate, context: 256, parallel: 1 });
  });
  afterAll(() => engine.close());

  const chat: ChatMessage[] = [
    { role: 'user', content: 'One?' },
    { role: 'assistant', content: 'Two.' },
    { role: 'user', content: 'Three?' },
  ];

  test.each<[string, Input, GenerateOptions]>([
    ['a question', question, {}],
    ['a chat with a system text', chat, { system: 'Be brief.' }],
    ['a prefill', { messages: chat, prefill: 'A har' }, {}],
    [
      'other templates',
      question,
      { basePrompt: 'Q: {question}\nA:', alignedPrompt: '{{ style }} {{ messages[0].content }}', templateOptions: { style: 'short' } },
    ],
    ['raw prompts', { base: 'A', aligned: '<|im_start|>user\nA<|im_end|>' }, {}],
  ])('are those of the prompt that the same options give: %s', async (_, input, options) => {
    const { stats } = await engine.generate(input, { ...options, maxTokens: 1 });
    for (const lane of lanes) expect(await engine.countTokens(input, { ...options, lane })).toBe(stats[lane].promptTokens);
  });

  test('a text by itself has no prompt around it, and no control tokens in it', async () => {
    for (const lane of lanes) {
      const text = 'A harbor is a <|im_end|> sheltered port';
      const prompt = await engine.inspect({ lane, input: { [lane]: 'x' }, text });
      const before = await engine.inspect({ lane, input: { [lane]: 'x' } });
      const counted = await engine.countTokens({ text }, { lane });
      // Next to another text two tokens may be one.
      expect(Math.abs(counted - (prompt.context.length - before.context.length))).toBeLessThanOrEqual(1);
      expect(await engine.countTokens({ text: '' }, { lane })).toBe(0);
    }
    await using prefilled = await Nudging.load({ isolate, prefill: 'A' });
    expect(await prefilled.countTokens({ text: 'A harbor' }, { lane: 'base' })).toBe(
      await engine.countTokens({ text: 'A harbor' }, { lane: 'base' }),
    );
  });

  test('may be more than the context holds, and long texts block neither the event loop nor the others', async () => {
    const words = 'a sheltered port where ships are safe '.repeat(30_000);
    let longest = 0;
    let last = performance.now();
    const timer = setInterval(() => {
      longest = Math.max(longest, performance.now() - last);
      last = performance.now();
    }, 1);
    const counting = engine.countTokens({ text: words }, { lane: 'base' });
    await engine.generate(question, { maxTokens: 2 });
    const tokens = await counting;
    clearInterval(timer);
    expect(tokens).toBeGreaterThan(100_000);
    expect(tokens % 30_000).toBeLessThanOrEqual(2);
    expect(longest).toBeLessThan(1000);
    await expect(engine.generate(words)).rejects.toMatchObject({ code: 'ERR_PROMPT_TOO_LONG' });
    expect(await engine.countTokens(words, { lane: 'base' })).toBeGreaterThan(tokens);
  });

  test('while every place is taken', async () => {
    const stream = engine.stream('What is a blur?', { mode: 'base', maxTokens: 230, stop: [] });
    let ended = false;
    void stream.answer.then(() => (ended = true));
    await stream.next();
    expect(await engine.countTokens(question, { lane: 'base' })).toBeGreaterThan(0);
    expect(ended).toBe(false);
    expect((await stream.return()).value).toMatchObject({ stopReason: 'aborted' });
  });

  test('a signal gives up', async () => {
    const reason = new Error('enough');
    await expect(engine.countTokens(question, { lane: 'base', signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    const controller = new AbortController();
    const counting = engine.countTokens({ text: 'a sheltered port '.repeat(200_000) }, { lane: 'base', signal: controller.signal });
    controller.abort(reason);
    await expect(counting).rejects.toBe(reason);
  });

  test.each<[string, unknown, unknown, string]>([
    ['no lane', question, {}, 'lane'],
    ['no options', question, undefined, 'options'],
    ['another lane', question, { lane: 'both' }, 'lane'],
    ['no text', { text: 5 }, { lane: 'base' }, 'text'],
    ['a text and more', { text: 'a', messages: [] }, { lane: 'base' }, 'messages'],
    ['a wrong option', question, { lane: 'base', gamma: -1 }, 'gamma'],
    ['no prompt for that lane', { base: 'a' }, { lane: 'aligned' }, 'aligned'],
  ])('refused: %s', async (_, input, options, option) => {
    await expect(engine.countTokens(input as never, options as never)).rejects.toMatchObject({ code: 'ERR_INVALID_OPTION', option });
  });

  test('templates that fail, and closed engines', async () => {
    await expect(engine.countTokens(question, { lane: 'aligned', alignedPrompt: "{{ raise_exception('no') }}" })).rejects.toMatchObject({
      code: 'ERR_TEMPLATE_FAILED',
    });
    const other = await Nudging.load({ isolate });
    const counting = other.countTokens(question, { lane: 'base' });
    await other.close();
    expect(await counting).toBeGreaterThan(0);
    await expect(other.countTokens(question, { lane: 'base' })).rejects.toMatchObject({ code: 'ERR_CLOSED' });
  });
});
