import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { Nudging, type ChatMessage, type GenerateOptions, type Input, type TemplateOptions } from '../lib/index.ts';
import { optionsOfModes } from '../lib/mode-options.ts';
import { generateRules, loadRules } from '../lib/options.ts';
import { templateVariables } from '../lib/template-options.ts';

const question = 'What is a harbor?';
let engine: Nudging;
let expected: string;
beforeAll(async () => {
  // Proxy tuning has one too.
  engine = await Nudging.load({ reference: fileURLToPath(new URL('../models/demo/base.gguf', import.meta.url)) });
  expected = (await engine.generate(question, { maxTokens: 12 })).text;
});
afterAll(() => engine.close());

// Whatever was sent, the engine goes on as if it had not been.
afterEach(async () => {
  expect((await engine.generate(question, { maxTokens: 12 })).text).toBe(expected);
});

const typed = (code: string) => expect.objectContaining({ name: 'NudgingError', code });
const unchecked = (value: unknown) => value as never;
/** How a generation went: its stop reason, or the code of its error. Anything but a NudgingError fails the test. */
async function outcome(input: unknown, options?: unknown): Promise<string> {
  try {
    return (await engine.generate(input as Input, options as GenerateOptions)).stopReason;
  } catch (error) {
    expect(error).toMatchObject({
      name: 'NudgingError',
      code: expect.stringMatching(/^ERR_/) as string,
      message: expect.stringMatching(/./) as string,
    });
    return (error as { code: string }).code;
  }
}

/** The longest time in ms that the event loop was kept from turning while `work` ran. */
async function longestPause(work: () => Promise<unknown>): Promise<number> {
  let last = performance.now();
  let longest = 0;
  const timer = setInterval(() => {
    longest = Math.max(longest, performance.now() - last);
    last = performance.now();
  }, 1);
  await work();
  clearInterval(timer);
  return longest;
}

describe('texts', () => {
  const megabyte = {
    words: 'word '.repeat(200_000),
    'one letter': 'a'.repeat(1_000_000),
    spaces: `${' '.repeat(1_000_000)}x`,
    'line ends': `${'\n'.repeat(1_000_000)}x`,
    digits: '1'.repeat(1_000_000),
    punctuation: '!'.repeat(1_000_000),
    NUL: '\0'.repeat(1_000_000),
    emoji: '🙂'.repeat(250_000),
    'lone surrogates': '\ud800'.repeat(333_334),
    'control tokens': '<|im_end|>'.repeat(100_000),
  };
  test.each(Object.entries(megabyte))('a megabyte of %s is too long, said at once', async (_, text) => {
    const start = performance.now();
    const pause = await longestPause(async () => {
      expect(await outcome(text)).toBe('ERR_PROMPT_TOO_LONG');
      expect(await outcome({ base: text, aligned: question })).toBe('ERR_PROMPT_TOO_LONG');
      expect(await outcome(question, { system: text })).toBe('ERR_PROMPT_TOO_LONG');
    });
    expect(performance.now() - start).toBeLessThan(3000);
    // Copying the text to the engine's thread takes a millisecond or so; decoding or tokenising it would take much longer.
    expect(pause).toBeLessThan(1000);
  });

  test.each([
    ['NUL', 'What is\0 a \0harbor?'],
    ['only NUL', '\0'],
    ['lone surrogates', '\ud800 What \udc00 is \ud83d a harbor?\udfff'],
    ['half an emoji at the end', 'What is a harbor? \ud83d'],
    ['every control character', String.fromCharCode(...Array.from({ length: 160 }, (__, i) => i))],
    ['noncharacters and private use', '\ufffe\uffff\ufdd0\ue000\u{10ffff}\u{e0001}'],
    ['combining marks', `a${'\u0301'.repeat(200)}`],
    ['both directions', '\u202e\u2066What is\u2069 a harbor?\u202c'],
    ["the template's own syntax", '{{ raise_exception("x") }} {% for %} {question} {system}'],
  ])('%s in a question is text like any other', async (_, text) => {
    for (const input of [text, [{ role: 'user', content: text }], { base: text, aligned: text }]) {
      const answer = await engine.generate(input as Input, { maxTokens: 6 });
      expect(['end', 'length']).toContain(answer.stopReason);
      expect(answer.text).not.toMatch(/\p{Surrogate}/u);
    }
  });

  test('ten thousand stop strings', async () => {
    const alike = Array.from({ length: 10_000 }, (_, i) => `${'harbor is a '.repeat(3)}${i}`);
    const start = performance.now();
    const answer = await engine.generate(question, { maxTokens: 12, stop: alike });
    expect(answer.text).toBe(expected);
    expect((await engine.generate(question, { maxTokens: 12, stop: [...alike, expected.slice(3, 8)] })).text).toBe(expected.slice(0, 3));
    expect(performance.now() - start).toBeLessThan(3000);
  });

  test('stop strings that are a megabyte, NUL, or half a character', async () => {
    expect((await engine.generate(question, { maxTokens: 12, stop: ['x'.repeat(1_000_000), '\0', '\ud800'] })).text).toBe(expected);
  });

  test('very many messages', async () => {
    const messages = Array.from({ length: 20_001 }, (_, i): ChatMessage => ({ role: i % 2 === 0 ? 'user' : 'assistant', content: `${i}` }));
    expect(await outcome({ messages })).toBe('ERR_PROMPT_TOO_LONG');
    expect(await outcome({ messages: new Array(1_000_000_000) })).toBe('ERR_INVALID_OPTION');
    expect(await outcome({ base: new Array(1_000_000_000), aligned: question })).toBe('ERR_INVALID_OPTION');
    expect(await outcome(question, { stop: new Array(1_000_000_000) })).toBe('ERR_INVALID_OPTION');
  });
});

describe('templates', () => {
  test.each([
    ['loops without end', '{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}'],
    ['a range without end', '{% for a in range(999999999999) %}x{% endfor %}'],
    ['macros that call themselves', '{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}'],
    ['deep nesting', `{{ ${'('.repeat(5000)}1${')'.repeat(5000)} }}`],
    ['a text without end', '{{ "x" * 1000000000000 }}'],
    [
      'a text that grows',
      '{% set ns = namespace(t="word") %}{% for i in range(60) %}{% set ns.t = ns.t|replace("w", ns.t ~ "w") %}{% endfor %}{{ ns.t }}',
    ],
    ['a list of many texts', '{% set l = [] %}{% for i in range(99999) %}{% set _ = l.append("x" * 99999) %}{% endfor %}'],
    ['a list in itself', '{% set l = [] %}{% set _ = l.append(l) %}{{ l|string }}'],
    ['a division by zero', '{{ test_is_divisibleby(1, 0) }}'],
    ['an error', '{{ raise_exception("no") }}'],
  ])('%s', { timeout: 20_000 }, async (_, template) => {
    expect(await outcome(question, { alignedPrompt: template })).toBe('ERR_TEMPLATE_FAILED');
  });

  test('huge output', { timeout: 20_000 }, async () => {
    const doubling = `{% set ns = namespace(t="word ") %}{% for i in range(18) %}{% set ns.t = ns.t ~ ns.t %}{% endfor %}{{ ns.t }}`;
    expect(['ERR_PROMPT_TOO_LONG', 'ERR_TEMPLATE_FAILED']).toContain(await outcome(question, { alignedPrompt: doubling }));
  });
});

/** Values of every type, and numbers from everywhere. */
const values: unknown[] = [
  null,
  true,
  false,
  0,
  -0,
  1,
  -1,
  0.5,
  1.5,
  31,
  32,
  2 ** 31,
  2 ** 32,
  2 ** 53,
  -(2 ** 31),
  1e308,
  Number.MIN_VALUE,
  Number.NaN,
  Infinity,
  -Infinity,
  5n,
  10n ** 30n,
  '',
  ' ',
  'x',
  '0',
  '1e3',
  '\0',
  '\ud800',
  Symbol('s'),
  [],
  [1],
  [null],
  [''],
  [['x']],
  {},
  { base: 1 },
  { base: 'x' },
  { aligned: Number.NaN },
  { base: {}, aligned: [] },
  { length: 3 },
  () => 'x',
  () => 5,
  class Nothing {},
  new Date(0),
  new Map(),
  new Set(['x']),
  /x/,
  Buffer.from('x'),
  new Float64Array(2),
  Promise.resolve(1),
  new Error('e'),
  new String('x'),
  new Number(3),
  { toString: () => 'x' },
  { valueOf: () => 3 },
  { [Symbol.toPrimitive]: () => 3 },
  Object.create(null),
  new Proxy([], {}),
  new Proxy({}, {}),
  new AbortController().signal,
  globalThis,
];

/** What may come of a good value, where that is something of its own. */
const fine: Record<string, RegExp> = {
  // Three tokens may take longer than the shortest timeout.
  timeout: /^(end|length|timeout)$/,
  // Which texts are tokens depends on the model.
  logitBias: /^(end|length|ERR_TOKEN_UNKNOWN)$/,
  // A text without {question} is told when it is read, and so are models that are not loaded.
  inContextPrompt: /^(end|length|stop|ERR_(INVALID_OPTION|PROMPT_TOO_LONG))$/,
  weights: /^(end|length|ERR_INVALID_OPTION)$/,
};

/** The rule says that it is an object; what is in it is checked as it is read. */
function isNoTemplateOptions(value: unknown): boolean {
  try {
    templateVariables(value as TemplateOptions);
    return false;
  } catch {
    return true;
  }
}

describe('options of a generation', () => {
  test.each(Object.keys(generateRules))('%s: every value works or is an error that names it', async (name) => {
    for (const value of values) {
      const isGood = generateRules[name]?.check(value) === true && !(name === 'templateOptions' && isNoTemplateOptions(value));
      // A function as prompt is the caller's own code.
      if (isGood && typeof value === 'function') continue;
      // With a million tokens to write, something has to end the answer.
      const [mode] = optionsOfModes[name as keyof GenerateOptions] ?? [];
      const options = { maxTokens: 3, ...(mode ? { mode } : {}), [name]: value, ...(name === 'maxTokens' ? { stop: 'a' } : {}) };
      if (isGood) {
        expect(await outcome(question, options)).toMatch(
          fine[name] ?? /^(end|length|stop|stalled|ERR_(PROMPT_(EMPTY|TOO_LONG)|TEMPLATE_FAILED))$/,
        );
      } else {
        expect(() => engine.stream(question, unchecked(options))).toThrow(typed('ERR_INVALID_OPTION'));
      }
    }
  });

  test('every value as input', async () => {
    for (const value of values)
      expect(await outcome(value, { maxTokens: 2 })).toMatch(/^(end|length|ERR_PROMPT_EMPTY|ERR_INVALID_OPTION)$/);
    for (const value of values) expect(await outcome({ messages: value }, { maxTokens: 2 })).toBe('ERR_INVALID_OPTION');
    for (const value of values)
      expect(await outcome({ messages: [{ role: 'user', content: value }] }, { maxTokens: 2 })).toMatch(
        /^(end|length|ERR_PROMPT_EMPTY|ERR_INVALID_OPTION)$/,
      );
    for (const value of values)
      expect(await outcome({ base: value, aligned: value }, { maxTokens: 2 })).toMatch(
        /^(end|length|ERR_PROMPT_EMPTY|ERR_INVALID_OPTION)$/,
      );
    for (const value of values)
      expect(await outcome({ base: [{ text: 'x', special: value }], aligned: 'x' }, { maxTokens: 2 })).toMatch(
        /^(end|length|ERR_INVALID_OPTION)$/,
      );
  });

  test('every value as options', async () => {
    for (const value of values.filter((each) => typeof each !== 'object' || each === null || Array.isArray(each))) {
      expect(await outcome(question, value)).toBe('ERR_INVALID_OPTION');
    }
  });
});

describe('options of loading', () => {
  test.each(Object.keys(loadRules).filter((name) => !(name in generateRules)))(
    '%s: a wrong value is an error that names it',
    async (name) => {
      const wrong = values.filter((value) => value !== undefined && loadRules[name]?.check(value) !== true);
      expect(wrong.length).toBeGreaterThan(30);
      for (const value of wrong) {
        await expect(Nudging.load(unchecked({ [name]: value }))).rejects.toMatchObject({
          name: 'NudgingError',
          code: 'ERR_INVALID_OPTION',
          option: name,
        });
      }
    },
  );

  test.each([
    ['a context of one token', { context: 1 }],
    ['the largest context', { context: 10_000_000 }],
    ['a path with NUL', { base: 'models/demo/base.gguf\0x', aligned: 'y' }],
    ['a path that is too long', { base: 'x'.repeat(1_000_000), aligned: 'y' }],
    ['a path of lone surrogates', { base: '\ud800', aligned: '\udfff' }],
    ['a device as a model', { base: '/dev/null', aligned: '/dev/zero' }],
  ])('%s', async (_, options) => {
    const loaded = await Nudging.load(options).catch((error: unknown) => error);
    if (!(loaded instanceof Nudging)) {
      expect(loaded).toMatchObject({
        name: 'NudgingError',
        code: expect.stringMatching(/^ERR_(CONTEXT_TOO_LARGE|MODEL_UNREADABLE|MODEL_INVALID|OUT_OF_MEMORY)$/) as string,
      });
      return;
    }
    expect(await loaded.generate(question).catch((error: unknown) => error)).toMatchObject({ code: 'ERR_PROMPT_TOO_LONG' });
    await loaded.close();
  });
});

describe('objects that play tricks', () => {
  const boom = () => {
    throw new RangeError('mine');
  };

  test("the caller's own exceptions come out as they are", async () => {
    const throwing = Object.defineProperty({}, 'gamma', { enumerable: true, get: boom });
    await expect(engine.generate(question, unchecked(throwing))).rejects.toThrow(RangeError);
    await expect(engine.generate(question, unchecked(new Proxy({}, { ownKeys: boom })))).rejects.toThrow(RangeError);
    await expect(
      engine.generate({ messages: [Object.defineProperty({ role: 'user' }, 'content', { get: boom })] } as never),
    ).rejects.toThrow(RangeError);
    await expect(engine.generate(question, { stop: new Proxy(['x'], { get: boom }) })).rejects.toThrow(RangeError);
    await expect(engine.generate(question, { basePrompt: boom })).rejects.toThrow(RangeError);
    await expect(Nudging.load(unchecked(Object.defineProperty({}, 'threads', { enumerable: true, get: boom })))).rejects.toThrow(
      RangeError,
    );
  });

  test('a property that answers differently each time is read once', async () => {
    const changing = (values_: unknown[]) => ({ enumerable: true, get: () => values_.shift() });
    const options = Object.defineProperty({}, 'maxTokens', changing([3, 'x', 'x', 'x']));
    expect(await outcome(question, options)).toBe('length');
    const message = Object.defineProperties({}, { role: changing(['user', 5, 5]), content: changing([question, 5, 5]) });
    expect(await outcome([message], { maxTokens: 3 })).toBe('length');
    const segment = Object.defineProperties({}, { text: changing(['x', 5, 5]), special: changing([false, 5, 5]) });
    expect(await outcome({ base: [segment], aligned: 'x' }, { maxTokens: 3 })).toBe('length');
  });

  test('an array that changes while it is read is an error', async () => {
    let reads = 0;
    const stop = new Proxy(['x'], {
      get: (target, key) => (key === '0' ? (++reads > 1 ? 5 : 'x') : (Reflect.get(target, key) as unknown)),
    });
    expect(await outcome(question, { stop, maxTokens: 3 })).toBe('ERR_INVALID_OPTION');
  });

  test('objects without a prototype, and names from prototypes', async () => {
    expect(await outcome(question, Object.assign(Object.create(null) as object, { maxTokens: 3 }))).toBe('length');
    expect(await outcome(Object.assign(Object.create(null) as object, { base: 'x', aligned: 'x' }), { maxTokens: 3 })).toBe('length');
    for (const name of ['__proto__', 'constructor', 'toString', 'hasOwnProperty']) {
      expect(await outcome(question, Object.defineProperty({}, name, { value: 1, enumerable: true }))).toBe('ERR_INVALID_OPTION');
    }
    expect(await outcome(question, JSON.parse('{"__proto__": {"gamma": "x"}}'))).toBe('ERR_INVALID_OPTION');
    // Inherited properties are not options.
    expect(await outcome(question, Object.assign(Object.create({ gamma: 'x' }) as object, { maxTokens: 3 }))).toBe('length');
  });

  test('a value whose description would throw is still named', async () => {
    const hostile = {
      get [Symbol.toStringTag]() {
        return boom();
      },
      toString: boom,
      toJSON: boom,
      [Symbol.for('nodejs.util.inspect.custom')]: boom,
    };
    expect(await outcome(question, { gamma: hostile })).toBe('ERR_INVALID_OPTION');
    const { proxy, revoke } = Proxy.revocable({}, {});
    revoke();
    expect(await outcome(question, { gamma: proxy })).toBe('ERR_INVALID_OPTION');
  });

  test('a signal that aborts while it is read', async () => {
    const controller = new AbortController();
    const get = () => {
      controller.abort();
      return question;
    };
    const messages = [Object.defineProperty({ role: 'user' }, 'content', { get })];
    const answer = await engine.generate({ messages } as never, { signal: controller.signal });
    expect(answer).toMatchObject({ stopReason: 'aborted', text: '' });
  });
});
