import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { promptFor, readQuestion } from '../lib/prompts.ts';
import { Nudging, type ChatMessage, type GenerateOptions, type Input, type LaneName } from '../lib/index.ts';
import { reference } from './support/reference.ts';
import { replay } from './support/replay.ts';

const question = 'What is a harbor?';
const user = (content: string): ChatMessage => ({ role: 'user', content });
const assistant = (content: string): ChatMessage => ({ role: 'assistant', content });

describe('what counts as one', () => {
  const prefillOf = (input: unknown, prefill?: boolean | string) => readQuestion(input, prefill);

  test("the last message, if it is asked for and the assistant's", () => {
    expect(prefillOf([user('a'), assistant('b')], true)).toEqual({ kind: 'chat', messages: [user('a')], prefill: 'b' });
    expect(prefillOf([user('a')], true)).toEqual({ kind: 'chat', messages: [user('a')] });
    expect(prefillOf('a', true)).toEqual({ kind: 'chat', messages: [user('a')] });
  });

  test('a text, for questions as well', () => {
    expect(prefillOf('a', 'b')).toEqual({ kind: 'chat', messages: [user('a')], prefill: 'b' });
    expect(prefillOf({ messages: [user('a'), assistant('x'), user('c')] }, 'b')).toEqual({
      kind: 'chat',
      messages: [user('a'), assistant('x'), user('c')],
      prefill: 'b',
    });
  });

  test.each<[string, unknown, boolean | string, string, string]>([
    ['not asked for', [user('a'), assistant('b')], false, 'messages', '`prefill: true`'],
    ['a text and a last message', [user('a'), assistant('b')], 'c', 'messages', 'the last is from the user'],
    ['two messages of the assistant', [user('a'), assistant('b'), assistant('c')], true, 'messages', 'the last is from the user'],
    ['nobody asked', [assistant('b')], true, 'messages', 'the last is from the user'],
    ['an empty one', [user('a'), assistant('')], true, 'messages', 'some content'],
    ['raw prompts', { base: 'a', aligned: 'b' }, 'c', 'prefill', 'at their ends'],
  ])('refused: %s', (_, input, prefill, option, message) => {
    expect(() => prefillOf(input, prefill)).toThrow(
      expect.objectContaining({ code: 'ERR_INVALID_OPTION', option, message: expect.stringContaining(message) }),
    );
  });

  test('it stands behind both prompts as plain text, and no template sees it', () => {
    const chat = readQuestion([user('Why?'), assistant('<|im_end|>')], true);
    expect(promptFor('base', chat, {})).toEqual({
      segments: [{ text: 'Question: Why?\nAnswer:\n', special: false }],
      prefill: '<|im_end|>',
    });
    expect(promptFor('aligned', chat, {})).toEqual({ messages: [user('Why?')], prefill: '<|im_end|>' });
    expect(promptFor('base', chat, { basePrompt: ({ messages }) => JSON.stringify(messages) })).toMatchObject({
      segments: [{ text: JSON.stringify([user('Why?')]) }],
    });
  });
});

describe.each([false, true])('an answer that goes on, isolate: %s', (isolate) => {
  let engine: Nudging;
  beforeAll(async () => {
    engine = await Nudging.load({ isolate });
  });
  afterAll(() => engine.close());

  const context = async (lane: LaneName, input: Input, text = '') => (await engine.inspect({ lane, input, text })).context;

  test.each(['A harbor is a', ' A har', 'A harbor is a sheltered ', '<|im_end|>\n<|im_start|>user\n', '\n\n  x'])(
    'R2: both models see prompt and %j as one text',
    async (prefill) => {
      for (const lane of ['base', 'aligned'] as const) {
        const seen = await context(lane, { messages: [user(question), assistant(prefill)], prefill: true });
        expect(seen).toEqual(await context(lane, question, prefill));
        expect(seen).toEqual(await context(lane, { messages: [user(question)], prefill }));
      }
    },
  );

  test('the whole answer is that of the rules, and its replay confirms each decision', async () => {
    for (const prefill of ['A harbor is', 'A port. A har', 'Well, ']) {
      const input = { messages: [user(question), assistant(prefill)], prefill: true };
      const options = { gamma: 0.4, lookahead: 16, maxTokens: 24 } as const;
      const answer = await engine.generate(input, { ...options, trace: 'full' });
      const { text, rounds, stopReason } = await reference(engine, input, options);
      expect({ text: answer.text, rounds: answer.rounds, stopReason: answer.stopReason }).toEqual({ text, rounds, stopReason });
      expect((await replay(engine, input, answer, options)).wrong).toEqual([]);
    }
  });

  test('begins behind it, and goes on with the answer that it cut', async () => {
    const whole = await engine.generate(question);
    // The last one ends in the middle of a word.
    for (const beginning of ['A harbor is', 'A harbor is a sheltered port where shi']) {
      expect(whole.text.startsWith(beginning)).toBe(true);
      const { text } = await engine.generate(question, { prefill: beginning });
      expect(beginning + text).toBe(whole.text);
    }
  });

  test("with one model alone, and with the engine's own", async () => {
    for (const mode of ['base', 'aligned'] as const) {
      const options: GenerateOptions = { mode, maxTokens: 4, stop: [] };
      const input = { messages: [user(question)], prefill: 'A harbor is a sheltered' };
      expect((await engine.generate(input, options)).stats[mode].promptTokens).toBe((await context(mode, input)).length);
    }
    await using other = await Nudging.load({ prefill: 'A harbor is a sheltered' });
    expect((await other.generate(question)).text).toBe((await engine.generate(question, { prefill: 'A harbor is a sheltered' })).text);
    expect((await other.generate(question, { prefill: false })).text).toBe((await engine.generate(question)).text);
  });

  test('a wrong one is refused', async () => {
    await expect(engine.generate(question, { prefill: '' })).rejects.toMatchObject({ code: 'ERR_INVALID_OPTION', option: 'prefill' });
    await expect(engine.generate([user(question), assistant('A')])).rejects.toMatchObject({
      code: 'ERR_INVALID_OPTION',
      option: 'messages',
    });
  });
});
