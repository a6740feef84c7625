import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { makePlan } from '../scripts/lib/configs.mjs';
import { fingerprint } from '../scripts/lib/fingerprint.mjs';
import { inRoot } from '../scripts/lib/paths.mjs';
import { relevantLines } from '../scripts/lib/progress.mjs';
import { checkRequirements, findProgram } from '../scripts/lib/requirements.mjs';

const scratch = mkdtempSync(path.join(os.tmpdir(), 'nudging-build-'));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

describe.skipIf(process.platform === 'win32')('requirements', () => {
  let bin: string;
  beforeEach(() => {
    bin = mkdtempSync(path.join(scratch, 'bin-'));
  });
  const script = (name: string, text: string) => {
    writeFileSync(path.join(bin, name), `#!/bin/sh\n${text}\n`);
    chmodSync(path.join(bin, name), 0o755);
  };
  const check = (options: { env?: NodeJS.ProcessEnv; node?: string; variant?: string } = {}) =>
    checkRequirements({ variant: options.variant ?? 'cpu', env: { PATH: bin, ...options.env }, node: options.node });
  const oneSentence = (start: RegExp) =>
    expect.objectContaining({ name: 'BuildError', message: expect.stringMatching(new RegExp(`^${start.source}[^\\n]*$`)) });

  it('names an old Node', async () => {
    await expect(check({ node: '18.20.1' })).rejects.toEqual(oneSentence(/Node\.js 18\.20\.1 is too old: nudging needs 20\.19 or newer/));
  });

  it('names a missing CMake and how to get it', async () => {
    await expect(check()).rejects.toEqual(oneSentence(/CMake 3\.21 or newer is needed .* was not found\. Install it.*cmake/));
  });

  it('names an old CMake', async () => {
    script('cmake', 'echo cmake version 3.16.3');
    await expect(check()).rejects.toEqual(oneSentence(/CMake 3\.16 is too old: 3\.21/));
  });

  it('names a missing compiler, and one that CXX asks for', async () => {
    script('cmake', 'echo cmake version 3.28.1');
    await expect(check()).rejects.toEqual(oneSentence(/a C\+\+20 compiler is needed .* none was found\. Install it/));
    await expect(check({ env: { CXX: 'g++-99' } })).rejects.toEqual(oneSentence(/CXX names "g\+\+-99", which was not found/));
  });

  it('names an old compiler', async () => {
    script('cmake', 'echo cmake version 3.28.1');
    script('g++', 'echo "#define __GNUC__ 9"');
    await expect(check()).rejects.toEqual(oneSentence(/.*g\+\+ \(gcc 9\) is too old for C\+\+20: gcc 11/));
  });

  it('names what a variant lacks', async () => {
    script('cmake', 'echo cmake version 3.28.1');
    script('g++', 'echo "#define __GNUC__ 13"');
    await expect(check({ variant: 'vulkan' })).rejects.toEqual(oneSentence(/the Vulkan shader compiler glslc was not found/));
    script('glslc', 'echo shaderc 2023.2-1; echo glslang 11.13.0-1');
    await expect(check({ variant: 'vulkan' })).rejects.toEqual(oneSentence(/.*glslc \(shaderc 2023\.2\) is too old: 2023\.5 or newer/));
    mkdirSync(path.join(bin, 'sdk/bin'), { recursive: true });
    script('sdk/bin/glslc', 'echo shaderc 2025.2-1');
    await expect(check({ variant: 'vulkan', env: { VULKAN_SDK: path.join(bin, 'sdk') } })).resolves.toBeUndefined();
    await expect(check()).resolves.toBeUndefined();
  });

  it('ends the script with that sentence and exit code 1', () => {
    symlinkSync(process.execPath, path.join(bin, 'node'));
    // A flag that no build had: nothing is up to date, so the requirements are looked at.
    const env = { PATH: bin, HOME: scratch, CXXFLAGS: '-DNUDGING_NEVER_BUILT', NUDGING_LLAMA_CPP_DIR: inRoot('vendor/llama.cpp') };
    const { status, stderr } = spawnSync(process.execPath, [inRoot('scripts/build.mjs')], { env, encoding: 'utf8' });
    expect(stderr).toMatch(/^nudging: CMake 3\.21 or newer is needed[^\n]*\n$/);
    expect(status).toBe(1);
  });
});

it('finds programs in PATH only if they can be run', () => {
  writeFileSync(path.join(scratch, 'tool'), '');
  expect(findProgram('tool', { PATH: scratch })).toBeUndefined();
});

describe('what to build', () => {
  it('gives every variant and configuration a tree of its own', () => {
    const names = ['cpu', 'cuda'].flatMap((variant) => ['release', 'asan'].map((config) => makePlan({ variant, config }, {}).name));
    expect(new Set([...names, makePlan({ variant: 'cpu' }, { NUDGING_NATIVE: 'OFF' }).name]).size).toBe(5);
  });

  it('refuses what it does not know', () => {
    expect(() => makePlan({ variant: 'rocm' })).toThrow('unknown variant "rocm"; known are cpu, cuda, vulkan, metal.');
    expect(() => makePlan({ config: 'fast' })).toThrow('unknown config "fast"');
  });

  it('says so for a wrong flag', () => {
    const { status, stderr } = spawnSync(process.execPath, [inRoot('scripts/build.mjs'), '--fast'], { encoding: 'utf8' });
    expect(stderr).toContain("nudging: Unknown option '--fast'");
    expect(status).toBe(1);
  });
});

describe('an up-to-date build', () => {
  const checkout = path.join(scratch, 'checkout');
  const source = path.join(checkout, 'ggml/src/ggml-cpu/ops.cpp');
  const key = () => fingerprint(makePlan({}), 'addon', checkout);
  beforeEach(() => {
    rmSync(checkout, { recursive: true, force: true });
    mkdirSync(path.dirname(source), { recursive: true });
    writeFileSync(source, '// as it was\n');
  });

  it('is one of the same llama.cpp: an edited, touched, added or removed file is another', () => {
    const before = key();
    expect(key()).toBe(before);
    const keys = [before];
    writeFileSync(source, '// edited\n');
    keys.push(key());
    utimesSync(source, new Date(), new Date(Date.now() + 5000));
    keys.push(key());
    writeFileSync(path.join(checkout, 'CMakeLists.txt'), '');
    keys.push(key());
    rmSync(source);
    keys.push(key());
    expect(new Set(keys).size).toBe(keys.length);
  });

  it('does not depend on what no build reads', () => {
    const before = key();
    mkdirSync(path.join(checkout, '.git'));
    writeFileSync(path.join(checkout, '.git/index'), '');
    mkdirSync(path.join(checkout, 'docs'));
    writeFileSync(path.join(checkout, 'docs/build.md'), '');
    expect(key()).toBe(before);
  });
});

it('shows the errors of a failed build and not the rest', () => {
  const log = [
    '[1/3] Building a',
    '/usr/bin/g++ -Werror -c b.cpp',
    'b.cpp:1:2: error: no such thing',
    '    1 | thing',
    '      | ^~~~~',
    'b.cpp:9:1: note: maybe this',
    'In file included from c.h',
  ];
  expect(relevantLines(log.join('\n'))).toEqual(log.slice(2, 5));
});
