import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { stageDemo } from '../scripts/lib/packages/demo.mjs';
import { tooLarge } from '../scripts/lib/packages/limits.mjs';
import { optional, stageMain } from '../scripts/lib/packages/main.mjs';
import { stagePlatform } from '../scripts/lib/packages/platform.mjs';
import { stageSource } from '../scripts/lib/packages/source.mjs';
import { pack } from '../scripts/lib/packages/staging.mjs';
import { inRoot, root } from '../scripts/lib/paths.mjs';
import { unpackedSize } from '../scripts/lib/tar.mjs';
import { targets } from '../scripts/lib/targets.mjs';
import { SHIPPED_RECORDS } from '../scripts/lib/vendor-tree.mjs';
import { pinned } from '../vendor/fetch.mjs';

const readText = (file: string) => readFileSync(inRoot(file), 'utf8');

/** Paths in a folder, with forward slashes. */
function filesIn(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(folder, path.join(entry.parentPath, entry.name)).replaceAll(path.sep, '/'));
}
const manifestOf = (place: string) => JSON.parse(readFileSync(path.join(place, 'package.json'), 'utf8')) as Record<string, any>;

describe('the packages', () => {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'nudging-packages-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  let main: string;
  let source: string;
  let demo: string;
  let platform: string;
  beforeAll(async () => {
    main = await stageMain(folder);
    source = await stageSource(folder);
    demo = stageDemo(folder);
    const binary = inRoot('build/Release/nudging.node');
    const target = { name: 'linux-x64', os: 'linux', cpu: 'x64', libc: 'glibc' };
    platform = stagePlatform(folder, target, { v2: binary, v3: binary }, binary);
  });

  it('run nothing when they are installed, and depend on no compiler', () => {
    for (const place of [main, source, demo, platform]) {
      const manifest = manifestOf(place);
      expect(manifest['scripts']).toBeUndefined();
      expect(manifest['private']).toBeUndefined();
      expect(manifest['version']).toBe(manifestOf(root)['version']);
      // npm runs node-gyp for one, unless it is told not to.
      if (filesIn(place).includes('binding.gyp')) expect(manifest['gypfile']).toBe(false);
    }
    expect(Object.keys(manifestOf(main)['dependencies'] ?? {})).not.toContain('cmake-js');
    expect(Object.keys(manifestOf(source)['dependencies'])).toEqual(['cmake-js', 'node-addon-api']);
  });

  it('are of one version, which the main one asks for exactly', () => {
    const { version, optionalDependencies } = manifestOf(main) as { version: string; optionalDependencies: Record<string, string> };
    expect(Object.keys(optionalDependencies).sort()).toEqual([...optional].sort());
    expect(new Set(Object.values(optionalDependencies))).toEqual(new Set([version]));
    expect(manifestOf(platform)).toMatchObject({ os: ['linux'], cpu: ['x64'], libc: ['glibc'], preferUnplugged: true });
  });

  it('name every binary in plain sight of bundlers, as the loader reads it', () => {
    const found = createRequire(import.meta.url)(platform) as { version: string; binaries: Record<string, string>; levels: string };
    expect(found.version).toBe(manifestOf(root)['version']);
    expect(Object.keys(found.binaries)).toEqual(['v2', 'v3']);
    for (const file of [...Object.values(found.binaries), found.levels]) expect(existsSync(file)).toBe(true);
    expect(readFileSync(path.join(platform, 'index.cjs'), 'utf8')).toContain("join(__dirname, 'nudging-v2.node')");
    const named = [...readText('lib/binary/packages.ts').matchAll(/require\('(@nudging\/[^']+)'\)/g)].map(([, name]) => name as string);
    expect(named).toEqual(expect.arrayContaining(targets.map(({ name }) => `@nudging/${name}`)));
    // Where tracers of files find them, too.
    for (const name of named) expect(readText('lib/index.cjs')).toContain(`require('${name}')`);
  });

  it('have all that runs: the library and every script that it imports', () => {
    const files = filesIn(main);
    for (const file of ['dist/index.js', 'dist/index.cjs', 'dist/cli/main.js', 'schema/pair.schema.json', 'LICENSE', 'README.md'])
      expect(files).toContain(file);
    const imported = files
      .filter((file) => /\.[cm]?js$/.test(file) && !file.startsWith('dist/server/playground/'))
      .flatMap((file) => {
        const text = readFileSync(path.join(main, file), 'utf8');
        // Programs of their own are named by a URL.
        const names = [...text.matchAll(/(?:from|import|new URL|require) ?\(?['"](\.[^'"]+)['"]/g)].map(([, name]) => name as string);
        return names.map((name) => path.posix.join(path.posix.dirname(file), name));
      });
    expect(imported.filter((file) => !files.includes(file))).toEqual([]);
    expect(files).toContain('scripts/lib/kernels.mjs');
    expect(imported).toContain('scripts/check-kernels.mjs');
  });

  it('are no larger than they may be', { timeout: 120_000 }, async () => {
    const tarball = await pack(main, folder);
    expect(tooLarge([tarball])).toEqual([]);
    // What is measured is the tarball, and all of it.
    expect(tarball.packed).toBe(statSync(tarball.file).size);
    expect(tarball.unpacked).toBe(unpackedSize(tarball.file));
    expect(tarball.files.sort()).toEqual(filesIn(main).sort());
    expect(tooLarge([{ ...tarball, packed: 1.51e6 }])).toEqual([
      expect.stringMatching(/^nudging \(1\.51 MB packed, .*; at most 1\.50 MB and/),
    ]);
    for (const name of [...targets.map((target) => target.name), 'darwin-arm64', 'win32-x64']) {
      expect(tooLarge([{ name: `@nudging/${name}`, packed: 13e6, unpacked: 32e6 }])).toEqual([]);
      expect(tooLarge([{ name: `@nudging/${name}`, packed: 13.1e6, unpacked: 32e6 }])).toHaveLength(1);
      expect(tooLarge([{ name: `@nudging/${name}`, packed: 13e6, unpacked: 32.1e6 }])).toHaveLength(1);
    }
  });

  it('have exactly the llama.cpp source that a build reads', () => {
    const manifest = readText(`vendor/llama.cpp/${SHIPPED_RECORDS[1]}`)
      .trim()
      .split('\n')
      .map((line) => line.slice(line.indexOf(' ') + 1));
    const shipped = filesIn(path.join(source, 'vendor/llama.cpp'));
    expect(shipped.sort()).toEqual([...manifest, ...SHIPPED_RECORDS].sort());
  });

  it('have all that a build runs', () => {
    const scripts = ['build', 'lib/native', 'lib/cores', 'lib/kernels', 'lib/targets'];
    const needed = [
      'CMakeLists.txt',
      'binding.gyp',
      'cmake/llama.cmake',
      'native/kernels/attention.cpp',
      'native/addon/levels/levels.cpp',
      'LICENSE',
      'THIRD_PARTY_NOTICES.md',
      ...scripts.map((name) => `scripts/${name}.mjs`),
      'vendor/fetch.mjs',
      'vendor/llama.cpp.json',
      ...pinned.patches.map(({ name }) => `vendor/patches/${name}`),
    ];
    const files = filesIn(source);
    expect(needed.filter((file) => !files.includes(file))).toEqual([]);
    // The loader looks for the pairs by these names.
    const pairs = ['demo', 'harbor'].flatMap((pair) => ['pair.json', 'base.gguf', 'aligned.gguf'].map((file) => `${pair}/${file}`));
    expect(filesIn(demo)).toEqual(expect.arrayContaining([...pairs, 'demo/LICENSE.wordnet']));
  });

  it('have the playground as it is written', () => {
    const shipped = filesIn(path.join(main, 'dist/server/playground'));
    expect(shipped.sort()).toEqual(readdirSync(inRoot('lib/server/playground')).sort());
    for (const file of shipped)
      expect(readFileSync(path.join(main, 'dist/server/playground', file), 'utf8')).toBe(readText(`lib/server/playground/${file}`));
  });

  it('have no build results, tests or sources of dist/', () => {
    for (const place of [main, source, demo]) {
      const strange = filesIn(place).filter(
        (file) => /^(build|\.native|test|lib|bench|node_modules|\.ci)\//.test(file) || file.endsWith('.stamp'),
      );
      expect(strange).toEqual([]);
    }
  });

  it('say nowhere where they were made', () => {
    for (const place of [main, source, demo, platform]) {
      const ours = filesIn(place).filter(
        (file) => !file.startsWith('vendor/llama.cpp/') && /\.(c?m?js|json|txt|cmake|gyp|md|cpp|h|ts)$/.test(file),
      );
      expect(ours.filter((file) => readFileSync(path.join(place, file), 'utf8').includes(root))).toEqual([]);
    }
  });
});

it.each(['package-lock.json', 'docs/api/package-lock.json'])('%s locks versions without naming a registry', (lock) => {
  const { packages } = JSON.parse(readText(lock)) as { packages: Record<string, { resolved?: string; integrity?: string }> };
  const entries = Object.entries(packages).filter(([name]) => name !== '');
  expect(entries.filter(([, entry]) => entry.resolved !== undefined)).toEqual([]);
  expect(entries.filter(([, entry]) => entry.integrity === undefined)).toEqual([]);
});
