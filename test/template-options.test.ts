import { runInNewContext } from 'node:vm';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Nudging, type TemplateOptions } from '../lib/index.ts';
import { templateVariables } from '../lib/template-options.ts';

const variables = (options: unknown) => templateVariables(options as TemplateOptions);

describe('what is allowed', () => {
  test('plain JSON values, as JSON', () => {
    const options = { enable_thinking: true, _n1: -1.5, text: 'a "b"\n🙂', list: [1, [null, 'x'], { a: {} }], nothing: null };
    expect(JSON.parse(variables(options))).toEqual(options);
    expect(variables({})).toBe('{}');
  });

  test('what is undefined is not there', () => {
    expect(variables({ a: undefined, b: { c: undefined, d: 1 } })).toBe('{"b":{"d":1}}');
  });

  test('objects of another realm, and without a prototype', () => {
    expect(variables(runInNewContext('({ a: { b: [1] } })'))).toBe('{"a":{"b":[1]}}');
    expect(variables(Object.assign(Object.create(null), { a: 1 }))).toBe('{"a":1}');
    expect(variables(JSON.parse('{"a": {"__proto__": {"b": 1}}}'))).toBe('{"a":{"__proto__":{"b":1}}}');
  });

  test('halves of characters become U+FFFD', () =>
    expect(JSON.parse(variables({ a: '\ud83d!', b: '🙂' }))).toEqual({ a: '\ufffd!', b: '🙂' }));

  test('each property is read once', () => {
    let reads = 0;
    expect(
      variables({
        get a() {
          reads += 1;
          return reads;
        },
      }),
    ).toBe('{"a":1}');
  });

  test('a switch is on unless it is set', () => {
    expect(templateVariables({}, ['enable_thinking'])).toBe('{"enable_thinking":true}');
    expect(templateVariables({ enable_thinking: false, a: 1 }, ['enable_thinking'])).toBe('{"enable_thinking":false,"a":1}');
    expect(templateVariables({ enable_thinking: undefined }, ['enable_thinking'])).toBe('{"enable_thinking":true}');
  });
});

const nested = (levels: number): unknown => (levels === 0 ? 1 : [nested(levels - 1)]);

describe('what is refused, by name', () => {
  test.each([
    ['messages', [], 'the engine sets it'],
    ['add_generation_prompt', false, 'the engine sets it'],
    ['bos_token', 'x', 'the engine sets it'],
    ['eos_token', 'x', 'the engine sets it'],
    ['range', 1, 'a function of Jinja'],
    ['loop', 1, 'a word of Jinja'],
    ['none', 1, 'a word of Jinja'],
    ['a-b', 1, 'letters, digits and _'],
    ['1a', 1, 'letters, digits and _'],
    ['', 1, 'letters, digits and _'],
    ['number', Number.NaN, 'finite numbers'],
    ['number', Infinity, 'finite numbers'],
    ['number', 2 ** 53, 'whole ones within'],
    ['bigint', 1n, 'plain JSON values'],
    ['fn', () => 1, 'plain JSON values'],
    ['symbol', Symbol('x'), 'plain JSON values'],
    ['date', new Date(0), 'plain JSON values'],
    ['map', { a: new Map() }, 'plain JSON values'],
    ['hole', Object.assign(new Array(3), { 0: 1, 2: 2 }), 'plain JSON values'],
    ['deep', nested(17), '16 levels'],
    ['long', 'x'.repeat(65_536), '65536 characters'],
    ['many', Array.from({ length: 40_000 }, () => 1), '65536 characters'],
    ['escaped', '\u0000'.repeat(20_000), '65536 characters'],
  ])('%s', (name, value, reason) => {
    const wrong = () => variables({ fine: 1, [name]: value });
    expect(wrong).toThrow(
      expect.objectContaining({ code: 'ERR_INVALID_OPTION', option: `templateOptions.${name}`, message: expect.stringContaining(reason) }),
    );
  });

  test('what contains itself', () => {
    const cyclic: unknown[] = [];
    cyclic.push(cyclic);
    expect(() => variables({ cyclic })).toThrow(
      expect.objectContaining({ option: 'templateOptions.cyclic', message: expect.stringContaining('16 levels') }),
    );
  });

  test('all together may not be too long either', () => {
    const half = 'x'.repeat(40_000);
    expect(() => variables({ a: half, b: half })).toThrow(expect.objectContaining({ option: 'templateOptions.b' }));
    expect(variables({ a: 'x'.repeat(60_000), b: nested(16) }).length).toBeGreaterThan(60_000);
  });

  test.each([[[1]], [new Map()], [null], ['x']])('no object: %o', (options) => {
    expect(() => variables(options)).toThrow(expect.objectContaining({ code: 'ERR_INVALID_OPTION', option: 'templateOptions' }));
  });
});

describe('in the prompt', () => {
  const alignedPrompt = '{{ style }}{% if enable_thinking %} thinking{% endif %} {{ messages[0].content }}';
  let engine: Nudging;
  beforeAll(async () => {
    engine = await Nudging.load({ alignedPrompt, templateOptions: { style: 'brief' } });
  });
  afterAll(() => engine.close());

  const tokens = async (input: object) =>
    (await engine.inspect({ lane: 'aligned', input: { messages: [{ role: 'user', content: 'Why?' }], ...input } })).context;
  const plain = async (text: string) => (await engine.inspect({ lane: 'aligned', input: { aligned: [{ text, special: false }] } })).context;

  test("the engine's, and those of a request in their place", async () => {
    expect(await tokens({})).toEqual(await plain('brief Why?'));
    expect(await tokens({ templateOptions: { enable_thinking: true } })).toEqual(await plain(' thinking Why?'));
    expect(await tokens({ templateOptions: { style: 'long', enable_thinking: 1 } })).toEqual(await plain('long thinking Why?'));
  });

  test('`thinking` lets the template know, unless it is told otherwise', async () => {
    expect(await tokens({ thinking: true })).toEqual(await plain('brief thinking Why?'));
    expect(await tokens({ thinking: true, templateOptions: { enable_thinking: false } })).toEqual(await plain(' Why?'));
  });

  test('a text that spells a control token is text', async () => {
    expect(await tokens({ templateOptions: { style: '<|im_end|>' } })).toEqual(await plain('<|im_end|> Why?'));
  });

  test('wrong ones are refused by load, generate, stream and inspect', async () => {
    const templateOptions = { messages: [] };
    const refused = { name: 'NudgingError', code: 'ERR_INVALID_OPTION', option: 'templateOptions.messages', value: [] };
    await expect(Nudging.load({ templateOptions })).rejects.toMatchObject(refused);
    await expect(engine.generate('Why?', { templateOptions })).rejects.toMatchObject(refused);
    expect(() => engine.stream('Why?', { templateOptions })).toThrow(expect.objectContaining(refused));
    await expect(tokens({ templateOptions })).rejects.toMatchObject(refused);
  });
});
