import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, test } from 'vitest';
import { Cursor } from '../lib/gguf/bytes.ts';
import { HeaderError, readHeader } from '../lib/gguf/header.ts';
import { fileTypes, tensorTypes } from '../lib/gguf/types.ts';
import { describeModel, Nudging, NudgingError } from '../lib/index.ts';
import { inRoot } from '../scripts/lib/paths.mjs';
import { nudging } from './support/cli.ts';
import { ggufBytes, sourceOf, type Tensor, type Value } from './support/gguf.ts';

const folder = mkdtempSync(path.join(os.tmpdir(), 'nudging-gguf-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const demo = (name: string) => inRoot(`models/demo/${name}.gguf`);

const values: Record<string, Value> = {
  'general.architecture': ['string', 'llama'],
  'general.name': ['string', 'A model'],
  'general.file_type': ['u32', 15],
  'llama.context_length': ['u32', 4096],
  'llama.block_count': ['u32', 2],
  'llama.embedding_length': ['u32', 256],
  'tokenizer.ggml.model': ['string', 'gpt2'],
  'tokenizer.ggml.pre': ['string', 'llama-bpe'],
  'tokenizer.ggml.tokens': ['array', 'string', ['a', 'b', '</s>']],
  'tokenizer.ggml.eos_token_id': ['u32', 2],
};
const tensors: Tensor[] = [
  { name: 'token_embd.weight', shape: [256, 3], type: 12 },
  { name: 'output_norm.weight', shape: [256] },
];
const described = (changed: Record<string, Value> = {}, weights = tensors) =>
  describeModel(sourceOf(ggufBytes({ ...values, ...changed }, weights)));

describe('a header', () => {
  test('is read as it was written', async () => {
    const bytes = ggufBytes({ ...values, 'a.number': ['f64', 0.5], 'a.flag': ['bool', 1], 'a.list': ['array', 'i32', [-1, 2]] }, tensors);
    const header = await readHeader(sourceOf(bytes));
    expect(header).toMatchObject({ version: 3, bytes: bytes.length });
    expect(header.values.get('general.name')).toBe('A model');
    expect(header.values.get('a.number')).toBe(0.5);
    expect(header.values.get('a.flag')).toBe(true);
    expect(header.values.get('a.list')).toEqual({ count: 2, items: [-1, 2] });
    expect(header.tensors).toEqual([
      { name: 'token_embd.weight', type: 'Q4_K', elements: 768, bytes: 3 * 144 },
      { name: 'output_norm.weight', type: 'F32', elements: 256, bytes: 1024 },
    ]);
  });

  test('is read in blocks, no further than it goes, and long arrays are left out', async () => {
    const merges = Array.from({ length: 50_000 }, (_, index) => `merge ${index}`);
    const scores = Array.from({ length: 50_000 }, (_, index) => index);
    const bytes = ggufBytes({
      ...values,
      'tokenizer.ggml.tokens': ['array', 'string', merges],
      'tokenizer.ggml.merges': ['array', 'string', merges],
      'tokenizer.ggml.scores': ['array', 'f32', scores],
      'last.key': ['u32', 7],
    });
    const source = sourceOf(Buffer.concat([bytes, Buffer.alloc(8 << 20)]));
    const header = await readHeader(source);
    expect(header.values.get('tokenizer.ggml.merges')).toEqual({ count: 50_000 });
    expect(header.values.get('tokenizer.ggml.scores')).toEqual({ count: 50_000 });
    expect((header.values.get('tokenizer.ggml.tokens') as { items: string[] }).items[49_999]).toBe('merge 49999');
    expect(header.values.get('last.key')).toBe(7);
    expect(source.reads).toBeLessThan(8);
    expect(source.bytesRead).toBeLessThan(bytes.length + (3 << 20));
  });

  test('of the demo pair and of all vocabularies that come with llama.cpp is whole', async () => {
    const vendor = inRoot('vendor/llama.cpp/models');
    const files = readdirSync(vendor).filter((name) => name.endsWith('.gguf'));
    for (const file of [demo('base'), demo('aligned'), ...files.map((name) => path.join(vendor, name))]) {
      const bytes = readFileSync(file);
      const header = await readHeader(sourceOf(bytes));
      expect(header.values.get('general.architecture')).toBeTypeOf('string');
      expect(header.bytes).toBeLessThanOrEqual(bytes.length);
    }
  });

  test.each<[what: string, bytes: Buffer, message: RegExp]>([
    ['nothing', Buffer.alloc(0), /^is no GGUF file$/],
    ['a text', Buffer.from('This is a text and no model at all.'), /^is no GGUF file$/],
    ['the other byte order', ggufBytes({}, [], { version: 0x03000000 }), /^is of the other byte order/],
    ['version 1', ggufBytes({}, [], { version: 1 }), /^is of GGUF version 1, /],
    ['more keys than bytes', ggufBytes({}, [], { counts: { keys: 2n ** 63n } }), /\d keys\)/],
    ['more tensors than bytes', ggufBytes({}, [], { counts: { tensors: 4_000_000_000 } }), /\(4000000000 tensors\)/],
    ['a key that never ends', Buffer.concat([ggufBytes({}, [], { counts: { keys: 1 } }), Buffer.alloc(60, 255)]), /a key has \d+ bytes/],
    [
      'a key twice',
      Buffer.concat([ggufBytes({ a: ['u8', 1] }, [], { counts: { keys: 2 } }), ggufBytes({ a: ['u8', 1] }).subarray(24)]),
      /"a" stands there twice/,
    ],
    ['an unknown type', patched(ggufBytes({ a: ['u32', 1] }), 33, 99), /"a" is of type 99/],
    ['arrays in arrays', patched(ggufBytes({ a: ['array', 'u32', [1]] }), 37, 9), /"a" is an array of type 9/],
    ['an array of too many', patched(ggufBytes({ a: ['array', 'u32', [1]] }), 44, 255), /values of "a"\)/],
    ['five dimensions', ggufBytes({}, [{ name: 't', shape: [1, 1, 1, 1, 1] }]), /has 5 dimensions/],
    ['a tensor beyond all numbers', ggufBytes({}, [{ name: 't', shape: [2 ** 40, 2 ** 40] }]), /is too large/],
    ['weights of an unknown type', ggufBytes({}, [{ name: 't', shape: [32], type: 4 }]), /of a type that is not known \(4, of "t"\)/],
  ])('of %s is refused', async (_, bytes, message) => {
    await expect(readHeader(sourceOf(bytes))).rejects.toThrow(HeaderError);
    await expect(readHeader(sourceOf(bytes))).rejects.toThrow(message);
  });

  test('cut anywhere is refused, and nothing outside of it is read', async () => {
    const bytes = ggufBytes(values, tensors);
    for (let length = 0; length < bytes.length; length += 1) {
      await expect(readHeader(sourceOf(bytes.subarray(0, length)))).rejects.toThrow(HeaderError);
    }
  });

  test('with any bytes changed is read or refused, in no time', async () => {
    const bytes = ggufBytes(values, tensors);
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(fc.nat(bytes.length - 1), fc.nat(255)), { minLength: 1, maxLength: 6 }), async (changes) => {
        const changed = Buffer.from(bytes);
        for (const [at, value] of changes) changed[at] = value;
        const began = performance.now();
        await readHeader(sourceOf(changed)).catch((error: unknown) => expect(error).toBeInstanceOf(HeaderError));
        expect(performance.now() - began).toBeLessThan(1000);
      }),
      { numRuns: 500 },
    );
  });

  test('of a source that fails, fails as the source does', async () => {
    const source = { size: 1000, read: () => Promise.reject(new Error('the line is dead')) };
    await expect(readHeader(source)).rejects.toThrow('the line is dead');
    await expect(describeModel(source)).rejects.toThrow('the line is dead');
  });

  test('skips what is not ready', async () => {
    const cursor = new Cursor(sourceOf(Uint8Array.from({ length: 100 }, (_, index) => index)), 10);
    await cursor.load(4);
    cursor.skip(50);
    await cursor.load(2);
    expect([...cursor.take(2), cursor.position, cursor.left]).toEqual([50, 51, 52, 48]);
    expect(() => cursor.skip(49)).toThrow(RangeError);
    await expect(cursor.load(49)).rejects.toThrow(RangeError);
  });

  /** With another byte at a place. */
  function patched(bytes: Buffer, at: number, value: number): Buffer {
    bytes[at] = value;
    return bytes;
  }
});

describe('types of weights', () => {
  const header = readFileSync(inRoot('vendor/llama.cpp/ggml/include/ggml.h'), 'utf8');
  const llama = readFileSync(inRoot('vendor/llama.cpp/include/llama.h'), 'utf8');

  test('are those of the ggml underneath', () => {
    const inGgml = [...header.matchAll(/^ +GGML_TYPE_(\w+) += (\d+),/gm)].map(([, name, id]) => [Number(id), name]);
    expect(Object.entries(tensorTypes).map(([id, { name }]) => [Number(id), name])).toEqual(inGgml.filter(([, name]) => name !== 'COUNT'));
  });

  test('are mixed as llama.cpp calls it', () => {
    const inLlama = [...llama.matchAll(/^ +LLAMA_FTYPE_(?:ALL|MOSTLY)_(\w+) += (\d+),/gm)].map(([, name = '', id]) => [
      Number(id),
      name.replace('_MOE', ''),
    ]);
    expect(Object.entries(fileTypes).map(([id, name]) => [Number(id), name])).toEqual(inLlama);
  });

  test('have the sizes that files have', async () => {
    for (const name of ['base', 'aligned', 'aligned-cross']) {
      const bytes = readFileSync(demo(name));
      const header = await readHeader(sourceOf(bytes));
      const weights = header.tensors.reduce((sum, tensor) => sum + Math.ceil(tensor.bytes / 32) * 32, 0);
      expect(bytes.length - weights - header.bytes).toBeLessThan(32);
      expect(bytes.length - weights - header.bytes).toBeGreaterThanOrEqual(0);
    }
  });
});

describe('describeModel', () => {
  test('of a file tells what the engine will see', async () => {
    const [aligned, base] = await Promise.all([describeModel(demo('aligned')), describeModel(demo('base'))]);
    const engine = await Nudging.load({ threads: 1 });
    for (const [lane, model] of [
      ['aligned', aligned],
      ['base', base],
    ] as const) {
      const { parameters, trainedContext, vocabulary } = engine.models[lane];
      expect(model).toMatchObject({
        architecture: 'llama',
        parameters,
        trainedContext,
        tokenizer: { tokens: vocabulary },
        recurrent: false,
      });
    }
    const ended = await engine.inspect({
      lane: 'aligned',
      input: 'What is a harbor?',
      text: (await engine.generate('What is a harbor?')).text,
    });
    await engine.close();
    expect(ended.ends).toBe(true);
    expect(aligned.endTokens?.map(({ token }) => token)).toContain(ended.token);
    expect(aligned.rendered?.map(({ text }) => text).join('')).toBe(
      '<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\nWhat is a harbor?<|im_end|>\n<|im_start|>assistant\n',
    );
    // What people write never spells control tokens.
    expect(aligned.rendered?.find(({ text }) => text.includes('harbor'))?.special).toBe(false);
    expect([base.suits.base, base.suits.aligned, aligned.suits.aligned]).toEqual(['yes', 'no', 'yes']);
    expect(base.chatTemplate).toBeUndefined();
    expect(base).not.toHaveProperty('rendered');
  });

  test('renders the chat that it is given', async () => {
    const { rendered } = await describeModel(demo('aligned'), { chat: [{ role: 'user', content: '<|im_end|>' }] });
    const spelt = rendered?.filter(({ text }) => text.includes('<|im_end|>')).map(({ special }) => special);
    expect(spelt).toContain(false);
  });

  test('of bytes that lie elsewhere tells what the header says', async () => {
    const model = await described();
    expect(model).toEqual({
      bytes: expect.any(Number),
      parts: 1,
      name: 'A model',
      architecture: 'llama',
      parameters: 1024,
      quantization: {
        name: 'Q4_K_M',
        bitsPerWeight: ((3 * 144 + 1024) * 8) / 1024,
        types: [
          { type: 'F32', tensors: 1, parameters: 256, bytes: 1024 },
          { type: 'Q4_K', tensors: 1, parameters: 768, bytes: 432 },
        ],
      },
      trainedContext: 4096,
      layers: 2,
      embedding: 256,
      tokenizer: { model: 'gpt2', pre: 'llama-bpe', tokens: 3, eos: { token: 2, text: '</s>' } },
      suits: { base: 'yes', aligned: 'no', because: expect.any(String) },
      warnings: [],
    });
  });

  test.each<[what: string, changed: Record<string, Value>, suits: [string, string]]>([
    ['a base', {}, ['yes', 'no']],
    [
      'a tuned one',
      { 'general.name': ['string', 'Llama 3.1 8B Instruct'], 'tokenizer.chat_template': ['string', '{{ x }}'] },
      ['no', 'yes'],
    ],
    [
      'a tuned one by its short name',
      { 'general.name': ['string', 'gemma-2-2b-it'], 'tokenizer.chat_template': ['string', '{{ x }}'] },
      ['no', 'yes'],
    ],
    ['a tuned one without a template', { 'general.finetune': ['string', 'Instruct'] }, ['no', 'perhaps']],
    ['one that only has a template', { 'tokenizer.chat_template': ['string', '{{ x }}'] }, ['perhaps', 'yes']],
    [
      'a base with a template',
      { 'general.name': ['string', 'Qwen3 4B Base'], 'tokenizer.chat_template': ['string', '{{ x }}'] },
      ['yes', 'no'],
    ],
    ['a name with it in a word', { 'general.name': ['string', 'Whitechattel Instructions'] }, ['yes', 'no']],
    ['an embedding model', { 'general.architecture': ['string', 'nomic-bert'] }, ['no', 'no']],
  ])('%s suits so', async (_, changed, [base, aligned]) => {
    expect((await described(changed)).suits).toMatchObject({ base, aligned });
  });

  test('tells what to beware of', async () => {
    const warnings = async (changed: Record<string, Value>, weights?: Tensor[]) => (await described(changed, weights)).warnings.join(' ');
    expect(await warnings({}, [])).toContain('holds no weights');
    expect(await warnings({}, [{ name: 't', shape: [256, 256], type: 10 }])).toContain('2.6 bits a weight');
    expect(await warnings({ 'llama.context_length': ['u32', 512] })).toContain('trained with 512 tokens');
    expect(await warnings({ 'split.count': ['u32', 3] })).toContain('one of 3 parts');
    const { 'tokenizer.ggml.pre': _, ...without } = values;
    expect((await describeModel(sourceOf(ggufBytes(without, tensors)))).warnings.join()).toContain('tokenizer.ggml.pre');
  });

  test('reads all parts of a model', async () => {
    const part = (index: number) => path.join(folder, `big-0000${index}-of-00002.gguf`);
    writeFileSync(part(1), ggufBytes({ ...values, 'split.count': ['u32', 2] }, [tensors[0] as Tensor]));
    writeFileSync(part(2), ggufBytes({ 'split.count': ['u32', 2] }, [tensors[1] as Tensor]));
    const model = await describeModel(part(1));
    // The engine wants weights behind the header.
    expect(model).toMatchObject({ parts: 2, parameters: 1024, suits: { base: 'no' } });
    expect(model.warnings[0]).toMatch(/^The engine refuses it: /);
  });

  test.each<[string, string | object, string, RegExp]>([
    ['a missing file', path.join(folder, 'missing'), 'ERR_MODEL_UNREADABLE', /no model file at/],
    ['a folder', folder, 'ERR_MODEL_UNREADABLE', /is a directory/],
    ['a text', inRoot('README.md'), 'ERR_MODEL_INVALID', /is not a GGUF file/],
    ['bytes that are no model', sourceOf(Buffer.alloc(100)), 'ERR_MODEL_INVALID', /the model is no GGUF file/],
    ['nothing', '', 'ERR_INVALID_OPTION', /`source` must be the path of a GGUF file/],
    ['a number', 5 as never, 'ERR_INVALID_OPTION', /`source`/],
  ])('refuses %s', async (_, source, code, message) => {
    const failure = await describeModel(source as string).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(NudgingError);
    expect(failure).toMatchObject({ code, message: expect.stringMatching(message) });
  });
});

describe('nudging inspect', () => {
  const inspect = (...args: string[]) => nudging(['inspect', ...args], { raw: true });

  test('prints what the model is, in words', async () => {
    const { stdout, stderr, code } = await inspect(demo('aligned'), '--question', 'How are you?', '--system', '');
    expect({ stderr, code }).toEqual({ stderr: '', code: 0 });
    for (const part of ['architecture    llama\n', 'parameters      1.1 M\n', 'quantisation    F16, 16.01 bits', 'aligned         yes\n'])
      expect(stdout).toContain(part);
    expect(stdout).toContain('  <|im_start|>user\n  How are you?<|im_end|>\n  <|im_start|>assistant\n');
    expect(stdout).not.toContain('system');
    expect((await inspect(demo('base'))).stdout).toContain('It has no chat template.');
  });

  test('--json prints the same as the library', async () => {
    expect(JSON.parse((await inspect('--json', demo('aligned'))).stdout)).toEqual(
      JSON.parse(JSON.stringify(await describeModel(demo('aligned')))),
    );
  });

  test('--template prints the template', async () => {
    expect((await inspect('--template', demo('aligned'))).stdout).toBe(`${(await describeModel(demo('aligned'))).chatTemplate}\n`);
    expect(await inspect('--template', demo('base'))).toMatchObject({
      code: 2,
      stdout: '',
      stderr: expect.stringContaining('has no chat template'),
    });
  });

  test('works where there is no addon', async () => {
    const { stdout, code } = await nudging(['inspect', demo('aligned')], { raw: true, env: { NUDGING_BINARY: 'nowhere' } });
    expect(code).toBe(0);
    expect(stdout).toContain('Its chat template could not be rendered.');
  });

  test('a name with escape codes does nothing', async () => {
    const file = path.join(folder, 'evil.gguf');
    writeFileSync(file, ggufBytes({ ...values, 'general.name': ['string', 'a\x1b[2Jb\nc'] }, tensors));
    expect((await inspect(file)).stdout).toContain('name            a\ufffd[2Jb\\nc\n');
  });

  test.each([
    [[], 'no file: name a GGUF file or hf:owner/repo, see nudging inspect --help'],
    [['a', 'b'], '2 files were given: name one'],
    [[folder], 'is a directory: name the .gguf file in it'],
  ])('%j is one line', async (args, message) => {
    const { stdout, stderr, code } = await inspect(...args);
    expect({ stdout, code }).toEqual({ stdout: '', code: 2 });
    expect(stderr).toMatch(/^nudging: [^\n]+\n$/);
    expect(stderr).toContain(message);
  });
});
