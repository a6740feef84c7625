import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ThinkingSplitter, usualMarks, type ThinkingState } from '../lib/thinking.ts';
import { Nudging, type Answer, type GenerateOptions, type Piece } from '../lib/index.ts';

const text = (pieces: readonly Piece[], thinking: boolean) =>
  pieces
    .filter((piece) => (piece.thinking === true) === thinking)
    .map((piece) => piece.text)
    .join('');

/** What a splitter makes of pieces: thinking and answer. */
function split(pieces: readonly string[], state: ThinkingState = 'undecided', marks = usualMarks): [string, string] {
  const splitter = new ThinkingSplitter(marks);
  splitter.begin(state);
  const told = [...pieces.flatMap((piece) => splitter.push({ text: piece, source: 'base' })), ...splitter.end()];
  expect(told.every((piece) => piece.text !== '')).toBe(true);
  return [text(told, true), text(told, false)];
}

/** The same in one look at the whole. */
function expected(whole: string, state: ThinkingState): [string, string] {
  const blank = '[ \\t\\n\\v\\f\\r]*';
  if (state === 'answer') return ['', whole];
  if (state === 'gap') return ['', whole.replace(new RegExp(`^${blank}`), '')];
  const [, open, rest = ''] = new RegExp(`^(${state === 'thinking' ? '' : `${blank}<think>`})([^]*)$`).exec(whole) ?? [];
  if (open === undefined) return ['', whole];
  const end = rest.indexOf('</think>');
  const trim = (part: string) => part.replace(new RegExp(`^${blank}`), '').replace(/[ \t\n\v\f\r]+$/, '');
  return end < 0 ? [trim(rest), ''] : [trim(rest.slice(0, end)), rest.slice(end + 8).replace(new RegExp(`^${blank}`), '')];
}

describe('thinking in pieces', () => {
  test.each<[string, string[], [string, string]]>([
    ['marks over pieces', ['<th', 'ink>\nI a', 'm </thi', 'nk>\n', '\nYes', '.'], ['I am', 'Yes.']],
    ['what only looks like a mark', ['<think>a </', 'think </thin', '</think>b'], ['a </think </thin', 'b']],
    ['no thinking', ['  Ye', 's <think>no</think>'], ['', '  Yes <think>no</think>']],
    ['nearly the opening mark', [' <', 'thin', 'g>'], ['', ' <thing>']],
    ['no end of it', ['<think>I a', 'm </thi'], ['I am </thi', '']],
    ['no end of the opening mark', [' <thi'], ['', ' <thi']],
    ['nothing thought', ['<think>\n\n</think>\n\nYes'], ['', 'Yes']],
    ['nothing but thought', ['<think>a</think>\n'], ['a', '']],
    ['another pair of marks behind it', ['<think>a</think>b <think>c</think>'], ['a', 'b <think>c</think>']],
  ])('%s', (_, pieces, result) => expect(split(pieces)).toEqual(result));

  test('however the text is cut', () => {
    const part = fc.constantFrom('<think>', '</think>', '<', '/', 'think>', '</thi', ' ', '\n', 'a', '🙂', '<<think>', '</</think>');
    const states = fc.constantFrom<ThinkingState[]>('undecided', 'thinking', 'gap', 'answer');
    fc.assert(
      fc.property(fc.array(part, { maxLength: 12 }), fc.array(fc.nat(6), { maxLength: 40 }), states, (parts, sizes, state) => {
        const whole = parts.join('');
        const characters = [...whole];
        const pieces: string[] = [];
        for (let at = 0, index = 0; at < characters.length; index += 1) {
          const size = 1 + (sizes[index % Math.max(1, sizes.length)] ?? 0);
          pieces.push(characters.slice(at, at + size).join(''));
          at += size;
        }
        expect(split(pieces, state)).toEqual(expected(whole, state));
      }),
      { numRuns: 3000 },
    );
  });

  test('a piece keeps what else is known of it, on both sides of a mark', () => {
    const splitter = new ThinkingSplitter({ open: '[', close: ']' });
    const told = splitter.push({ text: '[a] b', source: 'nudge', topProbability: 0.5 });
    expect(told).toEqual([
      { text: 'a', source: 'nudge', topProbability: 0.5, thinking: true },
      { text: 'b', source: 'nudge', topProbability: 0.5 },
    ]);
  });

  test('white space and what cannot become a mark is not held back', () => {
    const splitter = new ThinkingSplitter(usualMarks);
    const push = (piece: string) => splitter.push({ text: piece, source: 'base' }).map((each) => each.text);
    expect([push('<think>'), push('a'), push(' b '), push('</x'), push('c</think>'), push('d')]).toEqual([
      [],
      ['a'],
      [' b'],
      [' ', '</x'],
      ['c'],
      ['d'],
    ]);
  });

  test('a million blanks take no longer than they must', () => {
    const splitter = new ThinkingSplitter(usualMarks);
    const began = performance.now();
    splitter.push({ text: '<think>a', source: 'base' });
    for (let piece = 0; piece < 20_000; piece += 1) splitter.push({ text: ' '.repeat(50), source: 'base' });
    expect(text(splitter.push({ text: 'b', source: 'base' }), true)).toHaveLength(1_000_001);
    expect(performance.now() - began).toBeLessThan(5_000);
  });
});

// The demo pair does not think. But marks can be any words, and it says the same every time.
const question = 'What is a harbor?';
const marks = { open: 'A', close: 'is' };

describe.each([false, true])('an answer with thinking in it, isolate: %s', (isolate) => {
  let engine: Nudging;
  let plain: Answer;
  beforeAll(async () => {
    engine = await Nudging.load({ isolate });
    plain = await engine.generate(question);
  });
  afterAll(() => engine.close());

  const raw = ({ rounds }: Answer) => rounds.map(({ words, base }) => words + base).join('');
  const both = async (options: GenerateOptions) => {
    const whole = await engine.generate(question, options);
    const stream = engine.stream(question, options);
    const pieces: Piece[] = [];
    for await (const piece of stream) pieces.push(piece);
    const streamed = await stream.answer;
    expect([streamed.text, streamed.thinking, streamed.stopReason]).toEqual([whole.text, whole.thinking, whole.stopReason]);
    for (const all of [pieces, whole.pieces]) expect([text(all, false), text(all, true)]).toEqual([whole.text, whole.thinking ?? '']);
    return whole;
  };

  test('is split, while the rounds keep everything', async () => {
    expect(plain.text).toMatch(/^A harbor is a sheltered port /);
    expect(plain).not.toHaveProperty('thinking');
    const answer = await both({ thinking: marks });
    expect(answer.thinking).toBe('harbor');
    expect(answer.text).toBe(plain.text.slice('A harbor is '.length));
    expect(raw(answer)).toBe(plain.text);
  });

  test('without the marks it is all answer', async () => {
    expect(await both({ thinking: true })).toMatchObject({ text: plain.text, thinking: '' });
    expect(await engine.generate(question, { thinking: false })).not.toHaveProperty('thinking');
  });

  test('unfinished at the limit it is all thinking', async () => {
    const answer = await both({ thinking: { open: 'A', close: 'never' }, maxTokens: 3 });
    expect(answer).toMatchObject({ text: '', stopReason: 'length' });
    expect(answer.thinking).toBe(raw(answer).slice('A '.length).trimEnd());
  });

  test('stop strings count behind it alone', async () => {
    const answer = await both({ thinking: marks, stop: ['harbor', ' port'] });
    expect(answer).toMatchObject({ text: 'a sheltered', thinking: 'harbor', stopReason: 'stop' });
    expect(await both({ stop: ['harbor', ' port'] })).toMatchObject({ text: 'A ', stopReason: 'stop' });
  });

  test('a prompt that ends with the opening mark begins it', async () => {
    const alignedPrompt =
      '{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}<|im_start|>assistant\n' +
      '{% if enable_thinking %}<think>\n{% endif %}';
    const go = (close: string) => both({ alignedPrompt, maxTokens: 12, thinking: { open: '<think>', close } });
    const endless = await go('never said');
    expect([endless.thinking, endless.text]).toEqual([raw(endless).trim(), '']);
    const close = raw(endless).trim().split(' ')[1] as string;
    const answer = await go(close);
    const [before = '', ...after] = raw(answer).split(close);
    expect(after.length).toBeGreaterThan(0);
    expect([answer.thinking, answer.text]).toEqual([before.trim(), after.join(close).trimStart()]);
    // The same words in what the user wrote begin nothing.
    const asked = {
      messages: [{ role: 'user', content: '<think>' }],
      alignedPrompt: '{{ messages[0].content }}',
      maxTokens: 4,
      thinking: true,
    } as const;
    expect(await engine.generate(asked)).toMatchObject({ thinking: '' });
  });

  test('a prefill counts as its beginning', async () => {
    const go = (prefill: string, close: string) =>
      engine.generate(question, { prefill, thinking: { open: '<think>', close }, maxTokens: 8 });
    const inside = await go('<think>\nA harbor', 'is');
    expect(inside.thinking + inside.text).not.toContain('is');
    expect(raw(inside)).toContain('is');
    expect(await go('<think>x</think> A harbor', '</think>')).toMatchObject({ thinking: '' });
  });

  test('in mode base and aligned as well', async () => {
    for (const mode of ['base', 'aligned'] as const) {
      const alone = await engine.generate(question, { mode, maxTokens: 12, stop: [] });
      const first = alone.text.trimStart().charAt(0);
      const answer = await engine.generate(question, { mode, maxTokens: 12, stop: [], thinking: { open: first, close: 'never said' } });
      expect(answer.text).toBe('');
      expect(answer.thinking).toBe(alone.text.trim().slice(1).trim());
    }
  });
});

test.each([
  [{ open: '', close: 'b' }],
  [{ open: 'a' }],
  [{ open: 'a', close: ' b' }],
  [{ open: 'a', close: 'b', more: 1 }],
  ['<think>'],
  [{ open: 'a'.repeat(101), close: 'b' }],
])('refused: %o', async (thinking) => {
  await expect(Nudging.load({ thinking } as never)).rejects.toMatchObject({ code: 'ERR_INVALID_OPTION', option: 'thinking' });
});
