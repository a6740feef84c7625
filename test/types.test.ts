import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { inRoot } from '../scripts/lib/paths.mjs';

const run = promisify(execFile);

/** Compilers by name: the oldest one that the README promises, and the current one. */
const compilers = { oldest: 'typescript-5.4', current: 'typescript' } as const;
type Compiler = keyof typeof compilers;

const scratch = mkdtempSync(path.join(realpathSync(os.tmpdir()), 'nudging-types-'));
const project = path.join(scratch, 'project');
const source = (name: string) => readFileSync(inRoot('test/types', name), 'utf8');

// A project that has installed the package. A copy, because a compiler would follow a link out of node_modules.
beforeAll(() => {
  const installed = path.join(project, 'node_modules/nudging');
  mkdirSync(installed, { recursive: true });
  for (const part of ['package.json', 'dist']) cpSync(inRoot(part), path.join(installed, part), { recursive: true });
  symlinkSync(inRoot('node_modules/@types'), path.join(project, 'node_modules/@types'), 'junction');
  writeFileSync(path.join(project, 'package.json'), '{ "name": "project", "type": "module" }');
});
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

let made = 0;

/** Has files compiled, and returns what the compiler complains of. */
async function complaints(compiler: Compiler, options: Record<string, unknown>, files: Record<string, string>): Promise<string[]> {
  made += 1;
  const folder = path.join(project, `case-${made}`);
  mkdirSync(folder);
  for (const [name, text] of Object.entries(files)) writeFileSync(path.join(folder, name), text);
  const compilerOptions = { target: 'ES2022', lib: ['ES2022'], types: [], strict: true, skipLibCheck: false, noEmit: true, ...options };
  writeFileSync(path.join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: Object.keys(files) }));
  const tsc = inRoot('node_modules', compilers[compiler], 'bin/tsc');
  const running = run(process.execPath, [tsc, '-p', '.', '--pretty', 'false'], { cwd: folder });
  const { stdout } = await running.catch((error) => error as { stdout: string });
  return stdout.split('\n').filter((line) => line !== '');
}

const asBoth = { 'ask.mts': source('ask.mts'), 'ask.cts': source('ask.mts'), 'both.cts': source('both.cts') };
const settings = {
  node16: { options: { module: 'node16' }, files: asBoth },
  nodenext: { options: { module: 'nodenext' }, files: asBoth },
  // Whether there is @types/node has nothing to do with modules, and it is long.
  'nodenext and @types/node': { options: { module: 'nodenext', types: ['node'] }, files: asBoth },
  'a bundler': { options: { module: 'esnext', moduleResolution: 'bundler' }, files: { 'ask.ts': source('ask.mts') } },
};
const cases = (['oldest', 'current'] as const).flatMap((compiler) =>
  Object.entries(settings).map(([name, { options, files }]) => [compiler, name, options, files] as const),
);

describe('the published types', { timeout: 120_000 }, () => {
  test.each(cases)('compile with the %s TypeScript for %s', async (compiler, _name, options, files) => {
    expect(await complaints(compiler, options, files)).toEqual([]);
  });

  test('compile with the oldest TypeScript as it resolved modules before Node.js had any', async () => {
    const classic = { module: 'commonjs', moduleResolution: 'node10' };
    expect(await complaints('oldest', classic, { 'ask.ts': source('ask.mts') })).toEqual([]);
  });

  test.each(['oldest', 'current'] as const)('let the %s TypeScript dispose of what `await using` declares', async (compiler) => {
    const options = { module: 'nodenext', lib: ['ES2022', 'ESNext.Disposable'] };
    expect(await complaints(compiler, options, { 'using.mts': source('using.mts') })).toEqual([]);
  });

  test.each(['ai', 'ai-7'])('are what the AI SDK takes, of the package %s', async (sdk) => {
    const link = path.join(project, 'node_modules/ai');
    symlinkSync(inRoot('node_modules', sdk), link, 'junction');
    // Its own declarations need more than it says.
    const options = { module: 'nodenext', lib: ['ES2023', 'DOM', 'DOM.AsyncIterable'], types: ['node'], skipLibCheck: true };
    const found = await complaints('current', options, { 'ai-sdk.mts': source('ai-sdk.mts') });
    rmSync(link);
    expect(found).toEqual([]);
  });

  test('are what OpenTelemetry takes', async () => {
    symlinkSync(inRoot('node_modules/@opentelemetry'), path.join(project, 'node_modules/@opentelemetry'), 'junction');
    expect(await complaints('oldest', { module: 'nodenext', types: ['node'] }, { 'otel.mts': source('otel.mts') })).toEqual([]);
  });

  test('say what a stream returns where the compiler can', async () => {
    expect(await complaints('current', { module: 'nodenext' }, { 'iterator.mts': source('iterator.mts') })).toEqual([]);
  });

  test('are found: a compiler that did not would complain here of nothing else', async () => {
    const files = { 'wrong.mts': "import { Nudging } from 'nudging';\nexport const wrong: number = Nudging;\n" };
    const wrong = expect.stringContaining("Type 'typeof Nudging' is not assignable");
    expect(await complaints('oldest', { module: 'node16' }, files)).toEqual([wrong]);
  });
});

test('the oldest TypeScript that is tried is the one that the README names', () => {
  const { version } = JSON.parse(readFileSync(inRoot('node_modules', compilers.oldest, 'package.json'), 'utf8')) as { version: string };
  const promised = /TypeScript ≥ (\d+\.\d+)/.exec(readFileSync(inRoot('README.md'), 'utf8'))?.[1];
  expect(version.startsWith(`${promised}.`)).toBe(true);
});
