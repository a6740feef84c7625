import { copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { cpuFindings, examineMachine, gpuFindings, type Source } from '../lib/cli/doctor/machine.ts';
import { NudgingError } from '../lib/index.ts';
import { inRoot } from '../scripts/lib/paths.mjs';
import { nudging } from './support/cli.ts';

const folder = mkdtempSync(path.join(os.tmpdir(), 'nudging-doctor-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const demo = (name: string) => inRoot(`models/demo/${name}.gguf`);
const doctor = (...args: string[]) => nudging(['doctor', '--threads', '1', ...args], { raw: true });

describe('nudging doctor', () => {
  test('says that the demonstration pair works, and how fast', async () => {
    const { stdout, stderr, code } = await doctor('--seconds', '0.6');
    expect({ stderr, code }).toEqual({ stderr: '', code: 0 });
    for (const part of ['This machine\n', 'The pair\n', 'base alone ', 'aligned alone ', 'times the base alone'])
      expect(stdout).toContain(part);
    expect(stdout).toMatch(/\n {2}binary +\S.*\.node\n/);
    expect(stdout).toMatch(/\nIt works\.\n$/);
    // llama.cpp names no size for models as small as these.
    expect(stdout).toContain('(llama F16)');
  });

  test('--json has the same in numbers', async () => {
    const { works, machine, pair, findings } = JSON.parse((await doctor('--json', '--seconds', '0.9')).stdout);
    expect(works).toBe(true);
    expect(machine).toMatchObject({
      platform: `${process.platform}-${process.arch}`,
      features: expect.any(Object),
      cpu: { usable: expect.any(Number) },
    });
    expect(machine.devices[0]).toMatchObject({ kind: 'cpu', total: expect.any(Number) });
    expect(machine.memory.usable).toBeGreaterThan(0);
    expect(pair).toMatchObject({ fits: true, base: demo('base'), models: { aligned: { context: 512 } } });
    // Measured, and not remembered from the question before.
    for (const mode of ['base', 'aligned', 'nudge']) {
      expect(pair.speed[mode]).toBeGreaterThan(0);
      expect(pair.speed[mode]).toBeLessThan(50_000);
    }
    expect(pair.ratio).toBeCloseTo(pair.speed.nudge / pair.speed.base, 6);
    expect(pair.nudgeRatio).toBeGreaterThan(0);
    expect(findings.map(({ level }: { level: string }) => level)).not.toContain('mend');
  });

  test('--seconds 0 measures nothing', async () => {
    const { pair } = JSON.parse((await doctor('--json', '--seconds', '0')).stdout);
    expect(pair.fits).toBe(true);
    expect(pair).not.toHaveProperty('speed');
  });

  test.each<[what: string, args: string[], message: RegExp]>([
    [
      'a missing model',
      ['--base', path.join(folder, 'missing.gguf'), '--aligned', demo('aligned')],
      /To mend: no model file at .*: check the path/,
    ],
    ['a context that is too long', ['--context', '100000'], /To mend: .* lower --context/],
    [
      'an aligned model without a template',
      ['--base', demo('base'), '--aligned', demo('base')],
      /To mend: .* has no chat template[\s\S]*it has no chat template, as base models/,
    ],
    ['a missing pair', ['--pair', path.join(folder, 'pair.json')], /manifest/],
    ['half a pair', ['--base', demo('base')], /--base is half a pair: add --aligned/],
  ])('%s is told, with exit code 1', async (what, args, message) => {
    const { stdout, stderr, code } = await doctor('--seconds', '0.2', ...args);
    if (what.endsWith('pair')) expect({ stdout, code }).toEqual({ stdout: '', code: 2 });
    else {
      expect(stdout).toMatch(/\nIt does not work like this\.\n$/);
      expect(code).toBe(1);
    }
    expect((stdout + stderr).replace(/\n(?=\S)/g, ' ')).toMatch(message);
  });

  test('memory that does not suffice is told with how much it would take', async () => {
    const base = path.join(folder, 'too-big.gguf');
    copyFileSync(demo('base'), base);
    const fake = inRoot('test/support/fake-addon.cjs');
    const { stdout, code } = await nudging(['doctor', '--json', '--base', base, '--aligned', demo('aligned')], {
      raw: true,
      env: { NUDGING_BINARY: fake },
    });
    const { works, pair, findings } = JSON.parse(stdout);
    expect({ works, code }).toEqual({ works: false, code: 1 });
    expect(pair).toMatchObject({ fits: false, needed: 2, available: 1 });
    expect(findings.at(-1)).toEqual({ level: 'mend', what: 'too big' });
  });

  test('a binary that does not load is told with what to do', async () => {
    const { stdout, stderr, code } = await nudging(['doctor'], { raw: true, env: { NUDGING_BINARY: path.join(folder, 'nowhere.node') } });
    expect({ stderr, code }).toEqual({ stderr: '', code: 1 });
    expect(stdout).toContain('its binary does not load');
    expect(stdout).toContain('To mend: the native addon for');
    expect(stdout).not.toContain('The pair');
  });

  test('words are refused', async () => {
    expect(await doctor('please')).toMatchObject({ code: 2, stderr: expect.stringContaining('doctor takes no words: leave out "please"') });
  });
});

describe('a machine', () => {
  const cpu = { name: 'x', threads: 8, usable: 8 };
  const flags = (text: string) => new Set(text.split(' '));

  test('that lacks what the binary uses is to be mended, and what it has beside that is a hint', () => {
    const features = { AVX: '1', AVX2: '1', AVX512: '1' };
    const [lacks, unused, ...rest] = cpuFindings({ features, cpu }, flags('avx avx2 fma amx_int8'), 'x64');
    expect(lacks).toMatchObject({
      level: 'mend',
      what: expect.stringMatching(/^the binary uses AVX512, which .*: build it for this machine with "/),
    });
    expect(unused).toMatchObject({ level: 'beware', what: expect.stringMatching(/^the processor has FMA, AMX_INT8, /) });
    expect(rest).toEqual([]);
    expect(cpuFindings({ features, cpu }, flags('avx avx2 avx512f'), 'x64')).toEqual([]);
    // Nothing is known there.
    expect(cpuFindings({ features, cpu }, new Set(), 'x64')).toEqual([]);
    expect(cpuFindings({ features, cpu }, flags('neon'), 'arm64')).toEqual([]);
  });

  test('of which only a part may be used says so', () => {
    expect(cpuFindings({ features: {}, cpu: { ...cpu, usable: 2 } }, new Set(), 'x64')).toMatchObject([
      { what: expect.stringContaining('2 cores of 8') },
    ]);
  });

  test('with a driver and no GPU that the binary can use says why', () => {
    const gpu = { name: 'CUDA0', description: 'x', kind: 'gpu', free: 1, total: 1 } as const;
    const says = (devices: (typeof gpu)[], features: Record<string, string>, nvidiaDriver?: string, gpuPackages: string[] = []) =>
      gpuFindings({ devices, features, gpuPackages, ...(nvidiaDriver === undefined ? {} : { nvidiaDriver }) }).map(({ what }) => what);
    expect(says([], {}, '550.1')).toEqual([expect.stringMatching(/driver \(550\.1\), and the binary has no GPU backend: /)]);
    expect(says([], { ARCHS: '900' }, '550.1')).toEqual([expect.stringContaining('the binary finds no GPU through it')]);
    expect(says([gpu], { ARCHS: '900' }, '550.1')).toEqual([]);
    expect(says([], {})).toEqual([]);
    // Whoever installed one expects a GPU.
    const installed = ['@nudging/linux-x64-cuda'];
    expect(says([], {}, undefined, installed)).toEqual([
      expect.stringMatching(/^@nudging\/linux-x64-cuda is installed, and there is no GPU /),
    ]);
    expect(says([gpu], {}, undefined, installed)).toEqual([]);
  });

  test('is read from what the system says', async () => {
    const source: Source = {
      platform: 'linux',
      arch: 'x64',
      read: (file) => {
        if (file === '/proc/driver/nvidia/version') return 'NVRM version: NVIDIA UNIX x86_64 Kernel Module  550.54.14  Thu Feb 22\n';
        if (file === '/proc/cpuinfo') return 'processor : 0\nflags\t\t: fpu pni ssse3 avx avx2 fma f16c bmi2\n';
        throw new Error('no such file');
      },
      native: () => ({
        llamaVersion: '1.2.3',
        machine: () => ({
          devices: [],
          features: { SSE3: '1', SSSE3: '1', AVX: '1', AVX2: '1', FMA: '1', F16C: '1', BMI2: '1', AVX512: '0' },
        }),
      }),
    };
    const { machine, findings } = await examineMachine(source);
    expect(machine).toMatchObject({ llamaCpp: '1.2.3', level: 'x86-64-v3', nvidiaDriver: '550.54.14' });
    expect(findings.filter(({ what }) => what.includes('processor') || what.includes('the binary uses'))).toEqual([]);
    const broken = await examineMachine({
      ...source,
      native: () => {
        throw new NudgingError('ERR_NATIVE_LOAD', 'it is not there: build it');
      },
    });
    expect(broken.machine).not.toHaveProperty('level');
    expect(broken.findings[0]).toEqual({ level: 'mend', what: 'it is not there: build it' });
  });
});
