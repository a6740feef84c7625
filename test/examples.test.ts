import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { inRoot } from '../scripts/lib/paths.mjs';

const run = promisify(execFile);
/** The examples that this file has asked something; the last test finds those that were forgotten. */
const tried = new Set<string>();

async function outputOf(name: string, ...args: string[]): Promise<string[]> {
  tried.add(name);
  const { stdout, stderr } = await run(process.execPath, [inRoot('examples', name), ...args]);
  expect(stderr).toBe('');
  return stdout.trimEnd().split('\n');
}

test('01-first-answer: an answer, and how much of it was nudged', async () => {
  const [answer = '', counts] = await outputOf('01-first-answer.mjs');
  expect(answer).toContain('a sheltered port');
  expect(counts).toMatch(/^[1-9]\d* of [1-9]\d* tokens came from the aligned model; ended with end$/);
  // The question may be another one.
  const [other] = await outputOf('01-first-answer.mjs', 'What is a sculpture?');
  expect(other).not.toBe(answer);
});

test('02-streaming: the same words, those of each model marked', async () => {
  const [whole] = await outputOf('01-first-answer.mjs');
  const [marked = '', times] = await outputOf('02-streaming.mjs');
  expect(marked).toMatch(/^\[.*\][^[]/);
  expect(marked.replaceAll(/[[\]]/g, '')).toBe(whole);
  expect(times).toMatch(/^first words after \d+ ms, all after \d+ ms$/);
});

test('04-batch: answers in the order of the questions, and one that fails alone', async () => {
  const lines = await outputOf('04-batch.mjs');
  expect(lines.map((line) => line.slice(0, 3))).toEqual(['1. ', '2. ', '3. ', '4. ', '5. ']);
  expect(lines[0]).toContain('a sheltered port');
  expect(lines[2]).toBe('3. ERR_PROMPT_EMPTY');
  expect(lines[4]).toContain('tragedy');
});

test('05-abort-and-timeout: each ends early, and says how', async () => {
  const lines = await outputOf('05-abort-and-timeout.mjs');
  expect(lines[0]).toMatch(/^timeout after \d+ tokens$/);
  expect(lines[1]).toMatch(/^aborted: \S/);
  expect(lines[2]).toMatch(/^the first piece: \S/);
  expect(lines[3]).toBe('then aborted');
});

test('07-worker: the thread counts while its worker answers', async () => {
  const lines = await outputOf('07-worker.mjs');
  expect(lines[0]).toBe('6057 primes');
  expect(lines[1]).toMatch(/^meanwhile, in \d+ ms: .*a sheltered port/);
  expect(lines.slice(2)).toEqual(['the worker ended with 0']);
});

test('08-route: a response for each request, of the right status', async () => {
  const lines = await outputOf('08-route.mjs');
  expect(lines[0]).toMatch(/^200 .*a sheltered port/);
  expect(lines.slice(1)).toEqual(['400 {"error":"ERR_PROMPT_EMPTY"}', '400 {"error":"send { \\"question\\": \\"…\\" }"}']);
});

test('09-custom-prompts: the same answer by prompts of four kinds', async () => {
  const [usual = ''] = await outputOf('01-first-answer.mjs');
  const [count, ...answers] = (await outputOf('09-custom-prompts.mjs')).reverse();
  expect(answers.reverse()).toEqual(['base', 'aligned', 'raw', 'prefilled'].map((kind) => `${kind}: ${usual}`));
  expect(count).toMatch(/^1\d tokens of the base's$/);
});

test('10-ai-sdk: a whole answer and a stream, those of each model marked', async () => {
  const [whole, marked] = await outputOf('10-ai-sdk.mjs');
  expect(whole).toMatch(/a sheltered port.* \(\d+ tokens in, \d+ out\)$/);
  expect(marked).toMatch(/^\[.*\][^[].*plastic art/);
});

test('03-http-server: answers, refuses what it cannot answer, and ends in order', { timeout: 60_000 }, async () => {
  tried.add('03-http-server.mjs');
  const server = spawn(process.execPath, [inRoot('examples/03-http-server.mjs')], { env: { ...process.env, PORT: '0' } });
  const ended = once(server, 'exit');
  try {
    const lines = createInterface({ input: server.stdout });
    const [first] = (await once(lines, 'line')) as [string];
    const address = first.replace('listening on ', '');
    const ask = (body: string) => fetch(address, { method: 'POST', body });
    expect((await fetch(address)).status).toBe(405);
    expect((await ask('x'.repeat(20_000))).status).toBe(413);
    const empty = await ask('');
    expect([empty.status, await empty.text()]).toEqual([400, 'ERR_PROMPT_EMPTY\n']);
    const answers = await Promise.all(Array.from({ length: 6 }, () => ask('What is a harbor?').then((response) => response.text())));
    for (const answer of answers) expect(answer).toContain('a sheltered port');

    // A client that hangs up harms nobody.
    const impatient = new AbortController();
    const response = await fetch(address, { method: 'POST', body: 'What is a harbor?', signal: impatient.signal });
    impatient.abort();
    await expect(response.text()).rejects.toThrow();
    expect(await (await ask('What is a harbor?')).text()).toBe(answers[0]);

    server.kill('SIGTERM');
    expect(await once(lines, 'line')).toEqual(['closed']);
    expect(await ended).toEqual([0, null]);
  } finally {
    server.kill('SIGKILL');
  }
});

// In a project that has installed the package, because TypeScript is to see what such a project sees.
const project = mkdtempSync(path.join(os.tmpdir(), 'nudging-examples-'));
beforeAll(() => {
  mkdirSync(path.join(project, 'node_modules/@types'), { recursive: true });
  symlinkSync(inRoot(), path.join(project, 'node_modules/nudging'), 'junction');
  symlinkSync(inRoot('node_modules/@types/node'), path.join(project, 'node_modules/@types/node'), 'junction');
  writeFileSync(path.join(project, 'package.json'), '{ "type": "module" }');
});
afterAll(() => rmSync(project, { recursive: true, force: true }));

test('06-typescript: compiles under `strict`, chats, and tells an error by its code', { timeout: 60_000 }, async () => {
  tried.add('06-typescript.ts');
  writeFileSync(path.join(project, 'chat.ts'), readFileSync(inRoot('examples/06-typescript.ts')));
  const flags = ['--strict', '--target', 'ES2023', '--module', 'NodeNext', '--types', 'node', 'chat.ts'];
  await run(process.execPath, [inRoot('node_modules/typescript/bin/tsc'), ...flags], { cwd: project });
  const { stdout } = await run(process.execPath, ['chat.js'], { cwd: project });
  const lines = stdout.trimEnd().split('\n');
  expect(lines).toHaveLength(3);
  expect(lines[0]).toMatch(/^What is a harbor\? .*harbor.* \(seed 7\)$/i);
  expect(lines[2]).toBe('ERR_INVALID_OPTION: gamma was 3');
});

test('every example is run here, and named in their README', () => {
  const programs = readdirSync(inRoot('examples')).filter((name) => /\.[mt][js]s?$/.test(name));
  expect([...tried].sort()).toEqual(programs);
  const named = [...readFileSync(inRoot('examples/README.md'), 'utf8').matchAll(/^\| \[([^\]]+)\]/gm)].map(([, name]) => name);
  expect(named).toEqual(programs);
});
