import { execFile } from 'node:child_process';
import { copyFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { runInNewContext } from 'node:vm';
import { expect, test } from 'vitest';
import { inRoot } from '../scripts/lib/paths.mjs';

const run = promisify(execFile);
const entry = inRoot('dist/index.cjs');

/** What a CommonJS program of this package's own scope prints. */
async function printed(script: string, ...options: string[]): Promise<string> {
  return (await run(process.execPath, [...options, '-e', script], { cwd: inRoot() })).stdout;
}
const isOne = `import('nudging').then((imported) => {
  console.log(Object.keys(imported).map((name) => imported[name] === required[name]).join());
});`;
/** What both entries export, as the one declares it. */
const names = [...readFileSync(inRoot('lib/index.d.cts'), 'utf8').matchAll(/^export declare const (\w+)/gm)].map(([, name]) => name);
const allTrue = `${names.map(() => 'true').join()}\n`;

test('require gives what import gives, by Node.js itself and by the entry for those who load no ES modules', async () => {
  expect(await printed(`const required = require('nudging'); ${isOne}`)).toBe(allTrue);
  expect(await printed(`const required = require(${JSON.stringify(entry)}); ${isOne}`)).toBe(allTrue);
});

test('require gives the same in a world whose `require`, `process` and `node:module` are made up, as in Jest', async () => {
  const madeUp = () => {
    throw new Error('Must use import to load ES Module');
  };
  const real = createRequire(import.meta.url);
  const require = (name: string) => (name === 'node:vm' ? real(name) : madeUp());
  const world = { process: { getBuiltinModule: madeUp }, require, module: { exports: {} as Record<string, unknown> }, __filename: entry };
  runInNewContext(readFileSync(entry, 'utf8'), world);
  const outside = real(entry) as Record<string, unknown>;
  expect(Object.keys(outside).sort()).toEqual([...names].sort());
  expect(world.module.exports).toBe(outside);
});

test('where require may load no ES modules, it says so and what to do', async () => {
  const script = "try { require('nudging'); } catch ({ code, message }) { console.log(code, message); }";
  expect(await printed(script, '--no-experimental-require-module')).toMatch(/^ERR_NATIVE_LOAD .*ES module.*await import\('nudging'\)/);
});

test('an entry that a bundler took along says so', () => {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'nudging-alone-'));
  try {
    copyFileSync(entry, path.join(folder, 'bundle.cjs'));
    const load = () => createRequire(import.meta.url)(path.join(folder, 'bundle.cjs'));
    expect(load).toThrow(expect.objectContaining({ code: 'ERR_NATIVE_LOAD', message: expect.stringContaining('external') }));
  } finally {
    rmSync(folder, { recursive: true });
  }
});
