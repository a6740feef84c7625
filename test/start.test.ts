import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { describeCpu } from '../scripts/lib/cpu.mjs';
import { root } from '../scripts/lib/paths.mjs';

const scratch = mkdtempSync(path.join(os.tmpdir(), 'nudging-start-'));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

/** A package with our scripts, in which nothing is real but them: the addon is a text, and the command line prints that it ran. */
let pack: string;
const inPack = (...parts: string[]) => path.join(pack, ...parts);
const write = (file: string, text: string) => {
  mkdirSync(path.dirname(inPack(file)), { recursive: true });
  writeFileSync(inPack(file), text);
};
const addon = 'build/Release/nudging.node';

beforeEach(() => {
  pack = mkdtempSync(path.join(scratch, 'package-'));
  for (const part of ['scripts', 'vendor/fetch.mjs', 'vendor/llama.cpp.json', 'package.json']) {
    cpSync(path.join(root, part), inPack(part), { recursive: true });
  }
  symlinkSync(path.join(root, 'node_modules'), inPack('node_modules'), 'junction');
  write('native/engine/engine.cpp', '// ours\n');
  write('vendor/llama.cpp/src/llama.cpp', '// theirs\n');
  write('dist/cli/main.js', 'console.log("ran", ...process.argv.slice(2));\n');
});

async function built(changes: { llama?: string; portable?: boolean; variant?: string } = {}) {
  const { describeOrigin, writeOrigin } = await import(pathToFileURL(inPack('scripts/lib/installed.mjs')).href);
  const cmake = { NUDGING_VARIANT: changes.variant ?? 'cpu', NUDGING_NATIVE: changes.portable ? 'OFF' : 'ON' };
  write(addon, 'an addon');
  writeOrigin(inPack(addon), describeOrigin({ cmake }, changes.llama ?? inPack('vendor/llama.cpp')));
}

const outside = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('NUDGING_')));
function start(env: NodeJS.ProcessEnv = {}) {
  const before = existsSync(inPack(addon)) ? readFileSync(inPack(addon), 'utf8') : undefined;
  const { status, stdout, stderr } = spawnSync(process.execPath, [inPack('scripts/start.mjs'), 'a', 'question'], {
    env: { ...outside, ...env },
    encoding: 'utf8',
  });
  // Whatever it finds, it builds nothing.
  expect(existsSync(inPack('.native'))).toBe(false);
  expect(existsSync(inPack(addon)) ? readFileSync(inPack(addon), 'utf8') : undefined).toBe(before);
  return { status, stdout, stderr };
}
const ran = { status: 0, stdout: 'ran a question\n' };
const note = (reason: string, command: string) =>
  `nudging: the native addon is used as it is, though ${reason}; to build it again: ${command}\n`;
const checkout = () => {
  write('elsewhere/src/llama.cpp', '// another\n');
  return inPack('elsewhere');
};

describe('npx nudging', () => {
  it.each([
    ['a checkout', 'build it with "npm run build:native"'],
    ['an installed package', 'or build it from source with "npx nudging build"'],
  ])('without an addon says how to build it in %s, and does not', (where, how) => {
    cpSync(path.join(root, 'dist'), inPack('dist'), { recursive: true });
    cpSync(path.join(root, 'models/demo'), inPack('models/demo'), { recursive: true });
    if (where !== 'a checkout') rmSync(inPack('native'), { recursive: true });
    const { status, stderr } = spawnSync(process.execPath, [inPack('dist/cli/main.js'), 'a question'], { encoding: 'utf8', env: outside });
    expect(stderr).toMatch(/^nudging: the native addon .* is not (there|installed)/);
    expect(stderr).toContain(how);
    expect(status).toBeGreaterThan(0);
    expect(existsSync(inPack('.native')) || existsSync(inPack('build'))).toBe(false);
  });
});

describe('npm start', () => {
  it('runs the command line with the addon that is there', async () => {
    await built();
    expect(start()).toEqual({ ...ran, stderr: '' });
  });

  it('says how to build the addon when there is none', () => {
    const { status, stdout, stderr } = start();
    expect({ status, stdout }).toEqual({ status: 1, stdout: '' });
    expect(stderr).toMatch(/^nudging: the native addon has not been built: `npm ci` .*`npm run build:native`.*\n$/);
  });

  it("says in one line that an edited source is not built, ours or llama.cpp's", async () => {
    for (const file of ['native/engine/engine.cpp', 'vendor/llama.cpp/src/llama.cpp', 'vendor/llama.cpp/ggml/new.c']) {
      await built();
      write(file, '// edited\n');
      expect(start()).toEqual({ ...ran, stderr: note('its sources have changed since it was built', 'npm run build:native') });
    }
  });

  it('keeps an addon of a checkout that NUDGING_LLAMA_CPP_DIR named, and notices when that is edited or gone', async () => {
    const dir = checkout();
    await built({ llama: dir });
    const command = `NUDGING_LLAMA_CPP_DIR=${JSON.stringify(dir)} npm run build:native`;
    expect(start()).toEqual({ ...ran, stderr: '' });
    write('elsewhere/src/llama.cpp', '// edited\n');
    expect(start()).toEqual({ ...ran, stderr: note('its sources have changed since it was built', command) });
    rmSync(dir, { recursive: true });
    expect(start()).toEqual({ ...ran, stderr: note(`the llama.cpp that it was built from, ${dir}, is gone`, 'npm run build:native') });
  });

  it('says so when it is not what the environment asks for', async () => {
    await built();
    const dir = checkout();
    const command = `NUDGING_LLAMA_CPP_DIR=${JSON.stringify(dir)} npm run build:native`;
    const other = start({ NUDGING_LLAMA_CPP_DIR: dir });
    expect(other).toEqual({ ...ran, stderr: note(`it was built from the pinned llama.cpp, not from ${dir}`, command) });
    const variant = start({ NUDGING_VARIANT: 'cuda' });
    expect(variant).toEqual({ ...ran, stderr: note('it is the cpu variant, not cuda', 'npm run build:native -- --variant cuda') });
    expect(start({ CXXFLAGS: '-O1', CXX: 'another' })).toEqual({ ...ran, stderr: '' });
  });

  it('says so when it was built for another CPU, unless it was built for all', async () => {
    await built({ portable: true });
    expect(start()).toEqual({ ...ran, stderr: '' });
    await built();
    const origin = inPack('build/Release/nudging-origin.json');
    const { cpu, ...others } = JSON.parse(readFileSync(origin, 'utf8'));
    expect(cpu).toBe(describeCpu());
    writeFileSync(origin, JSON.stringify({ ...others, cpu: 'another' }));
    const reason = 'it was built for another CPU, and may crash on this one';
    expect(start()).toEqual({ ...ran, stderr: note(reason, 'npm run build:native') });
  });

  it('asks nothing about an addon that NUDGING_BINARY names', () => {
    expect(start({ NUDGING_BINARY: inPack('mine.node') })).toEqual({ ...ran, stderr: '' });
  });
});
