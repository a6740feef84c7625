import {
  closeSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import fs from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import os from 'node:os';
import path from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { lockTimes } from '../lib/hub/lock.ts';
import { readHubName } from '../lib/hub/name.ts';
import { pullAll } from '../lib/hub/pull.ts';
import { hubSettings, type HubSettings } from '../lib/hub/settings.ts';
import type { DownloadProgress, NudgingError, Pulled, PullOptions } from '../lib/index.ts';
import { commitId, gitSha1, HubServer, sha256 } from './support/hub-server.ts';

let server: HubServer;
let home: string;
let settings: HubSettings;

beforeEach(async () => {
  server = await HubServer.start();
  home = mkdtempSync(path.join(os.tmpdir(), 'nudging-hub-'));
  settings = { ...(await hubSettings({ HF_ENDPOINT: server.url, HF_HOME: home })), retryMs: 1, silenceMs: 5_000 };
});
afterEach(async () => {
  await server.close();
  rmSync(home, { recursive: true, force: true });
});

const pull = async (name: string, options: PullOptions = {}, over: Partial<HubSettings> = {}) => {
  const [pulled] = await pullAll([readHubName(name, 'name')], { ...settings, ...over }, options);
  return pulled as Pulled;
};
const refusal = (...args: Parameters<typeof pull>) =>
  pull(...args).then(
    () => Promise.reject(new Error('it was pulled')),
    (reason: unknown) => reason as NudgingError,
  );

/** Bytes that no other place of the file has again. */
const bytes = (size: number, seed = 1) => {
  const content = Buffer.alloc(size);
  let state = seed;
  for (let index = 0; index < size; index += 1) {
    state = (state * 1_103_515_245 + 12_345) & 0x7fffffff;
    content[index] = state >> 16;
  }
  return content;
};
const inRepo = (...parts: string[]) => path.join(home, 'hub', 'models--owner--demo', ...parts);
const blob = (content: Buffer) => inRepo('blobs', sha256(content));
const partial = (content: Buffer) => `${blob(content)}.nudging.incomplete`;

describe('what is pulled', () => {
  test('lies where Python, llama.cpp and vLLM look for it, and is not fetched again', async () => {
    const content = bytes(300_000);
    server.add('owner/demo', { 'sub/demo-Q8_0.gguf': content, 'README.md': 'text' });
    const pulled = await pull('hf:owner/demo');
    const snapshot = inRepo('snapshots', commitId(1), 'sub', 'demo-Q8_0.gguf');
    expect(pulled).toEqual({ path: snapshot, paths: [snapshot], commit: commitId(1), bytes: 300_000, downloaded: 300_000 });
    expect(readlinkSync(snapshot)).toBe(path.join('..', '..', '..', 'blobs', sha256(content)));
    expect(readFileSync(snapshot).equals(content)).toBe(true);
    expect(readFileSync(inRepo('refs', 'main'), 'utf8')).toBe(commitId(1));
    // Nothing else is left: no partial file, no lock.
    expect(readdirSync(inRepo('blobs'))).toEqual([sha256(content)]);
    expect(readdirSync(path.join(home, 'hub', '.locks', 'models--owner--demo'))).toEqual([]);

    expect(server.fetched.length).toBe(1);
    expect(await pull('hf:owner/demo')).toEqual({ ...pulled, downloaded: 0 });
    expect(server.fetched.length).toBe(1);
  });

  test('may lie in git itself, with its hash', async () => {
    const content = bytes(1000);
    server.add('owner/demo', { 'a.gguf': content });
    // There is no `lfs` in the tree then.
    server.hubMischief = [
      {},
      { status: 200, content: Buffer.from(JSON.stringify([{ type: 'file', path: 'a.gguf', size: 1000, oid: gitSha1(content) }])) },
    ];
    const { path: file } = await pull('hf:owner/demo/a.gguf');
    expect(readlinkSync(file)).toBe(path.join('..', '..', 'blobs', gitSha1(content)));
  });
});

describe('a connection that is cut', () => {
  test('at any byte leaves what can be gone on with, and in the end the file', async () => {
    const content = bytes(20_000);
    server.add('owner/demo', { 'a.gguf': content });
    await fc.assert(
      fc.asyncProperty(fc.array(fc.integer({ min: 0, max: 20_000 }), { minLength: 1, maxLength: 4 }), async (cuts) => {
        rmSync(path.join(home, 'hub'), { recursive: true, force: true });
        server.asked.length = 0;
        server.mischief = cuts.map((cutAfter) => ({ cutAfter }));
        const { path: file } = await pull('hf:owner/demo');
        expect(readFileSync(file).equals(content)).toBe(true);
        // Each goes on where the one before ended, with the mark of what it had.
        for (const { headers } of server.fetched.slice(1)) {
          if (headers.range !== undefined) expect(headers['if-range']).toBe(`"${sha256(content).slice(0, 8)}"`);
        }
      }),
      { numRuns: 30 },
    );
  });

  test('is gone on with by the next command, which asks for the rest alone', async () => {
    const content = bytes(2_000_000);
    server.add('owner/demo', { 'a.gguf': content });
    const stop = new AbortController();
    server.mischief = () => ({ pauseMs: 1 });
    const onProgress = ({ received }: DownloadProgress) => received > 500_000 && stop.abort(new Error('enough'));
    await expect(pull('hf:owner/demo', { signal: stop.signal, onProgress: (event) => void onProgress(event) })).rejects.toThrow('enough');
    const had = statSync(partial(content)).size;
    expect(had).toBeGreaterThan(500_000);
    expect(had).toBeLessThan(2_000_000);
    expect(existsSync(blob(content))).toBe(false);
    expect(existsSync(inRepo('snapshots'))).toBe(false);
    expect(readdirSync(path.join(home, 'hub', '.locks', 'models--owner--demo'))).toEqual([]);

    server.mischief = [];
    const seen: DownloadProgress[] = [];
    const { path: file } = await pull('hf:owner/demo', { onProgress: (progress) => void seen.push(progress) });
    expect(server.fetched.at(-1)?.headers.range).toBe(`bytes=${had}-`);
    expect([...new Set(seen.map(({ state }) => state))]).toEqual(['checking', 'receiving', 'done']);
    expect(seen.find(({ state }) => state === 'receiving')?.received).toBe(had);
    expect(seen.at(-1)?.received).toBe(2_000_000);
    expect(readFileSync(file).equals(content)).toBe(true);
  });

  test('without getting any further is given up, and what is there stays', async () => {
    const content = bytes(20_000);
    server.add('owner/demo', { 'a.gguf': content });
    let first = true;
    server.mischief = () => {
      const cutAfter = first ? 9_000 : 0;
      first = false;
      return { cutAfter };
    };
    expect(await refusal('hf:owner/demo')).toMatchObject({ code: 'ERR_HUB_UNREACHABLE' });
    expect(statSync(partial(content)).size).toBe(9_000);
  });

  test('and a server that falls silent count alike', async () => {
    const content = bytes(20_000);
    server.add('owner/demo', { 'a.gguf': content });
    server.mischief = [{ silentAfter: 5_000 }];
    await pull('hf:owner/demo', {}, { silenceMs: 200 });
    expect(server.fetched.map(({ headers }) => headers.range)).toEqual([undefined, 'bytes=5000-']);
  });
});

describe('what is not the file', () => {
  test('never gets its name: other bytes of the right length', async () => {
    const content = bytes(20_000);
    server.add('owner/demo', { 'a.gguf': content });
    server.mischief = () => ({ content: bytes(20_000, 2) });
    const error = await refusal('hf:owner/demo');
    expect(error).toMatchObject({ code: 'ERR_HUB_DAMAGED' });
    expect(error.message).toContain(sha256(content));
    expect(existsSync(blob(content))).toBe(false);
    expect(existsSync(inRepo('snapshots'))).toBe(false);
    // And is not taken for a beginning.
    server.mischief = [];
    expect(readFileSync((await pull('hf:owner/demo')).path).equals(content)).toBe(true);
  });

  test('is fetched anew where the beginning that was there is to blame', async () => {
    const content = bytes(20_000);
    server.add('owner/demo', { 'a.gguf': content });
    mkdirSync(inRepo('blobs'), { recursive: true });
    writeFileSync(partial(content), bytes(9_000, 3));
    expect(readFileSync((await pull('hf:owner/demo')).path).equals(content)).toBe(true);
    expect(server.fetched.map(({ headers }) => headers.range)).toEqual(['bytes=9000-', undefined]);
    // One that is too long as well.
    rmSync(path.join(home, 'hub'), { recursive: true });
    mkdirSync(inRepo('blobs'), { recursive: true });
    writeFileSync(partial(content), bytes(30_000, 3));
    expect(readFileSync((await pull('hf:owner/demo')).path).equals(content)).toBe(true);
  });

  test.each([
    ['shorter', 15_000],
    ['longer', 25_000],
  ])('is refused by its length: %s', async (_, length) => {
    const content = bytes(20_000);
    server.add('owner/demo', { 'a.gguf': content });
    server.mischief = () => ({ content: bytes(length) });
    const error = await refusal('hf:owner/demo');
    expect(error).toMatchObject({ code: 'ERR_HUB_DAMAGED' });
    expect(error.message).toContain(`has ${length} bytes of it, and the hub says 20000`);
    expect(existsSync(blob(content))).toBe(false);
  });

  test('is not gone on with where the content has changed, or ranges are not known', async () => {
    const content = bytes(20_000);
    server.add('owner/demo', { 'a.gguf': content });
    server.mischief = [{ cutAfter: 8_000 }, { etag: '"other"' }];
    expect(readFileSync((await pull('hf:owner/demo')).path).equals(content)).toBe(true);
    rmSync(path.join(home, 'hub'), { recursive: true });
    server.mischief = [{ cutAfter: 8_000 }, { noRanges: true }];
    expect(readFileSync((await pull('hf:owner/demo')).path).equals(content)).toBe(true);
  });
});

describe('a lock whose holder may come back', () => {
  const times = { ...lockTimes };
  afterEach(() => Object.assign(lockTimes, times));

  test('is taken over after a while, and what it was writing is left to it', async () => {
    const content = bytes(20_000);
    server.add('owner/demo', { 'a.gguf': content });
    Object.assign(lockTimes, { pollMs: 5, goneMs: 100 });
    mkdirSync(inRepo('blobs'), { recursive: true });
    writeFileSync(partial(content), content.subarray(0, 9_000));
    const theirs = openSync(partial(content), 'r+');
    const locks = path.join(home, 'hub', '.locks', 'models--owner--demo');
    mkdirSync(locks, { recursive: true });
    writeFileSync(path.join(locks, `${sha256(content)}.nudging.lock`), JSON.stringify({ token: 'x', pid: 1, place: 'elsewhere' }));
    const states = new Set<string>();
    const { path: file } = await pull('hf:owner/demo', { onProgress: ({ state }) => void states.add(state) });
    expect([...states]).toEqual(['waiting', 'receiving', 'done']);
    expect(server.fetched.map(({ headers }) => headers.range)).toEqual([undefined]);
    // It wakes up, and goes on writing.
    writeSync(theirs, 'wrong');
    closeSync(theirs);
    expect(readFileSync(file).equals(content)).toBe(true);
  });

  test('and one that was taken away meanwhile keeps a file from its name', async () => {
    const content = bytes(20_000);
    server.add('owner/demo', { 'a.gguf': content });
    server.mischief = () => ({ pauseMs: 5 });
    const lockFile = path.join(home, 'hub', '.locks', 'models--owner--demo', `${sha256(content)}.nudging.lock`);
    const error = await refusal('hf:owner/demo', {
      onProgress: ({ state }) => {
        if (state === 'receiving') writeFileSync(lockFile, 'another’s');
      },
    });
    expect(error).toMatchObject({ code: 'ERR_HUB_DAMAGED', message: expect.stringContaining('another process took over') });
    expect(existsSync(blob(content))).toBe(false);
    expect(readFileSync(lockFile, 'utf8')).toBe('another’s');
  });
});

describe('where links need a privilege', () => {
  const { symlink, link } = fs;
  const fails = () => Promise.reject(Object.assign(new Error('EPERM'), { code: 'EPERM' }));
  afterEach(() => {
    Object.assign(fs, { symlink, link });
    syncBuiltinESMExports();
  });

  test('the content has a second name in the snapshot', async () => {
    const content = bytes(1000);
    server.add('owner/demo', { 'a.gguf': content });
    fs.symlink = fails;
    syncBuiltinESMExports();
    const { path: file } = await pull('hf:owner/demo');
    expect(lstatSync(file).isFile()).toBe(true);
    expect(statSync(file).ino).toBe(statSync(blob(content)).ino);
  });

  test('and where there are no such names either, it moves there', async () => {
    const content = bytes(1000);
    server.add('owner/demo', { 'a.gguf': content });
    fs.symlink = fails;
    fs.link = fails;
    syncBuiltinESMExports();
    const { path: file } = await pull('hf:owner/demo');
    expect(readFileSync(file).equals(content)).toBe(true);
    expect(existsSync(blob(content))).toBe(false);
    await pull('hf:owner/demo');
    expect(server.fetched.length).toBe(1);
  });
});
