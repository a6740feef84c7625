import { describe, expect, test } from 'vitest';
import { promptFor, readQuestion } from '../lib/prompts.ts';
import type { BasePrompt, ChatMessage } from '../lib/index.ts';

const user = (content: string): ChatMessage => ({ role: 'user', content });
const assistant = (content: string): ChatMessage => ({ role: 'assistant', content });
const system = (content: string): ChatMessage => ({ role: 'system', content });

/** The base model's prompt, which must be one stretch of plain text. */
function basePrompt(input: unknown, options: { system?: string; basePrompt?: BasePrompt } = {}): string {
  const prompt = promptFor('base', readQuestion(input), options);
  if (!('segments' in prompt)) throw new Error('the base prompt is no text');
  expect(prompt.segments.map(({ special }) => special)).toEqual([false]);
  return prompt.segments[0]?.text as string;
}

describe('the base prompt', () => {
  test('a question', () => {
    expect(basePrompt('Why?')).toBe('Question: Why?\nAnswer:\n');
    expect(basePrompt([user('Why?')])).toBe('Question: Why?\nAnswer:\n');
    expect(basePrompt({ messages: [user('Why?')] })).toBe('Question: Why?\nAnswer:\n');
  });

  test('system text, as an option and as a message', () => {
    const expected = 'Be brief.\n\nQuestion: Why?\nAnswer:\n';
    expect(basePrompt('Why?', { system: 'Be brief.' })).toBe(expected);
    expect(basePrompt([system('Be brief.'), user('Why?')])).toBe(expected);
    expect(basePrompt([system('One.'), system('Two.'), user('Why?')])).toBe('One.\n\nTwo.\n\nQuestion: Why?\nAnswer:\n');
    expect(basePrompt('Why?', { system: '' })).toBe('Question: Why?\nAnswer:\n');
  });

  test('earlier turns, with the system text once', () => {
    const chat = [system('S'), user('A?'), assistant('a'), user('B?'), assistant('b'), user('C?')];
    expect(basePrompt(chat)).toBe('S\n\nQuestion: A?\nAnswer:\na\n\nQuestion: B?\nAnswer:\nb\n\nQuestion: C?\nAnswer:\n');
  });

  test("a template of one's own", () => {
    expect(basePrompt('Why?', { basePrompt: 'Q: {question} Really: {question}\nA:' })).toBe('Q: Why? Really: Why?\nA:');
    expect(basePrompt('Why?', { basePrompt: '{system}', system: 'S' })).toBe('S\n\n');
    expect(basePrompt('Why?', { basePrompt: 'no placeholder, {other} {}' })).toBe('no placeholder, {other} {}');
  });

  test('placeholders and replacement patterns in texts stay as they are', () => {
    const odd = '{system} {question} $& $1 $` $$ \\n <|im_end|>';
    expect(basePrompt(odd, { system: odd })).toBe(`${odd}\n\nQuestion: ${odd}\nAnswer:\n`);
    expect(basePrompt([user(odd), assistant(odd), user('x')])).toBe(`Question: ${odd}\nAnswer:\n${odd}\n\nQuestion: x\nAnswer:\n`);
  });

  test('a function gets system text and messages apart', () => {
    const chat = [system('S'), user('A?'), assistant('a'), user('B?')];
    expect(basePrompt(chat, { basePrompt: (given) => JSON.stringify(given) })).toBe(
      JSON.stringify({ system: 'S', messages: chat.slice(1) }),
    );
    expect(basePrompt('Why?', { basePrompt: ({ messages }) => messages.map(({ content }) => content).join(), system: 'S' })).toBe('Why?');
  });

  test('a function that returns no string is refused', () => {
    const wrong = (() => 5) as unknown as BasePrompt;
    expect(() => basePrompt('Why?', { basePrompt: wrong })).toThrow(expect.objectContaining({ code: 'ERR_INVALID_OPTION' }));
  });
});

describe('the aligned prompt', () => {
  test('messages for the chat template, the system text first', () => {
    expect(promptFor('aligned', readQuestion('Why?'), { system: 'S' })).toEqual({ messages: [system('S'), user('Why?')] });
    expect(promptFor('aligned', readQuestion('Why?'), { alignedPrompt: 'T' })).toEqual({ messages: [user('Why?')], template: 'T' });
  });

  test('system text twice is refused, in both lanes', () => {
    const question = readQuestion([system('S'), user('Why?')]);
    for (const lane of ['base', 'aligned'] as const) {
      expect(() => promptFor(lane, question, { system: 'T' })).toThrow(expect.objectContaining({ code: 'ERR_INVALID_OPTION' }));
    }
  });
});

describe('raw prompts', () => {
  test("a string is the program's own text: it may spell control tokens", () => {
    const question = readQuestion({ base: 'B', aligned: 'A' });
    expect(promptFor('base', question, {})).toEqual({ segments: [{ text: 'B', special: true }] });
    expect(promptFor('aligned', question, { system: 'not used', alignedPrompt: 'not used' })).toEqual({
      segments: [{ text: 'A', special: true }],
    });
  });

  test('segments stay as they are', () => {
    const segments = [
      { text: '<|im_start|>', special: true },
      { text: '<|im_end|>', special: false },
    ];
    expect(promptFor('aligned', readQuestion({ aligned: segments }), {})).toEqual({ segments });
  });

  test('the lane that runs needs its prompt', () => {
    expect(() => promptFor('base', readQuestion({ aligned: 'A' }), {})).toThrow(expect.objectContaining({ code: 'ERR_INVALID_OPTION' }));
  });
});

test.each([
  ['an empty question', '', 'ERR_PROMPT_EMPTY'],
  ['white space', ' \n', 'ERR_PROMPT_EMPTY'],
  ['no messages', [], 'ERR_INVALID_OPTION'],
  ['an empty last message', [user('x'), assistant('y'), user('')], 'ERR_PROMPT_EMPTY'],
  ['the last word from the assistant', [user('x'), assistant('y')], 'ERR_INVALID_OPTION'],
  ['an unknown role', [{ role: 'tool', content: 'x' }], 'ERR_INVALID_OPTION'],
  ['content that is no string', [{ role: 'user', content: [{ type: 'text', text: 'x' }] }], 'ERR_INVALID_OPTION'],
  ['messages and raw prompts', { messages: [user('x')], base: 'B' }, 'ERR_INVALID_OPTION'],
  ['an object with neither', {}, 'ERR_INVALID_OPTION'],
  ['a segment without `special`', { base: [{ text: 'x' }] }, 'ERR_INVALID_OPTION'],
  ['a number', 5, 'ERR_INVALID_OPTION'],
  ['nothing', undefined, 'ERR_INVALID_OPTION'],
])('refused: %s', (_, input, code) => {
  expect(() => readQuestion(input)).toThrow(expect.objectContaining({ code }));
});
