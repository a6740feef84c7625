import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import os from 'node:os';
import path from 'node:path';
import { Ajv, type AnySchemaObject } from 'ajv';
import { afterAll, describe, expect, test } from 'vitest';
import { Nudging, readPair, type LoadOptions, type NudgingError } from '../lib/index.ts';
import { loadRules } from '../lib/options.ts';
import { manifestRules } from '../lib/pair.ts';
import { inRoot } from '../scripts/lib/paths.mjs';

const question = 'What is a harbor?';
const folder = mkdtempSync(path.join(os.tmpdir(), 'nudging-pair-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

let written = 0;
/** Writes a manifest of the demo pair's models with these settings. */
function manifest(settings: object): string {
  written += 1;
  const file = path.join(folder, `${written}.json`);
  writeFileSync(file, JSON.stringify({ base: inRoot('models/demo/base.gguf'), aligned: inRoot('models/demo/aligned.gguf'), ...settings }));
  return file;
}
const refusal = async (settings: object) => (await readPair(manifest(settings)).catch((reason: unknown) => reason)) as NudgingError;

test.each([null, undefined, 5, '', Symbol('x')])('readPair refuses %s as a path by name', async (path) => {
  await expect(readPair(path as never)).rejects.toMatchObject({ code: 'ERR_INVALID_OPTION', option: 'pair' });
});

describe('the schema', () => {
  const schema = createRequire(import.meta.url)('nudging/pair.schema.json') as AnySchemaObject & { properties: Record<string, unknown> };
  const validate = new Ajv({ allowUnionTypes: true }).compile(schema);
  const says = (settings: object) => validate({ base: 'b.gguf', aligned: 'a.gguf', ...settings });

  test.each(['pair.json', 'pair-cross.json'])('holds for models/demo/%s, which names it', (name) => {
    const file = inRoot('models/demo', name);
    const pair = JSON.parse(readFileSync(file, 'utf8'));
    validate(pair);
    expect(validate.errors).toBeNull();
    expect(path.resolve(path.dirname(file), pair.$schema)).toBe(inRoot('schema/pair.schema.json'));
  });

  test('has the properties that the loader takes, and requires the two files', () => {
    expect(Object.keys(schema.properties).sort()).toEqual(Object.keys(manifestRules).sort());
    expect(validate({ base: 'b.gguf' })).toBe(false);
    expect(says({ gama: 0.4 })).toBe(false);
  });

  test('says of every value what the loader says', () => {
    // Every number that a rule or the schema has, and its neighbours; and values of every kind.
    const texts = [JSON.stringify(schema), ...Object.values(manifestRules).map(({ expected }) => expected)];
    const bounds = texts.flatMap((each) => [...each.matchAll(/-?\d+(\.\d+)?/g)].map(([number]) => Number(number)));
    const numbers = [...new Set(bounds.flatMap((bound) => [bound, bound - 1, bound + 1, bound - 0.001, bound + 0.001, bound / 2]))];
    const words = [
      '',
      'x',
      'auto',
      ' x',
      'x y',
      'true',
      'all',
      'ALL',
      'plain',
      'Plain',
      'amx',
      'AMX',
      'f16',
      'F16',
      'q4_0',
      'q4_2',
      'aligned',
      'check',
      'any',
      'token',
      'byte',
      'x'.repeat(300),
    ];
    const single = [null, true, false, ...words, ...numbers];
    const lanes = single.flatMap((one) => [
      { base: one },
      { base: one, aligned: one },
      { small: one },
      { open: one, close: one },
      { open: '<', close: one, ...(one === true ? { more: 1 } : {}) },
      { open: one },
      { ' word': one },
      { base: { ' word': one, 5: 1 } },
      { aligned: { 5: one } },
    ]);
    const lists = single.flatMap((one) => [[one], ['amx', one]]);
    const names = [{ 5: 1 }, { '05': 1 }, { '': 1 }, { ['x'.repeat(257)]: 1 }, { base: { '': 1 } }, { base: { ['x'.repeat(257)]: 1 } }];
    // That `low` is at most `high` no schema can say.
    const rules = single.flatMap((one) => [
      { name: one },
      { name: 'top1', gamma: one },
      { name: 'bet', lambda: one },
      { name: 'bet', low: one },
      { name: 'hybrid', low: one, high: 2 },
      { name: 'hybrid', low: 0, high: one, lambda: 1 },
      { name: 'hybrid', lambda: one },
      { name: 'margin', margin: one },
      { name: 'entropy', entropy: one },
      { name: 'blend', tau: one },
      { name: 'blend', weight: one },
      { name: 'kad-dual', alpha: one },
      { name: 'kad-primal', alpha: one },
      { name: 'kad-primal', lambda: one },
      { name: 'bet-token', lambda: one },
    ]);
    const guards = single.flatMap((one) => [{ every: one }, { tokens: one, every: 5 }, { phrases: [one] }, { ask: one }, { often: one }]);
    const allRules = ['top1', 'bet', 'hybrid', 'margin', 'entropy', 'blend', 'kad-dual', 'kad-primal', 'bet-token', 'ratio', 'product'];
    const overrides = (pattern: unknown, device: unknown) => [[{ pattern, device }], { base: [{ pattern, device }] }];
    const placements = [
      ['CUDA0', 'CUDA1'],
      ['CUDA0', 'CUDA0'],
      ['a b'],
      [0, 0],
      [0, 1],
      { aligned: ['CPU'] },
      { base: [1, 2] },
      'layer',
      'row',
      { aligned: 'none' },
      Array.from({ length: 17 }, (_, at) => `CUDA${at}`),
      Array.from({ length: 17 }, (_, at) => at),
      ...single.flatMap((one) => [...overrides(one, 'CPU'), ...overrides('ffn', one)]),
      ...['a/b', 'a\\.b', '^(x|y)[0-9]{2}$'].flatMap((pattern) => overrides(pattern, 'CUDA0')),
      [{ pattern: 'a', device: 'CPU', more: 1 }],
      [{ pattern: 'a' }],
      [],
      Array.from({ length: 65 }, () => ({ pattern: 'a', device: 'CPU' })),
    ];
    const rpcServers = [
      ...['10.0.0.2:50052', 'gpu-1.lan:1', 'a_b:65535', 'a:0', 'a:65536', 'a:99999', 'a:80x', 'a:080', 'a', ':1', '::1:1', '-a:1', 'a-:1'],
      ...['a..b:1', 'http://a:1', 'a:1/', 'a b:1', `${'a'.repeat(64)}:1`, `${'a.'.repeat(128)}a:1`, `${'a.'.repeat(129)}a:1`],
    ].map((one) => [one]);
    const manyServers = [1, 2].map((more) => Array.from({ length: 15 + more }, (_, at) => `a:${at + 1}`));
    const server = { url: 'http://10.0.0.2:8000/v1', api: 'vllm', tokenizer: 't.gguf' };
    const servers = single.flatMap((one) => [
      ...Object.keys(server).map((name) => ({ ...server, [name]: one })),
      { ...server, model: one, timeout: one },
      { ...server, connections: one },
      { ...server, headers: { Authorization: one } },
      { ...server, headers: one },
      { ...server, more: one },
      { url: server.url, api: server.api },
    ]);
    const ruleNames = [...allRules, { name: 'blend', weight: 'product' }].flatMap((name) => [name, { name }]);
    const values = [
      ...single,
      ...lanes,
      ...lists,
      ...names,
      ...rules,
      ...ruleNames,
      ...guards,
      ...placements,
      ...servers,
      ...rpcServers,
      ...manyServers,
      ['a:1', 'b:1'],
      ['a:1', 'a:1'],
      {},
      [],
    ];
    const taken = new Map<string, number>();
    const apart = Object.entries(manifestRules).flatMap(([name, rule]) => {
      return values.flatMap((value) => {
        const good = rule.check(value);
        taken.set(name, (taken.get(name) ?? 0) + Number(good));
        return good === says({ [name]: value })
          ? []
          : [`${name}: ${JSON.stringify(value)} is ${good ? 'taken' : 'refused'} by the loader alone`];
      });
    });
    expect(apart).toEqual([]);
    // Of each there was something to take.
    expect([...taken.entries()].filter(([, count]) => count === 0)).toEqual([]);
  });

  test('has the defaults of the library', async () => {
    const { defaults } = await import('../lib/index.ts');
    const { defaultBasePrompt } = await import('../lib/prompts.ts');
    const stated = Object.entries(schema.properties as Record<string, { default?: unknown }>).filter(
      ([, property]) => property.default !== undefined,
    );
    const known: Record<string, unknown> = { ...defaults, basePrompt: defaultBasePrompt };
    for (const [name, property] of stated) if (name in known) expect([name, property.default]).toEqual([name, known[name]]);
  });
});

describe('a manifest', () => {
  test('takes every option but those of the program, and says whose they are', async () => {
    const refused = Object.keys(loadRules)
      .filter((option) => !(option in manifestRules))
      .sort();
    expect(refused).toEqual([
      'compat',
      'fit',
      'highWaterMark',
      'isolate',
      'maxQueue',
      'mode',
      'onProgress',
      'onWarning',
      'otherModels',
      'pair',
      'prefill',
      'signal',
      'signals',
      'timeout',
      'trace',
    ]);
    for (const option of refused) {
      const error = await refusal({ [option]: true });
      expect(error).toMatchObject({ code: 'ERR_PAIR_INVALID' });
      expect(error.message).toContain(`\`${option}\` is for the program that loads the pair: pass it to Nudging.load`);
    }
  });

  test('with an unknown or a wrong setting is refused, with the name that is near', async () => {
    expect((await refusal({ gama: 0.4 })).message).toMatch(/is wrong: unknown option `gama`: did you mean `gamma`\?/);
    expect((await refusal({ max_tokens: 5 })).message).toMatch(/`max_tokens`: did you mean `maxTokens`\?/);
    expect((await refusal({ whatever: 5 })).message).toMatch(/unknown option `whatever`; known are /);
    expect((await refusal({ temperature: -1 })).message).toMatch(/`temperature` must be a number from 0 to 100; got -1/);
    expect((await refusal({ logitBias: { ' a': 1000 } })).message).toMatch(/`logitBias` must be .* for " a"; got 1000/);
    expect((await refusal({ templateOptions: { messages: [] } })).message).toMatch(
      /`templateOptions.messages` must be left out or renamed/,
    );
    expect((await refusal({ thinking: { open: ' <' } })).message).toMatch(/`thinking` must be true or false or \{ open, close \}/);
    expect((await refusal({ seed: null })).message).toMatch(/`seed` must be an integer .*; got null/);
    expect((await refusal({ $schema: 5 })).message).toMatch(/`\$schema` must be a string/);
  });

  test('may name its schema, which is nothing of the pair', async () => {
    const pair = await readPair(manifest({ $schema: 'anywhere', gamma: 0.3 }));
    expect(Object.keys(pair).sort()).toEqual(['aligned', 'base', 'gamma']);
  });
});

describe('the nearest holds: an option, else the pair, else the default', () => {
  const whatHolds = async (load: LoadOptions) => {
    await using engine = await Nudging.load(load);
    const { base, aligned } = engine.models;
    const { stats, seed, text } = await engine.generate(question, { maxTokens: 30 });
    return {
      context: [base.context, aligned.context],
      kvCache: [base.kvCache, aligned.kvCache],
      parallel: engine.parallel,
      deterministic: engine.deterministic,
      buffers: Object.keys({ ...base.memory.buffers, ...aligned.memory.buffers }),
      mapped: base.memory.mapped > 0,
      guessed: stats.base.guessed > 0,
      seed,
      text,
    };
  };

  test('for what is loaded', async () => {
    const pair = manifest({
      context: { base: 300, aligned: 400 },
      kvCache: 'q8_0',
      parallel: 2,
      deterministic: false,
      cpuBuffers: 'plain',
      mmap: false,
      speculation: false,
      flashAttention: true,
    });
    const plain = {
      context: [300, 400],
      kvCache: ['q8_0', 'q8_0'],
      parallel: 2,
      deterministic: false,
      buffers: ['CPU'],
      mapped: false,
      guessed: false,
    };
    expect(await whatHolds({ pair })).toMatchObject(plain);
    // One model's value leaves the other's.
    const own = {
      context: { aligned: 320 },
      kvCache: { base: 'f16' },
      parallel: 1,
      deterministic: true,
      mmap: true,
      speculation: 4,
    } as const;
    expect(await whatHolds({ pair, ...own })).toMatchObject({
      context: [300, 320],
      kvCache: ['f16', 'q8_0'],
      parallel: 1,
      deterministic: true,
      mapped: true,
      guessed: true,
    });
    expect(await whatHolds({ pair, context: 256, cpuBuffers: undefined as never })).toMatchObject({ ...plain, context: [256, 256] });
    const one = manifest({ context: 300 });
    expect(await whatHolds({ pair: one, context: { base: 280 } })).toMatchObject({ context: [280, 300] });
  });

  test("for cpuBuffers the environment, which is the machine's, comes before the pair", async () => {
    process.env['NUDGING_CPU_BUFFERS'] = 'nonsense';
    try {
      const pair = manifest({ cpuBuffers: 'plain' });
      await expect(Nudging.load({ pair })).rejects.toMatchObject({ option: 'NUDGING_CPU_BUFFERS' });
      expect((await whatHolds({ pair, cpuBuffers: 'plain' })).buffers).toEqual(['CPU']);
    } finally {
      delete process.env['NUDGING_CPU_BUFFERS'];
    }
  });

  test('for how answers are made', async () => {
    const pair = manifest({ temperature: 1, topP: 0.9, seed: 7, repeatPenalty: 1.2, logitBias: { ' shelter': -100 }, gamma: 0.3 });
    const greedy = await whatHolds({ pair, temperature: 0, repeatPenalty: 1, logitBias: {}, gamma: 0.4 });
    expect(greedy.text).toBe((await whatHolds({})).text);
    const sampled = await whatHolds({ pair });
    expect(sampled.seed).toBe(7);
    expect(sampled.text).not.toBe(greedy.text);
    expect(sampled.text).toBe(
      (await whatHolds({ temperature: 1, topP: 0.9, seed: 7, repeatPenalty: 1.2, logitBias: { ' shelter': -100 }, gamma: 0.3 })).text,
    );
    expect(await whatHolds({ pair, seed: 8 })).toMatchObject({ seed: 8 });
  });

  test('an isolated engine is given the same', async () => {
    const pair = manifest({ context: 300, temperature: 1, seed: 7 });
    const { text, ...here } = await whatHolds({ pair });
    expect(await whatHolds({ pair, isolate: true })).toEqual({ text, ...here });
    expect(here.context).toEqual([300, 300]);
  });
});
