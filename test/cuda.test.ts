import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { placements, speeds, vocabularies } from '../bench/gpu/speeds.mjs';
import { speedRow, speedTable } from '../bench/gpu/table.mjs';
import { sizes, weightsOf } from '../scripts/lib/gpu/models.mjs';
import { runChild } from '../scripts/lib/gpu/run.mjs';
import { isGood } from '../scripts/lib/gpu/stress.mjs';
import { inRoot } from '../scripts/lib/paths.mjs';

const scratch = mkdtempSync(path.join(os.tmpdir(), 'nudging-cuda-'));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

describe('the driver that a CUDA addon is linked with', () => {
  test('has every function of the driver that llama.cpp calls, and no other', () => {
    const folder = inRoot('vendor/llama.cpp/ggml/src/ggml-cuda');
    const sources = readdirSync(folder).filter((name) => /\.cuh?$/.test(name) && !name.startsWith('nudging-'));
    const code = (name: string) => readFileSync(path.join(folder, name), 'utf8').replaceAll(/\/\/.*|\/\*[\s\S]*?\*\//g, '');
    const called = sources.flatMap((name) => [...code(name).matchAll(/\b(cu[A-Z]\w+) ?\(/g)].map(([, one = '']) => one));
    const forwarded = [
      ...readFileSync(inRoot('native/backend/cuda/driver.cpp'), 'utf8').matchAll(/(?:^FORWARD\(|CUresult CUDAAPI )(cu[A-Z]\w+)/gm),
    ].map(([, one = '']) => one);
    expect([...new Set(called)].sort()).toEqual([...forwarded].sort());
  });
});

/** Built only by those who have the toolkit: npm run build:cuda. */
const addon = ['cuda-release', 'cuda-release-portable']
  .map((tree) => inRoot('.native', tree, 'nudging.node'))
  .find((file) => existsSync(file));

describe.skipIf(addon === undefined || process.platform !== 'linux')('a CUDA addon', () => {
  test('does not need the driver to be loaded', () => {
    const needed = execFileSync('readelf', ['-d', String(addon)], { encoding: 'utf8' });
    expect(needed).toMatch(/NEEDED.*libcublas\.so/);
    expect(needed).not.toMatch(/NEEDED.*libcuda(?:rt)?\.so/);
  });

  const libraries = spawnSync('ldd', [String(addon)], { encoding: 'utf8' }).stdout;
  test.skipIf(/libcu\w+\.so\S* => not found/.test(libraries))('answers without a GPU, on the CPU', () => {
    const script = `import { Nudging } from ${JSON.stringify(inRoot('dist/index.js'))};
      const engine = await Nudging.load();
      console.log(engine.models.base.gpuLayers, (await engine.generate('What is a harbor?')).text);
      await engine.close();`;
    const env = { ...process.env, NUDGING_BINARY: addon, CUDA_VISIBLE_DEVICES: '-1' };
    const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', script], { env, encoding: 'utf8' });
    expect([stdout, stderr]).toEqual([expect.stringMatching(/^0 .*a sheltered port/), '']);
  });
});

describe('what asks many at once on a GPU', () => {
  const order = {
    load: { gpuLayers: 0, context: 128, parallel: 2 },
    ask: { maxTokens: 8 },
    questions: ['What is a harbor?', 'What is a blur?'],
    streams: 2,
    seconds: 0,
  };
  const setting = { name: 'any', weights: 'f16', streams: 2 } as const;
  const onGpu = (ended: Awaited<ReturnType<typeof runChild>>) => ({
    setting,
    ...ended,
    outcome: ended.outcome && { ...ended.outcome, gpuLayers: 1 },
  });

  test('compares each answer with the expected one, and takes no other without a tie', async () => {
    const first = await runChild(order, { limit: 60 });
    expect(first).toMatchObject({ died: '', outcome: { answers: 2, same: 2, wrong: [], errors: {}, gpuLayers: 0 } });
    const reference = path.join(scratch, 'reference.json');
    writeFileSync(reference, JSON.stringify({ ...first.outcome?.texts, 'What is a blur?': 'A dream.' }));
    const second = await runChild({ ...order, reference }, { limit: 60 });
    expect(second.outcome).toMatchObject({ same: 1, ties: 0, wrong: [{ question: 'What is a blur?', expected: 'A dream.' }] });
    // What ran on the CPU says nothing about a GPU.
    expect([{ setting, ...first }, onGpu(first), onGpu(second)].map(isGood)).toEqual([false, true, false]);
  });

  test('counts failures by their code, and says how a process died', async () => {
    const fake = { NUDGING_BINARY: inRoot('test/support/fake-addon.cjs') };
    const failed = await runChild({ ...order, questions: ['broken', 'gpu'] }, { limit: 60, env: fake });
    expect(failed.outcome?.errors).toEqual({ ERR_DECODE_FAILED: 1, ERR_DEVICE_FAILED: 1 });
    const died = await runChild({ ...order, questions: ['cuda'], streams: 1 }, { limit: 60, env: fake });
    expect(died).toMatchObject({ outcome: undefined, died: 'SIGABRT: CUDA error: an illegal instruction was encountered' });
    const late = await runChild({ ...order, questions: ['endless'], streams: 1 }, { limit: 1, env: fake });
    expect(late.died).toMatch(/^still running after 1 s/);
    expect([failed, died, late].map(onGpu).map(isGood)).toEqual([false, false, false]);
  });

  test('every row of speed has a name of its own and a pair that there is, and each setting is compared with another', () => {
    const rows = [
      ...Object.keys(sizes).flatMap((size) => speeds(size, weightsOf(size))),
      ...vocabularies(),
      ...placements('big', 'f16', ['A', 'B']),
    ];
    expect(new Set(rows.map(({ name }) => name)).size).toBe(rows.length);
    expect(rows.filter(({ size = '' }) => !Object.hasOwn(sizes, size))).toEqual([]);
    expect(placements('big', 'f16', ['A'])).toEqual([]);
    const loads = rows.map(({ load = {} }) => JSON.stringify(load));
    for (const load of [{ deviceTop1: true }, { deviceTop1: true, padPasses: true }, { devices: { base: ['A'], aligned: ['B'] } }, {}])
      expect(loads).toContain(JSON.stringify(load));
  });

  test('the time between passes is what passes do not take, of each of the streams alone', () => {
    const outcome = {
      tokens: 100,
      ms: 1000,
      firstMs: 5,
      passes: { baseDecodes: 100, alignedDecodes: 0, baseMs: 600, alignedMs: 0 },
      wrong: [],
    };
    const setting = { name: 'row', weights: 'f16' as const, streams: 4, ask: { mode: 'base' } };
    const row = speedRow({ setting, outcome: outcome as never, died: '', stderr: '' });
    expect([row[0], row[1], row[2], row[8]]).toEqual(['row', '100', '40.00', '16.00']);
    expect(speedRow({ setting: { ...setting, ask: {} }, outcome: outcome as never, died: '', stderr: '' })[8]).toBe('–');
    expect(speedTable([{ setting, outcome: undefined, died: 'SIGABRT', stderr: '' }])).toContain('died: SIGABRT');
  });

  test('a prompt of the order stands for both models', { timeout: 30_000 }, async () => {
    const load = { gpuLayers: 0, context: 128, parallel: 1, gamma: 0.3 };
    const order = { load, questions: ['What is a harbor?'], streams: 1, seconds: 0, ask: { mode: 'aligned', maxTokens: 8 } };
    const chat = await runChild({ ...order, prompt: sizes['agreeing']?.prompt ?? '' }, { limit: 60 });
    const asked = await runChild(order, { limit: 60 });
    expect(chat.outcome?.texts).toEqual(asked.outcome?.texts);
    const other = await runChild({ ...order, prompt: 'A {question}' }, { limit: 60 });
    expect(other.outcome?.texts).not.toEqual(asked.outcome?.texts);
  });

  test('says where there is no GPU', () => {
    const { status, stderr } = spawnSync(process.execPath, [inRoot('scripts/test-gpu.mjs'), '--quick'], {
      encoding: 'utf8',
      env: { ...process.env, CUDA_VISIBLE_DEVICES: '-1' },
    });
    expect([status, stderr]).toEqual([1, expect.stringMatching(/^nudging: no GPU: .*Nothing was tested\.\n$/)]);
  });
});
