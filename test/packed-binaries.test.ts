import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { checkArchitectures, findGpuTarget, gpuTargets } from '../scripts/lib/gpu-targets.mjs';
import { makePlan } from '../scripts/lib/configs.mjs';
import { needsIn, needsOf, tooNew } from '../scripts/lib/packages/needs.mjs';
import { inRoot } from '../scripts/lib/paths.mjs';
import { findProgram } from '../scripts/lib/requirements.mjs';

const told = (libraries: string[], versions: string[]) =>
  [
    ...libraries.map((name) => ` 0x0000000000000001 (NEEDED)             Shared library: [${name}]`),
    "Version needs section '.gnu.version_r' contains 2 entries:",
    ...versions.map((version, index) => `  0x00${index}0:   Name: ${version}  Flags: none  Version: ${index + 2}`),
  ].join('\n');

describe('what a published binary may need', () => {
  test('is the newest version of glibc among its symbols, by number', () => {
    expect(needsIn(told(['libc.so.6'], ['GLIBC_2.2.5', 'GLIBC_2.17', 'GLIBC_2.4', 'GLIBCXX_3.4.30'])).glibc).toBe('2.17');
    expect(needsIn(told(['libc.so.6'], ['GLIBC_2.28', 'GLIBC_2.3.4'])).glibc).toBe('2.28');
    expect(needsIn(told(['libc.so'], [])).glibc).toBeUndefined();
  });

  test('is no newer than 2.28, and nothing of glibc on musl', () => {
    const asking = (version: string) => needsIn(told(['libc.so.6'], [version]));
    expect(tooNew(asking('GLIBC_2.28'), 'glibc')).toEqual([]);
    expect(tooNew(asking('GLIBC_2.28.1'), 'glibc')).toHaveLength(1);
    expect(tooNew(asking('GLIBC_2.3'), 'glibc')).toEqual([]);
    expect(tooNew(asking('GLIBC_2.32'), 'glibc')).toEqual(['needs glibc 2.32, and 2.28 must do']);
    expect(tooNew(needsIn(told(['libc.so'], ['GLIBC_2.17'])), 'musl')).toEqual(['needs glibc 2.17, and is for musl']);
  });

  test('is of libraries the C library alone, and what is allowed besides', () => {
    const of = (...libraries: string[]) => needsIn(told(libraries, []));
    expect(tooNew(of('libm.so.6', 'libc.so.6', 'libdl.so.2', 'libpthread.so.0', 'librt.so.1', 'ld-linux-x86-64.so.2'), 'glibc')).toEqual(
      [],
    );
    expect(tooNew(of('ld-linux-aarch64.so.1', 'libstdc++.so.6'), 'glibc')).toEqual(['needs libstdc++.so.6']);
    expect(tooNew(of('libc.so'), 'musl')).toEqual([]);
    expect(tooNew(of('libc.so.6'), 'musl')).toEqual(['needs libc.so.6']);
    expect(tooNew(of('libcublas.so.13', 'libcudart.so.13'), 'glibc', /^libcublas\.so/)).toEqual(['needs libcudart.so.13']);
  });

  test.runIf(process.platform === 'linux' && findProgram('readelf'))('is read out of the file', async () => {
    const { libraries, glibc } = await needsOf(inRoot('build/Release/nudging.node'));
    expect(libraries.some((name) => /^libc\.so/.test(name))).toBe(true);
    expect(libraries).not.toContain('libstdc++.so.6');
    if (libraries.includes('libc.so.6')) expect(glibc).toMatch(/^2\.\d+/);
    await expect(needsOf(inRoot('package.json'))).rejects.toThrow('readelf could not read');
  });
});

describe('packages for GPUs', () => {
  test('are those that the loader looks for, and are compiled apart from all other builds', () => {
    const loader = readFileSync(inRoot('lib/binary/packages.ts'), 'utf8');
    for (const { name } of gpuTargets) expect(loader).toContain(`require('@nudging/${name}')`);
    const target = findGpuTarget('linux-x64-cuda');
    const plan = makePlan({ variant: 'cuda', level: 'v3', ...(target && { target, cudaArch: target.architectures ?? '' }) });
    expect(plan.name).toBe('cuda-release-linux-x64-cuda-v3');
    expect(plan).toMatchObject({ isRelease: false, cmake: { NUDGING_VARIANT: 'cuda', NUDGING_LEVEL: 'v3', NUDGING_PUBLISHED: 'ON' } });
    expect(plan.cmake['CMAKE_CUDA_ARCHITECTURES']).toMatch(/^75-virtual;.*;89-virtual;.*;120-real$/);
  });

  test('need cuBLAS, and nothing else of CUDA', () => {
    const { libraries } = findGpuTarget('linux-x64-cuda') ?? {};
    const needs = needsIn(told(['libcublas.so.13', 'libcublasLt.so.13', 'libcuda.so.1', 'libcudart.so.13'], []));
    expect(tooNew(needs, 'glibc', libraries)).toEqual(['needs libcuda.so.1', 'needs libcudart.so.13']);
  });

  test("need Vulkan's loader, and no architectures", () => {
    const { libraries, architectures } = findGpuTarget('linux-x64-vulkan') ?? {};
    expect(architectures).toBeUndefined();
    expect(tooNew(needsIn(told(['libvulkan.so.1', 'libSPIRV.so'], [])), 'glibc', libraries)).toEqual(['needs libSPIRV.so']);
  });

  test('are for architectures as CMake spells them', () => {
    for (const { architectures } of gpuTargets) if (architectures) checkArchitectures(architectures);
    checkArchitectures('90');
    checkArchitectures('75-virtual;90a-real;120f');
    for (const wrong of ['sm_90', '90;', '90,120', 'native', '9', '90-ptx'])
      expect(() => checkArchitectures(wrong), wrong).toThrow(/is no architecture: 90, 90-real/);
  });
});
