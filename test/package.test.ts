import { readdirSync, readFileSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import { npm } from '../scripts/lib/npm.mjs';
import { inRoot, root } from '../scripts/lib/paths.mjs';
import { SHIPPED_RECORDS } from '../scripts/lib/vendor-tree.mjs';
import { pinned } from '../vendor/fetch.mjs';

const readText = (file: string) => readFileSync(inRoot(file), 'utf8');

describe('the published package', () => {
  let packed: string[];
  let size: number;
  beforeAll(async () => {
    const { output } = await npm(['pack', '--dry-run', '--ignore-scripts', '--json', '--loglevel=silent'], { cwd: root });
    const [report] = JSON.parse(output.slice(output.indexOf('[\n')));
    packed = report.files.map((file: { path: string }) => file.path);
    size = report.size;
  });

  it('ships exactly the llama.cpp source that a build reads', () => {
    const manifest = readText(`vendor/llama.cpp/${SHIPPED_RECORDS[1]}`)
      .trim()
      .split('\n')
      .map((line) => line.slice(line.indexOf(' ') + 1));
    const shipped = packed.filter((file) => file.startsWith('vendor/llama.cpp/')).map((file) => file.slice('vendor/llama.cpp/'.length));
    expect(shipped.sort()).toEqual([...manifest, ...SHIPPED_RECORDS].sort());
  });

  it('names in package.json what the pin names', () => {
    const { files } = JSON.parse(readText('package.json')) as { files: string[] };
    const listed = files.map((file) => file.replace(/^\//, '')).filter((file) => file.startsWith('vendor/llama.cpp/'));
    expect(listed.sort()).toEqual([...pinned.build, ...SHIPPED_RECORDS].map((file) => `vendor/llama.cpp/${file}`).sort());
  });

  it('ships all that an install from source runs', () => {
    const scripts = ['install', 'build', 'check-kernels', 'lib/native', 'lib/cores', 'lib/control-groups', 'lib/own-runtime'];
    const needed = [
      'CMakeLists.txt',
      'binding.gyp',
      'cmake/llama.cmake',
      'native/kernels/attention.cpp',
      'LICENSE',
      'THIRD_PARTY_NOTICES.md',
      'schema/pair.schema.json',
      ...scripts.map((name) => `scripts/${name}.mjs`),
      'vendor/fetch.mjs',
      'vendor/llama.cpp.json',
      ...pinned.patches.map(({ name }) => `vendor/patches/${name}`),
    ];
    expect(needed.filter((file) => !packed.includes(file))).toEqual([]);
    expect(packed.some((file) => file.startsWith('native/addon/'))).toBe(true);
  });

  it('ships the playground as it is written', () => {
    const shipped = packed.filter((file) => file.startsWith('dist/server/playground/')).map((file) => file.slice('dist/'.length));
    const written = readdirSync(inRoot('lib/server/playground')).map((file) => `server/playground/${file}`);
    expect(shipped.sort()).toEqual(written.sort());
    for (const file of written) expect(readText(`dist/${file}`)).toBe(readText(`lib/${file}`));
  });

  it('ships no build results, tests or sources of dist/', () => {
    expect(packed.filter((file) => /^(build|\.native|test|lib|bench|node_modules|\.ci)\//.test(file) || file.endsWith('.stamp'))).toEqual(
      [],
    );
    expect(size).toBeLessThan(25e6);
  });

  it('says nowhere where it was made', () => {
    const ours = packed.filter((file) => !file.startsWith('vendor/llama.cpp/') && /\.(m?js|json|txt|cmake|gyp|md|cpp|h|ts)$/.test(file));
    expect(ours.filter((file) => readText(file).includes(root))).toEqual([]);
  });
});

it('locks versions without naming a registry', () => {
  const { packages } = JSON.parse(readText('package-lock.json')) as { packages: Record<string, { resolved?: string; integrity?: string }> };
  const entries = Object.entries(packages).filter(([name]) => name !== '');
  expect(entries.filter(([, entry]) => entry.resolved !== undefined)).toEqual([]);
  expect(entries.filter(([, entry]) => entry.integrity === undefined)).toEqual([]);
});
