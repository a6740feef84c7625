import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { inRoot } from '../scripts/lib/paths.mjs';

describe('the driver that a CUDA addon is linked with', () => {
  test('has every function of the driver that llama.cpp calls, and no other', () => {
    const folder = inRoot('vendor/llama.cpp/ggml/src/ggml-cuda');
    const sources = readdirSync(folder).filter((name) => /\.cuh?$/.test(name) && !name.startsWith('nudging-'));
    const called = sources.flatMap((name) => [...readFileSync(path.join(folder, name), 'utf8').matchAll(/\b(cu[A-Z]\w+) ?\(/g)].map(([, one = '']) => one));
    const forwarded = [...readFileSync(inRoot('native/cuda/driver.cpp'), 'utf8').matchAll(/(?:^FORWARD\(|CUresult CUDAAPI )(cu[A-Z]\w+)/gm)].map(([, one = '']) => one);
    expect([...new Set(called)].sort()).toEqual([...forwarded].sort());
  });
});

/** Built only by those who have the toolkit: npm run build:cuda. */
const addon = ['cuda-release', 'cuda-release-portable'].map((tree) => inRoot('.native', tree, 'nudging.node')).find((file) => existsSync(file));

describe.skipIf(addon === undefined || process.platform !== 'linux')('a CUDA addon', () => {
  test('does not need the driver to be loaded', () => {
    const needed = execFileSync('readelf', ['-d', String(addon)], { encoding: 'utf8' });
    expect(needed).toMatch(/NEEDED.*libcublas\.so/);
    expect(needed).not.toMatch(/NEEDED.*libcuda\.so/);
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
