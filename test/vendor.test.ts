import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { cleanNpmEnv } from '../scripts/lib/npm.mjs';
import { readPatches } from '../scripts/lib/patches.mjs';
import { findDamage, isForBuild, type Pin } from '../scripts/lib/vendor-tree.mjs';
import { ensureSource, pinned } from '../vendor/fetch.mjs';

const scratch = mkdtempSync(path.join(os.tmpdir(), 'nudging-vendor-'));
const tarball = path.join(scratch, 'fake.tgz');
let pin: Pin;
let vendor: string;
let downloads: number;
let lines: string[];

/** What tar writes for one small file: a header of 512 bytes, then the content padded to 512. */
function tarEntry(name: string, content: Buffer) {
  const header = Buffer.alloc(512);
  header.write(name, 0);
  header.write(content.length.toString(8).padStart(11, '0'), 124);
  header.write('0', 156);
  return Buffer.concat([header, content, Buffer.alloc((512 - (content.length % 512)) % 512)]);
}

function git(cwd: string, ...args: string[]) {
  const identity = ['-c', 'user.name=test', '-c', 'user.email=test@invalid', '-c', 'commit.gpgsign=false'];
  const env = Object.fromEntries(Object.entries(process.env).filter(([key]) => !key.startsWith('GIT_')));
  return execFileSync('git', [...identity, ...args], { cwd, env, encoding: 'utf8' }).trim();
}

beforeAll(() => {
  const source = path.join(scratch, 'source');
  for (const folder of ['include', 'src', 'docs']) mkdirSync(path.join(source, folder), { recursive: true });
  writeFileSync(path.join(source, 'CMakeLists.txt'), 'project(fake)\n');
  writeFileSync(path.join(source, 'include/llama.h'), '// a header\n');
  writeFileSync(path.join(source, 'src/.gitignore'), '*.cpp\n');
  writeFileSync(path.join(source, 'src/llama.cpp'), 'int main() {}\n');
  writeFileSync(path.join(source, 'docs/long.md'), 'not wanted\n');
  writeFileSync(path.join(source, 'README'), 'not for a build\n');
  git(source, 'init', '-q');
  git(source, 'add', '-Af');
  git(source, 'commit', '-qm', 'release');
  git(source, 'bundle', 'create', '-q', path.join(scratch, 'fake.bundle'), 'HEAD');

  const bundle = readFileSync(path.join(scratch, 'fake.bundle'));
  const entries = [tarEntry('package/package.json', Buffer.from('{}')), tarEntry('package/fake.bundle', bundle), Buffer.alloc(1024)];
  writeFileSync(tarball, gzipSync(Buffer.concat(entries)));
  pin = {
    name: 'fake.cpp',
    tag: 'v1',
    commit: git(source, 'rev-parse', 'HEAD'),
    package: 'fake',
    version: '1.0.0',
    integrity: `sha512-${createHash('sha512').update(readFileSync(tarball)).digest('base64')}`,
    file: 'package/fake.bundle',
    omit: ['docs'],
    build: ['CMakeLists.txt', 'include/', 'src/*.*'],
    patches: [],
  };
  return () => rmSync(scratch, { recursive: true, force: true });
});

beforeEach(() => {
  vendor = mkdtempSync(path.join(scratch, 'vendor-'));
  downloads = 0;
  lines = [];
});
afterEach(() => rmSync(vendor, { recursive: true, force: true }));

function fetch(options: { from?: string; pin?: Pin; env?: NodeJS.ProcessEnv } = {}) {
  return ensureSource({
    vendor,
    pin: options.pin ?? pin,
    env: options.env ?? {},
    log: (line) => lines.push(line),
    download: async (_pin, folder) => {
      downloads++;
      const file = path.join(folder, 'fetched.tgz');
      copyFileSync(options.from ?? tarball, file);
      return file;
    },
  });
}

const inTree = (...parts: string[]) => path.join(vendor, 'fake.cpp', ...parts);

describe('fetching the pinned source', () => {
  it('unpacks what is wanted, once', async () => {
    expect(await fetch()).toBe(inTree());
    expect(readFileSync(inTree('src/llama.cpp'), 'utf8')).toBe('int main() {}\n');
    expect(['docs', '.git', 'src/.gitignore'].filter((name) => existsSync(inTree(name)))).toEqual([]);
    lines = [];
    await fetch();
    expect({ downloads, lines }).toEqual({ downloads: 1, lines: [] });
    expect(readdirSync(vendor).sort()).toEqual(['.cache', 'fake.cpp']);
  });

  it('fetches a kept tarball again when it is cut short', async () => {
    await fetch();
    rmSync(inTree(), { recursive: true });
    truncateSync(path.join(vendor, '.cache/fake-1.0.0.tgz'), 100);
    await fetch();
    expect(downloads).toBe(2);
    expect(findDamage(inTree(), pin)).toBeUndefined();
  });

  it('gives up on a wrong hash after the second try, and leaves nothing behind', async () => {
    const wrong = path.join(scratch, 'wrong.tgz');
    writeFileSync(wrong, gzipSync('something else'));
    await expect(fetch({ from: wrong })).rejects.toThrow(/fake@1\.0\.0 does not match the integrity .* twice/);
    expect(downloads).toBe(2);
    expect(readdirSync(path.join(vendor, '.cache'))).toEqual([]);
    expect(existsSync(inTree())).toBe(false);
  });

  it('refuses a bundle of another commit', async () => {
    await expect(fetch({ pin: { ...pin, commit: '0'.repeat(40) } })).rejects.toThrow(/the pin names 0000/);
    expect(readdirSync(vendor)).toEqual(['.cache']);
  });

  it.each<[string, () => void, string]>([
    ['has no stamp', () => unlinkSync(inTree('nudging-stamp.json')), 'not unpacked completely'],
    ['lacks a file', () => unlinkSync(inTree('src/llama.cpp')), 'src/llama.cpp is missing'],
    ['has a file cut short', () => truncateSync(inTree('README'), 3), 'README has the wrong size'],
    ['has its manifest cut short', () => truncateSync(inTree('nudging-build.manifest'), 10), 'nudging-build.manifest is damaged'],
    ['has half a stamp', () => truncateSync(inTree('nudging-stamp.json'), 5), 'its stamp is damaged'],
  ])('mends a folder that %s, without a download', async (_what, harm, reason) => {
    await fetch();
    harm();
    expect(findDamage(inTree(), pin)).toBe(reason);
    await fetch();
    expect(findDamage(inTree(), pin)).toBeUndefined();
    expect(downloads).toBe(1);
    expect(lines.join('\n')).toContain(reason);
  });

  it('unpacks again for another pin', async () => {
    await fetch();
    await fetch({ pin: { ...pin, omit: [] } });
    expect(existsSync(inTree('docs/long.md'))).toBe(true);
  });

  it('accepts the part that a published package ships, without git or network', async () => {
    await fetch();
    for (const name of ['README', 'nudging-rest.manifest']) unlinkSync(inTree(name));
    rmSync(path.join(vendor, '.cache'), { recursive: true });
    expect(await fetch()).toBe(inTree());
    expect(downloads).toBe(1);
  });

  it('removes what a killed run left, and not what a running one uses', async () => {
    const gone = execFileSync(process.execPath, ['-p', 'process.pid'], { encoding: 'utf8' }).trim();
    mkdirSync(path.join(vendor, `.unpack-${gone}-aaaaaaaa`));
    mkdirSync(path.join(vendor, `.unpack-${process.pid}-bbbbbbbb`));
    await fetch();
    expect(readdirSync(vendor).sort()).toEqual(['.cache', `.unpack-${process.pid}-bbbbbbbb`, 'fake.cpp']);
  });

  it('works for two builds at once', async () => {
    await Promise.all([fetch(), fetch(), fetch()]);
    expect(findDamage(inTree(), pin)).toBeUndefined();
    expect(readdirSync(vendor).sort()).toEqual(['.cache', 'fake.cpp']);
  });
});

/** A patch of one line of a file that has only that line. */
function patch(name: string, file: string, from: string, to: string) {
  const folder = path.join(vendor, 'patches');
  mkdirSync(folder, { recursive: true });
  const text = `Why this is needed.\n\ndiff --git a/${file} b/${file}\n--- a/${file}\n+++ b/${file}\n@@ -1 +1 @@\n-${from}\n+${to}\n`;
  writeFileSync(path.join(folder, name), text);
}
const patched = (): Pin => ({ ...pin, patches: readPatches(path.join(vendor, 'patches')) });

describe('patches', () => {
  const source = () => readFileSync(inTree('src/llama.cpp'), 'utf8');
  /** The second changes what the first wrote. */
  const two = () => {
    patch('0002-more.patch', 'src/llama.cpp', 'int main() { return 1; }', 'int main() { return 2; }');
    patch('0001-one.patch', 'src/llama.cpp', 'int main() {}', 'int main() { return 1; }');
    return patched();
  };

  it('are applied in the order of their names, and once', async () => {
    await fetch({ pin: two() });
    expect(source()).toBe('int main() { return 2; }\n');
    expect(findDamage(inTree(), patched())).toBeUndefined();
    lines = [];
    await fetch({ pin: patched() });
    expect({ downloads, lines }).toEqual({ downloads: 1, lines: [] });
  });

  it.each<[string, () => void, string]>([
    ['added', () => patch('0003-last.patch', 'README', 'not for a build', 'patched'), 'int main() { return 2; }\n'],
    ['changed', () => patch('0002-more.patch', 'src/llama.cpp', 'int main() { return 1; }', 'changed'), 'changed\n'],
    ['removed', () => unlinkSync(path.join(vendor, 'patches/0002-more.patch')), 'int main() { return 1; }\n'],
    ['all removed', () => rmSync(path.join(vendor, 'patches'), { recursive: true }), 'int main() {}\n'],
  ])('that are %s lead to unpacking again', async (_what, change, expected) => {
    await fetch({ pin: two() });
    change();
    expect(findDamage(inTree(), patched())).toBe('unpacked for another pin or with other patches');
    await fetch({ pin: patched() });
    expect(source()).toBe(expected);
    expect(downloads).toBe(1);
  });

  it('that do not apply are named, and nothing is left behind', async () => {
    two();
    patch('0003-late.patch', 'src/llama.cpp', 'int main() {}', 'too late');
    await expect(fetch({ pin: patched() })).rejects.toMatchObject({
      name: 'BuildError',
      message: 'vendor/patches/0003-late.patch does not apply to fake.cpp v1: error: patch failed: src/llama.cpp:1',
    });
    expect(readdirSync(vendor).sort()).toEqual(['.cache', 'patches']);
  });

  it('must have a number', () => {
    patch('more.patch', 'README', 'a', 'b');
    expect(patched).toThrow('vendor/patches/more.patch: patches are called NNNN-what.patch');
  });

  it('that are ours say why, each with paths from the root of llama.cpp', () => {
    expect(pinned.patches.length).toBeGreaterThan(0);
    const readme = readFileSync(path.join(import.meta.dirname, '../vendor/README.md'), 'utf8');
    for (const { name, text } of pinned.patches) {
      const [header = '', ...diffs] = text.split(/^diff --git /m);
      expect(header.trim(), name).toMatch(/\S+\s\S+/);
      expect(diffs.length, name).toBeGreaterThan(0);
      for (const diff of diffs) expect(diff, name).toMatch(/^a\/(\S+) b\/\1\n/);
      expect(readme).toContain(`| \`${name.replace('.patch', '')}\` |`);
    }
  });

  it('must be in a checkout that is built from, and the command that puts the missing ones there does', async () => {
    two();
    patch('0003-text.patch', 'README', 'not for a build', 'patched');
    const dir = path.join(vendor, 'a checkout');
    cpSync(path.join(scratch, 'source'), dir, { recursive: true });
    const build = () => fetch({ pin: patched(), env: { NUDGING_LLAMA_CPP_DIR: dir } });
    const refused = async () => {
      const error = (await build().then(
        () => undefined,
        (reason: unknown) => reason,
      )) as Error;
      expect(error).toMatchObject({ name: 'BuildError' });
      const stated = /which lacks what nudging patches in llama\.cpp: (.+)\. Patch it:\n {2}(git -C .+)$/;
      const [, missing, command = ''] = stated.exec(error.message) ?? [];
      return { missing, command };
    };
    expect((await refused()).missing).toBe('0001-one.patch, 0002-more.patch, 0003-text.patch');
    git(dir, 'apply', path.join(vendor, 'patches/0001-one.patch'));
    git(dir, 'apply', path.join(vendor, 'patches/0003-text.patch'));
    const { missing, command } = await refused();
    expect(missing).toBe('0002-more.patch');
    if (process.platform !== 'win32') execFileSync('sh', ['-c', command]);
    else git(dir, 'apply', path.join(vendor, 'patches/0002-more.patch'));
    expect(await build()).toBe(dir);
    expect(readFileSync(path.join(dir, 'src/llama.cpp'), 'utf8')).toBe('int main() { return 2; }\n');
    expect(downloads).toBe(0);
  });

  it('that are in a folder which we unpacked need no git to be found', async () => {
    await fetch({ pin: two() });
    vi.stubEnv('PATH', '');
    expect(await fetch({ pin: patched(), env: { NUDGING_LLAMA_CPP_DIR: inTree() } })).toBe(inTree());
    vi.unstubAllEnvs();
  });
});

describe('NUDGING_LLAMA_CPP_DIR', () => {
  it('is used as it is', async () => {
    const dir = path.join(scratch, 'source');
    expect(await fetch({ env: { NUDGING_LLAMA_CPP_DIR: dir } })).toBe(dir);
    expect(downloads).toBe(0);
  });

  it('must be a llama.cpp checkout', async () => {
    await expect(fetch({ env: { NUDGING_LLAMA_CPP_DIR: vendor } })).rejects.toThrow(
      `NUDGING_LLAMA_CPP_DIR names ${vendor}, which is not a llama.cpp checkout: it has no CMakeLists.txt.`,
    );
  });
});

it('keeps settings of a surrounding npm command away from our download', () => {
  const env = {
    npm_config_dry_run: 'true',
    npm_config_json: 'true',
    npm_lifecycle_event: 'prepack',
    npm_config_registry: 'kept',
    PATH: 'kept',
  };
  expect(cleanNpmEnv(env)).toEqual({ npm_config_registry: 'kept', PATH: 'kept' });
});

it('knows which files a build reads', () => {
  const forBuild = ['CMakeLists.txt', 'src/llama.cpp', 'ggml/src/ggml.c', 'ggml/src/ggml-cpu/ops.cpp'];
  const others = ['src.txt', 'ggml/src/ggml-sycl/common.cpp', 'common/CMakeLists.txt', 'models/ggml-vocab-gpt-2.gguf'];
  expect([...forBuild, ...others].filter((file) => isForBuild(pinned, file))).toEqual(forBuild);
});
