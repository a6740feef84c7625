import { describe, expect, test } from 'vitest';
import { readArguments } from '../lib/cli/args.ts';
import { Nudging, type LoadOptions } from '../lib/index.ts';
import { withPair } from '../lib/pair.ts';
import { placementOf } from '../lib/placement.ts';
import { faultOf } from '../lib/tensor-overrides.ts';

const question = 'What is a harbor?';
const refusal = (load: LoadOptions) =>
  Nudging.load(load).then(
    (engine) => engine.close().then(() => 'it loads'),
    (error: unknown) => error,
  );

describe('patterns of weights', () => {
  const fault = (...patterns: string[]) => faultOf(patterns.map((pattern) => ({ pattern, device: 'CPU' })));

  test.each([
    'ffn_.*_exps',
    String.raw`^blk\.(0|1|2[0-9])\.ffn_(up|down|gate)_(ch|)exps`.replace('(ch|)', '(ch)?'),
    String.raw`blk\.\d+\.attn_[kv]\.weight$`,
    String.raw`blk\.[0-9]{1,2}\.`,
    'token_embd',
    'a{2}b{2,}c{,3}'.replace('{,3}', '?'),
    '[^a-f_]x',
  ])('%s is a simple one, and a regular expression', (pattern) => {
    expect(fault(pattern)).toBeUndefined();
    expect(() => new RegExp(pattern)).not.toThrow();
  });

  test.each([
    '',
    '(',
    ')',
    'a)',
    '(a',
    '()',
    'a|',
    '|a',
    '*',
    '+a',
    'a**',
    'a+?',
    'a{2}{3}',
    'a{3,2}',
    '(a*)*',
    '(a|b)+',
    '(?=a)',
    '(?:a)',
    '\\1',
    '\\b',
    '[',
    '[]',
    '[z-a]',
    'a{',
    '{2}',
    '$*',
    '\\',
  ])('%j is refused', (pattern) => {
    expect(fault(pattern)).toMatchObject({ value: pattern, expected: expect.stringContaining('patterns of characters') as string });
  });

  test('that could take long are refused, one by one or together', () => {
    expect(fault('.*a.*b')).toBeUndefined();
    expect(fault('.*a.*b.*c')).toMatchObject({ value: '.*a.*b.*c', expected: expect.stringContaining('very long') as string });
    expect(fault('.*a.*b', '.*c.*d')).toMatchObject({ value: '.*c.*d' });
    expect(fault('(.|.)'.repeat(12))).toBeUndefined();
    expect(fault('(.|.)'.repeat(13))).toMatchObject({ expected: expect.stringContaining('very long') as string });
    expect(fault('a?'.repeat(13))).toBeDefined();
    expect(fault('a{1,64}b{1,64}c{1,2}')).toBeDefined();
  });
});

describe('where a model is to be', () => {
  test('is told by few words', () => {
    expect(placementOf({})).toEqual({ cpuMoe: 0, overrideTensors: [] });
    expect(placementOf({ cpuMoe: true, mainGpu: 0, splitMode: 'none' })).toEqual({
      cpuMoe: -1,
      mainGpu: 0,
      splitMode: 'none',
      overrideTensors: [],
    });
    expect(placementOf({ cpuMoe: false }).cpuMoe).toBe(0);
    expect(placementOf({ cpuMoe: 3, devices: ['CUDA0'], tensorSplit: [1] })).toEqual({
      cpuMoe: 3,
      devices: ['CUDA0'],
      tensorSplit: [1],
      overrideTensors: [],
    });
  });

  test.each([
    [{ mainGpu: 1, splitMode: 'layer' }, 'mainGpu'],
    [{ mainGpu: 1, tensorSplit: [1, 1] }, 'tensorSplit'],
    [{ splitMode: 'none', tensorSplit: [1, 1] }, 'tensorSplit'],
    [{ splitMode: 'tensor', flashAttention: false }, 'flashAttention'],
    [{ overrideTensors: [{ pattern: '(a*)*', device: 'CPU' }] }, 'overrideTensors'],
    [{ devices: [] }, 'devices'],
    [{ devices: ['CUDA0', 'CUDA0'] }, 'devices'],
    [{ tensorSplit: [0, 0] }, 'tensorSplit'],
    [{ splitMode: 'column' }, 'splitMode'],
    [{ mainGpu: -1 }, 'mainGpu'],
    [{ cpuMoe: -1 }, 'cpuMoe'],
  ])('%o is refused', async (options, option) => {
    for (const each of [options, Object.fromEntries(Object.entries(options).map(([name, value]) => [name, { aligned: value }]))])
      expect(await refusal(each as LoadOptions)).toMatchObject({ code: 'ERR_INVALID_OPTION', option });
  });

  test('is an option for each model, which holds before the pair', async () => {
    const { devices, tensorSplit, cpuMoe } = await withPair({
      devices: { base: ['CUDA0'] },
      tensorSplit: [1, 2],
      cpuMoe: { aligned: true },
    });
    expect({ devices, tensorSplit, cpuMoe }).toEqual({ devices: { base: ['CUDA0'] }, tensorSplit: [1, 2], cpuMoe: { aligned: true } });
  });

  test('is told on the command line', () => {
    const flags = '--devices base=CUDA0/CUDA1,aligned=CUDA1 --split-mode layer --tensor-split 3/1 --main-gpu aligned=0 --cpu-moe base=4';
    const moved = ['--override-tensor', 'ffn_.*=CPU', '--override-tensor', 'base:^a=CUDA1'];
    expect(readArguments([...flags.split(' '), ...moved, question]).load).toMatchObject({
      devices: { base: ['CUDA0', 'CUDA1'], aligned: ['CUDA1'] },
      splitMode: 'layer',
      tensorSplit: [3, 1],
      mainGpu: { aligned: 0 },
      cpuMoe: { base: 4 },
      overrideTensors: {
        base: [
          { pattern: 'ffn_.*', device: 'CPU' },
          { pattern: '^a', device: 'CUDA1' },
        ],
        aligned: [{ pattern: 'ffn_.*', device: 'CPU' }],
      },
    });
    expect(readArguments(['--cpu-moe', 'true', question]).load.cpuMoe).toBe(true);
    expect(() => readArguments(['--override-tensor', 'ffn', question])).toThrow('it must be PATTERN=DEVICE, such as ffn_.*_exps=CPU');
    expect(() => readArguments(['--tensor-split', '1/x', question])).toThrow('with / between them');
    expect(() => readArguments(['--split-mode', 'col', question])).toThrow('or base=N,aligned=N with such values');
  });
});

// What a GPU has is tested with made-up ones: test/engine/placement_test.cpp.
describe.skipIf(process.env['NUDGING_VARIANT'] !== undefined || process.platform === 'darwin')('without a GPU', () => {
  test('one that is asked for by name is missed', async () => {
    expect(await refusal({ devices: { aligned: ['CUDA3'] } })).toMatchObject({
      code: 'ERR_DEVICE_UNSUITABLE',
      message: '`devices` of the aligned model names "CUDA3", and this machine has no GPU that this binary can use: leave it out',
    });
    expect(await refusal({ overrideTensors: [{ pattern: 'ffn_up', device: 'CUDA0' }] })).toMatchObject({
      code: 'ERR_DEVICE_UNSUITABLE',
      message: expect.stringMatching(/puts "ffn_up" on "CUDA0", and .* no GPU .*: name CPU$/) as string,
    });
  });

  test('what names none has no effect, and weights may be said to stay where they are', async () => {
    await using plain = await Nudging.load();
    const load = { splitMode: 'layer', tensorSplit: { base: [1, 2, 3] }, mainGpu: { aligned: 5 }, cpuMoe: true } as const;
    await using told = await Nudging.load({
      ...load,
      overrideTensors: [{ pattern: 'ffn_(up|down)', device: 'cpu' }],
      splitMode: { base: 'layer' },
    });
    expect([told.models.base.gpuLayers, told.models.base.devices]).toEqual([0, {}]);
    const [one, other] = await Promise.all([plain.generate(question), told.generate(question)]);
    expect(other.text).toBe(one.text);
  });

  test('a pattern that is in no name is refused', async () => {
    expect(await refusal({ overrideTensors: { base: [{ pattern: 'blk.99.', device: 'CPU' }] } })).toMatchObject({
      code: 'ERR_DEVICE_UNSUITABLE',
      message: expect.stringMatching(/"blk\.99\.", which is found in no weight of ".*base\.gguf": they have names such as/) as string,
    });
  });
});
