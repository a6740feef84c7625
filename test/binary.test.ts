import { mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { findBinaries, type Surroundings } from '../lib/binary/find.ts';
import { chooseLevel } from '../lib/binary/level.ts';
import { mapsMusl, platformName } from '../lib/binary/platform.ts';
import { inRoot } from '../scripts/lib/paths.mjs';

const scratch = realpathSync(mkdtempSync(path.join(os.tmpdir(), 'nudging-binary-')));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

const x64 = { v2: '/p/v2.node', v3: '/p/v3.node', icelake: '/p/icelake.node', sapphirerapids: '/p/spr.node' };
const thrown = (work: () => unknown) => {
  try {
    work();
  } catch (error) {
    return error as Error & { code: string; option?: string; value?: unknown };
  }
  throw new Error('nothing was thrown');
};

describe('the level of CPU', () => {
  const all = { version: '1', binaries: x64 };

  test('is the highest that this CPU can run, whatever ggml scores it', () => {
    expect(chooseLevel(all, { v2: 5, v3: 64, icelake: 1000, sapphirerapids: 0 }, undefined)).toEqual({
      level: 'icelake',
      path: '/p/icelake.node',
    });
    expect(chooseLevel(all, { v2: 900, v3: 64, icelake: 0, sapphirerapids: 0 }, undefined).level).toBe('v3');
    // AMX without AVX-512 does not exist, and a level that is no file cannot be chosen.
    expect(chooseLevel({ version: '1', binaries: { v2: '/p/v2.node' } }, { v2: 1, v3: 1 }, undefined).level).toBe('v2');
  });

  test('can be lowered, and not raised beyond what the CPU has', () => {
    const scores = { v2: 5, v3: 64, icelake: 0, sapphirerapids: 0 };
    expect(chooseLevel(all, scores, 'v2').path).toBe('/p/v2.node');
    const raised = thrown(() => chooseLevel(all, scores, 'icelake'));
    expect(raised).toMatchObject({ code: 'ERR_NATIVE_LOAD', option: 'NUDGING_CPU', value: 'icelake' });
    expect(raised.message).toBe('NUDGING_CPU asks for icelake, whose instructions this CPU lacks; it can run v2, v3');
    expect(thrown(() => chooseLevel(all, scores, 'avx2')).message).toBe(
      'NUDGING_CPU is one of v2, v3, icelake, sapphirerapids, not "avx2"; this CPU can run v2, v3',
    );
  });

  test('may be too old for all', () => {
    const { code, message } = thrown(() => chooseLevel(all, { v2: 0, v3: 0 }, undefined)) as Error & { code: string };
    expect(code).toBe('ERR_NATIVE_LOAD');
    expect(message).toContain('this one is older: build one for it with "npx nudging build"');
  });
});

describe('which binary', () => {
  let project: string;
  let around: Surroundings;
  /** A package in the project's node_modules. */
  const add = (name: string, index: string, version = '1.0.0') => {
    const folder = path.join(project, 'node_modules', name);
    mkdirSync(folder, { recursive: true });
    writeFileSync(path.join(folder, 'package.json'), JSON.stringify({ name, version, main: 'index.cjs' }));
    writeFileSync(path.join(folder, 'index.cjs'), index);
    return folder;
  };
  const single = (version = '1.0.0') =>
    `module.exports = { version: '${version}', binaries: { any: require('node:path').join(__dirname, 'nudging.node') } };`;

  beforeEach(() => {
    project = mkdtempSync(path.join(scratch, 'project-'));
    around = {
      env: {},
      platform: { os: 'linux', arch: 'x64', musl: false },
      require: createRequire(path.join(project, 'main.cjs')),
      exists: () => false,
      hasDriver: () => false,
      built: [path.join(project, 'build/Release/nudging.node')],
      version: '1.0.0',
      isCheckout: false,
    };
  });

  test('the one that is named, and no other', () => {
    add('@nudging/linux-x64', single());
    expect(findBinaries({ ...around, env: { NUDGING_BINARY: '/x/y.node' }, exists: () => true })).toEqual([
      { path: '/x/y.node', from: 'NUDGING_BINARY' },
    ]);
  });

  test('one that was built here goes before one that is published', () => {
    const folder = add('@nudging/linux-x64', single());
    expect(findBinaries({ ...around, exists: () => true })).toEqual([{ path: around.built[0], from: 'build' }]);
    expect(findBinaries(around)).toEqual([{ path: path.join(folder, 'nudging.node'), from: '@nudging/linux-x64' }]);
  });

  test('one that was built in the source package, if that is of this version', () => {
    const source = add('@nudging/source', '');
    add('@nudging/linux-x64', single());
    const made = path.join(source, 'build/Release/nudging.node');
    const exists = (file: string) => file === made;
    expect(findBinaries({ ...around, exists })).toEqual([{ path: made, from: 'build' }]);
    add('@nudging/source', '', '0.9.0');
    // Node keeps what it has read once.
    const require = createRequire(path.join(project, 'other.cjs'));
    delete require.cache[require.resolve('@nudging/source/package.json')];
    expect(findBinaries({ ...around, require, exists })[0]?.from).toBe('@nudging/linux-x64');
  });

  test('of several levels the one that levels.node finds', () => {
    const folder = add(
      '@nudging/linux-x64',
      `const levels = require('node:path').join(__dirname, 'levels.cjs');
module.exports = { version: '1.0.0', binaries: ${JSON.stringify(x64)}, levels };`,
    );
    writeFileSync(path.join(folder, 'levels.cjs'), 'module.exports = { v2: 1, v3: 1, icelake: 0, sapphirerapids: 0 };');
    expect(findBinaries(around)).toEqual([{ path: '/p/v3.node', from: '@nudging/linux-x64', level: 'v3' }]);
    expect(findBinaries({ ...around, env: { NUDGING_CPU: 'v2' } })[0]?.level).toBe('v2');
  });

  test("a GPU's package first where a driver runs, and the CPU's behind it", () => {
    add('@nudging/linux-x64', single());
    add('@nudging/linux-x64-cuda', single());
    const from = (hasDriver: boolean) => findBinaries({ ...around, hasDriver: () => hasDriver }).map((each) => each.from);
    expect(from(true)).toEqual(['@nudging/linux-x64-cuda', '@nudging/linux-x64']);
    expect(from(false)).toEqual(['@nudging/linux-x64']);
  });

  test("that for Vulkan where any GPU's driver runs, behind that for CUDA", () => {
    add('@nudging/linux-x64', single());
    add('@nudging/linux-x64-cuda', single());
    add('@nudging/linux-x64-vulkan', single());
    const from = (...drivers: string[]) =>
      findBinaries({ ...around, hasDriver: (driver) => drivers.includes(driver) }).map((each) => each.from);
    expect(from('any', 'nvidia')).toEqual(['@nudging/linux-x64-cuda', '@nudging/linux-x64-vulkan', '@nudging/linux-x64']);
    expect(from('any')).toEqual(['@nudging/linux-x64-vulkan', '@nudging/linux-x64']);
    expect(from()).toEqual(['@nudging/linux-x64']);
    expect(findBinaries({ ...around, env: { NUDGING_GPU: '1' } }).map((each) => each.from)).toContain('@nudging/linux-x64-vulkan');
  });

  test("is beside Electron's archive, and what says the levels too", () => {
    const levels = "levels: '/app.asar/levels.node'";
    add('@nudging/linux-x64', `module.exports = { version: '1.0.0', binaries: { v2: '/app.asar/v2.node' }, ${levels} };`);
    const packages = around.require;
    const asked: string[] = [];
    const require = Object.assign((name: string) => (name.endsWith('.node') ? asked.push(name) && { v2: 1 } : packages(name)), packages);
    const found = findBinaries({ ...around, require, exists: (file) => file.startsWith('/app.asar.unpacked/') });
    expect(found).toEqual([{ path: '/app.asar.unpacked/v2.node', from: '@nudging/linux-x64', level: 'v2' }]);
    expect(asked).toEqual(['/app.asar.unpacked/levels.node']);
  });

  test('musl has packages of its own', () => {
    add('@nudging/linux-x64', single());
    const message = thrown(() => findBinaries({ ...around, platform: { ...around.platform, musl: true } })).message;
    expect(message).toMatch(
      /^the native addon for linuxmusl-x64 \(musl\) is not installed: install @nudging\/linuxmusl-x64@1\.0\.0, or build/,
    );
    expect(platformName({ os: 'darwin', arch: 'arm64', musl: false })).toBe('darwin-arm64');
  });

  test('and is known by its loader, under either of its names', () => {
    const line = (file: string) => `7f1c2a000000-7f1c2a014000 r--p 00000000 08:01 131 ${file}\n`;
    const program = line('/usr/bin/node') + line('/usr/lib/libstdc++.so.6.0.33');
    for (const file of [
      '/lib/ld-musl-x86_64.so.1',
      '/usr/lib/ld-musl-aarch64.so.1',
      '/usr/lib/libc.so',
      '/usr/lib/x86_64-linux-musl/libc.so',
    ])
      expect(mapsMusl(program + line(file) + line('/app/a.node'))).toBe(true);
    for (const file of [
      '/usr/lib/x86_64-linux-gnu/libc.so.6',
      '/lib64/libc-2.28.so',
      '/lib64/ld-linux-x86-64.so.2',
      '/app/ld-musl-notes/a.node',
    ])
      expect(mapsMusl(program + line(file))).toBe(false);
  });

  test('nothing there: what to install, why it may be missing, and how to build', () => {
    const { code, message } = thrown(() => findBinaries(around));
    expect(code).toBe('ERR_NATIVE_LOAD');
    for (const part of ['linux-x64 (glibc)', '@nudging/linux-x64@1.0.0', '--omit=optional', 'lock file', '"npx nudging build"'])
      expect(message).toContain(part);
    const other = thrown(() => findBinaries({ ...around, platform: { os: 'freebsd', arch: 'x64', musl: false } })).message;
    expect(other).toBe('there is no published binary for freebsd-x64: build it from source with "npx nudging build"');
  });

  test('of another version: which one to install', () => {
    add('@nudging/linux-x64', single('0.9.0'));
    expect(thrown(() => findBinaries(around)).message).toBe(
      '@nudging/linux-x64 is of version 0.9.0, and nudging of 1.0.0: install @nudging/linux-x64@1.0.0',
    );
  });

  test('a package that is broken says so, and is not taken for missing', () => {
    add('@nudging/linux-x64', "require('./gone.cjs')");
    expect(thrown(() => findBinaries(around)).message).toContain('./gone.cjs');
  });
});

test.runIf(process.arch === 'x64' && process.platform === 'linux')('levels.node knows this CPU', () => {
  const scores = createRequire(import.meta.url)(inRoot('.native/cpu-release/levels.node')) as Record<string, number>;
  expect(Object.keys(scores)).toEqual(['v2', 'v3', 'icelake', 'sapphirerapids']);
  const flags = new Set(/^flags.*$/m.exec(readFileSync('/proc/cpuinfo', 'utf8'))?.[0].split(' '));
  const has = (...names: string[]) => names.every((name) => flags.has(name));
  const v3 = has('avx', 'f16c', 'fma', 'avx2', 'bmi2');
  const icelake = v3 && has('avx512f', 'avx512cd', 'avx512vl', 'avx512dq', 'avx512bw', 'avx512vbmi', 'avx512_vnni');
  expect([scores['v2'], scores['v3'], scores['icelake'], scores['sapphirerapids']].map((score) => (score ?? 0) > 0)).toEqual([
    has('sse4_2'),
    v3,
    icelake,
    icelake && has('avx512_bf16', 'amx_int8'),
  ]);
});
