import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { isLocked, lock, lockTimes } from '../lib/hub/lock.ts';
import { nudging, shows, start } from './support/cli.ts';
import { HubServer, sha256 } from './support/hub-server.ts';

let server: HubServer;
let home: string;
let env: NodeJS.ProcessEnv;

beforeEach(async () => {
  server = await HubServer.start();
  home = mkdtempSync(path.join(os.tmpdir(), 'nudging-hub-'));
  env = { HF_ENDPOINT: server.url, HF_HOME: home, HF_TOKEN: '', HF_HUB_CACHE: '', HF_HUB_OFFLINE: '' };
});
afterEach(async () => {
  await server.close();
  rmSync(home, { recursive: true, force: true });
});

const content = Buffer.from(Array.from({ length: 400_000 }, (_, index) => (index * 7919 + (index >> 8)) & 255));
const blobs = (...parts: string[]) => path.join(home, 'hub', 'models--owner--demo', 'blobs', ...parts);
const locks = () => path.join(home, 'hub', '.locks', 'models--owner--demo');
const partial = () => blobs(`${sha256(content)}.nudging.incomplete`);
/** A command that loads nothing, and so takes no threads. */
const command = (args: string[], over: NodeJS.ProcessEnv = {}) => start(args, { env: { ...env, ...over } }).ran;
const until = async (happened: () => boolean) => {
  for (let tries = 0; !happened(); tries += 1) {
    if (tries > 1500) throw new Error('it did not happen');
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
};

describe('processes that pull the same model', () => {
  beforeEach(() => {
    server.add('owner/demo', { 'a.gguf': content });
    server.mischief = () => ({ pauseMs: 10 });
  });

  test('at once download it once; the other one says that it waits', async () => {
    const one = start(['pull', 'hf:owner/demo'], { env });
    await until(() => existsSync(partial()));
    const other = start(['pull', 'hf:owner/demo'], { env });
    const [first, second] = await Promise.all([one.ran, other.ran]);
    expect([first.code, second.code]).toEqual([0, 0]);
    expect(second.stderr).toContain('a.gguf: another process downloads it; waiting');
    expect(second.stderr).toContain('1 model, nothing to download');
    expect(second.stdout).toBe(first.stdout);
    expect(server.fetched.length).toBe(1);
    expect(readFileSync(first.stdout.trim()).equals(content)).toBe(true);
  });

  test.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
    ['SIGKILL', 'SIGKILL'],
  ] as const)('and end by %s leave what the next one goes on with', async (signal, code) => {
    const { child, ran } = start(['pull', 'hf:owner/demo'], { env });
    await until(() => existsSync(partial()) && statSync(partial()).size > 100_000);
    child.kill(signal);
    const { stderr, code: ended } = await ran;
    expect(ended).toBe(code);
    if (signal !== 'SIGKILL') expect(stderr).toContain('interrupted; the same command goes on from here');
    const had = statSync(partial()).size;
    expect(had).toBeGreaterThan(100_000);
    // Nothing has its name before it is whole.
    expect(existsSync(blobs(sha256(content)))).toBe(false);
    expect(existsSync(path.join(home, 'hub', 'models--owner--demo', 'snapshots'))).toBe(false);
    // A process that was killed leaves its lock, and nobody waits for it.
    expect(readdirSync(locks()).length).toBe(signal === 'SIGKILL' ? 1 : 0);

    server.mischief = [];
    const began = performance.now();
    const again = await command(['pull', 'hf:owner/demo']);
    expect(again).toMatchObject({ code: 0 });
    expect(again.stderr).not.toContain('waiting');
    expect(performance.now() - began).toBeLessThan(lockTimes.goneMs / 2);
    expect(server.fetched.at(-1)?.headers.range).toBe(`bytes=${had}-`);
    expect(readFileSync(again.stdout.trim()).equals(content)).toBe(true);
    expect(readdirSync(locks())).toEqual([]);
  });
});

describe('a lock', () => {
  const never = new AbortController().signal;
  const file = () => path.join(home, 'locks', 'x.lock');
  const times = { ...lockTimes };
  afterEach(() => Object.assign(lockTimes, times));

  test('is for one at a time', async () => {
    let inside = 0;
    let most = 0;
    Object.assign(lockTimes, { pollMs: 2 });
    await Promise.all(
      Array.from({ length: 8 }, async () => {
        const held = await lock(file(), never, () => {});
        inside += 1;
        most = Math.max(most, inside);
        await new Promise((resolve) => setTimeout(resolve, 5));
        inside -= 1;
        await held.release();
      }),
    );
    expect(most).toBe(1);
    expect(readdirSync(path.join(home, 'locks'))).toEqual([]);
  });

  test('of a process that is gone is nobody’s', async () => {
    mkdirSync(path.join(home, 'locks'));
    const held = await lock(file(), never, () => {});
    const own = JSON.parse(readFileSync(file(), 'utf8'));
    await held.release();
    const { child, ran } = start(['--version'], { env, fake: true });
    await ran;
    writeFileSync(file(), JSON.stringify({ ...own, pid: child.pid }));
    expect(await isLocked(file())).toBe(false);
    const next = await lock(file(), never, () => Promise.reject(new Error('waited')));
    expect(next.uncertain).toBe(false);
    await next.release();
  });

  test('whose holder cannot be seen is waited for as long as it gives a sign', async () => {
    Object.assign(lockTimes, { pollMs: 5, goneMs: 400 });
    mkdirSync(path.join(home, 'locks'));
    writeFileSync(file(), JSON.stringify({ token: 'x', pid: 1, place: 'another machine' }));
    const signs = setInterval(() => utimesSync(file(), new Date(), new Date()), 50);
    let waits = 0;
    let got = false;
    const wanted = lock(file(), never, () => {
      waits += 1;
    }).then((held) => {
      got = true;
      return held;
    });
    await new Promise((resolve) => setTimeout(resolve, 1000));
    expect(got).toBe(false);
    clearInterval(signs);
    const held = await wanted;
    expect(waits).toBe(1);
    // It may come back: what it was writing must not be written to.
    expect(held.uncertain).toBe(true);
    expect(await held.held()).toBe(true);
    await held.release();
  });

  test('that somebody else took over is no longer held, and not released', async () => {
    const held = await lock(file(), never, () => {});
    writeFileSync(file(), 'another’s');
    expect(await held.held()).toBe(false);
    await held.release();
    expect(readFileSync(file(), 'utf8')).toBe('another’s');
  });

  test('is not waited for after a signal', async () => {
    const held = await lock(file(), never, () => {});
    const stop = new AbortController();
    const waiting = lock(file(), stop.signal, () => stop.abort(new Error('enough')));
    await expect(waiting).rejects.toThrow('enough');
    await held.release();
  });
});

describe('models by name', () => {
  const models = (name: string) => readFileSync(new URL(`../models/demo/${name}.gguf`, import.meta.url));
  beforeEach(() => {
    server.add('owner/demo', { 'base-F16.gguf': models('base') });
    server.add('owner/small', { 'aligned-F16.gguf': models('aligned'), 'aligned-Q8_0.gguf': 'not wanted' });
  });
  const named = ['--base', 'hf:owner/demo', '--aligned', 'hf:owner/small:F16'];
  const question = 'What is a harbor?';

  test('are downloaded and answer; the next time nothing is asked for, even offline', async () => {
    const plain = await nudging([question], { env });
    const first = await nudging([...named, '--max-tokens', '96', question], { env });
    expect(first).toMatchObject({ stdout: plain.stdout, code: 0 });
    expect(first.stderr).toContain('base-F16.gguf: in the cache (8.3 MiB)');
    expect(first.stderr).toContain('aligned-F16.gguf: in the cache (2.3 MiB)');
    const asked = server.asked.length;
    const second = await nudging([...named, '--max-tokens', '96', question], { env: { ...env, HF_HUB_OFFLINE: '1' } });
    expect(second).toMatchObject({ stdout: plain.stdout, code: 0 });
    expect(second.stderr).not.toContain('in the cache');
    expect(server.asked.length).toBe(asked);
  });

  test('may stand in a manifest, beside a file', async () => {
    const manifest = path.join(home, 'pair.json');
    const file = path.join(home, 'aligned.gguf');
    writeFileSync(file, models('aligned'));
    writeFileSync(manifest, JSON.stringify({ base: 'hf:owner/demo', aligned: 'aligned.gguf', maxTokens: 96 }));
    expect(await nudging(['--pair', manifest, question], { env })).toMatchObject({ stdout: (await nudging([question], { env })).stdout });
    // Batches say with which files their answers were made.
    const [rows, answers] = [path.join(home, 'rows.jsonl'), path.join(home, 'answers.jsonl')];
    writeFileSync(rows, `${JSON.stringify({ question })}\n`);
    expect(await nudging(['--pair', manifest, '--input', rows, '--output', answers], { env })).toMatchObject({ code: 0 });
    expect(JSON.parse(readFileSync(answers, 'utf8')).madeWith.base).toMatchObject({ file: 'base-F16.gguf', bytes: 8_660_544 });
  });

  test('that are not there end the command with what is near', async () => {
    const { stderr, code } = await nudging(['--base', 'hf:owner/demmo', '--aligned', 'hf:owner/small', question], { env });
    expect(code).toBe(2);
    expect(stderr).toMatch(/^nudging: there is no repository owner\/demmo .*did you mean hf:owner\/demo\?/);
    const wrong = await nudging(['--base', 'hf:demo', '--aligned', 'hf:owner/small', question], { env });
    expect(wrong).toMatchObject({ code: 2, stderr: expect.stringMatching(/^nudging: --base must be hf:owner\/repo, /) });
  });

  test('can be interrupted, and go on', async () => {
    server.mischief = () => ({ pauseMs: 5 });
    const { child, ran } = start([...named, question], { env });
    await shows(child, 'base-F16.gguf: ', 'stderr');
    await until(() => server.fetched.length > 0 && readdirSync(blobs()).length > 0);
    child.kill('SIGINT');
    expect(await ran).toMatchObject({ stdout: '', code: 130 });
  });
});

test('a hub that cannot be reached is exit code 1, what is wrong in the command 2', async () => {
  expect(await command(['pull', 'hf:owner/demo'], { HF_ENDPOINT: 'http://127.0.0.1:1' })).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('127.0.0.1:1'),
  });
  expect(await command(['pull', 'hf:owner'])).toMatchObject({ code: 2, stderr: expect.stringContaining('hf:owner/repo:QUANT') });
  expect(await command(['pull'])).toMatchObject({ code: 2, stderr: expect.stringContaining('no model is named') });
  expect(await command(['pull', 'hf:owner/demo'], { HF_HUB_OFFLINE: '1' })).toMatchObject({ code: 2 });
});
