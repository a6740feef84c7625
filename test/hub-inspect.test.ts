import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { readHeader } from '../lib/gguf/header.ts';
import type { HubFile } from '../lib/hub/api.ts';
import { HubClient } from '../lib/hub/client.ts';
import { lookUp } from '../lib/hub/look-up.ts';
import { readHubName } from '../lib/hub/name.ts';
import { planFor } from '../lib/hub/plan.ts';
import { pullAll } from '../lib/hub/pull.ts';
import { RemoteBytes } from '../lib/hub/remote.ts';
import { hubSettings, type HubSettings } from '../lib/hub/settings.ts';
import { describeModel, type NudgingError } from '../lib/index.ts';
import { inRoot } from '../scripts/lib/paths.mjs';
import { nudging } from './support/cli.ts';
import { ggufBytes, type Value } from './support/gguf.ts';
import { commitId, HubServer } from './support/hub-server.ts';

// Servers of megabytes, and commands in processes of their own.
vi.setConfig({ testTimeout: 120_000 });

const mebi = 2 ** 20;
const inherited = { ...process.env };
let server: HubServer;
let home: string;
let settings: HubSettings;

beforeEach(async () => {
  server = await HubServer.start();
  home = mkdtempSync(path.join(os.tmpdir(), 'nudging-hub-inspect-'));
  Object.assign(process.env, { HF_ENDPOINT: server.url, HF_HOME: home, HF_HUB_CACHE: '', HF_TOKEN: '' });
  settings = { ...(await hubSettings()), retryMs: 1, silenceMs: 5_000 };
});
afterEach(async () => {
  for (const name of ['HF_ENDPOINT', 'HF_HOME', 'HF_HUB_CACHE', 'HF_TOKEN']) {
    if (inherited[name] === undefined) delete process.env[name];
    else process.env[name] = inherited[name];
  }
  await server.close();
  rmSync(home, { recursive: true, force: true });
});

const values: Record<string, Value> = {
  'general.architecture': ['string', 'llama'],
  'general.name': ['string', 'Far Away Instruct'],
  'llama.block_count': ['u32', 3],
  'tokenizer.ggml.model': ['string', 'llama'],
  'tokenizer.ggml.tokens': ['array', 'string', ['a', 'b', 'c']],
  'tokenizer.chat_template': ['string', '{{ messages[0].content }}'],
};
const weights = [{ name: 't', shape: [32] }];
/** A model with this much behind its header. */
const model = (size: number, more: Record<string, Value> = {}) => {
  const header = ggufBytes({ ...values, ...more }, weights);
  return Buffer.concat([header, Buffer.alloc(size - header.length)]);
};

/** The bytes of the only file, and what asking for its header came to. */
async function look(over: Partial<HubSettings> = {}, signal?: AbortSignal) {
  const found = await lookUp(readHubName('hf:owner/demo', 'NAME'), { ...settings, ...over }, signal);
  if ('path' in found) throw new Error('it is in the cache');
  const { bytes } = found.files[0] as { bytes: RemoteBytes };
  return { bytes, header: await readHeader(bytes) };
}
const refusal = (...args: Parameters<typeof look>) =>
  look(...args).then(
    () => Promise.reject(new Error('it was read')),
    (reason: unknown) => reason as NudgingError,
  );

describe('a model on the hub', () => {
  test('is described by its first megabyte, and nothing is kept', async () => {
    server.add('owner/demo', { 'demo-Q8_0.gguf': model(12 * mebi) });
    const described = await describeModel('hf:owner/demo');
    expect(described).toMatchObject({
      remote: { name: 'hf:owner/demo/demo-Q8_0.gguf', commit: commitId(1), fetched: mebi },
      bytes: 12 * mebi,
      name: 'Far Away Instruct',
      layers: 3,
      suits: { base: 'no', aligned: 'yes' },
    });
    expect(described).not.toHaveProperty('path');
    expect(server.fetched.map(({ headers }) => headers.range)).toEqual([`bytes=0-${mebi - 1}`]);
    expect(existsSync(path.join(home, 'hub'))).toBe(false);
  });

  test('has as much fetched as its header needs, in growing parts', async () => {
    const chat = 'x'.repeat(5 * mebi);
    server.add('owner/demo', { 'demo.gguf': model(16 * mebi, { 'tokenizer.chat_template': ['string', chat], 'later.key': ['u32', 7] }) });
    const { bytes, header } = await look();
    expect(header.values.get('later.key')).toBe(7);
    expect(header.values.get('tokenizer.chat_template')).toBe(chat);
    expect(bytes.fetched).toBeLessThan(10.5 * mebi);
    expect(server.fetched.length).toBeLessThan(5);
  });

  test('whose header has no end is refused', async () => {
    server.add('owner/demo', { 'demo.gguf': model(6 * mebi, { 'tokenizer.chat_template': ['string', 'x'.repeat(5 * mebi)] }) });
    const name = readHubName('hf:owner/demo', 'NAME');
    const client = new HubClient(settings, new AbortController().signal);
    const { wanted } = await planFor(client, name, false);
    const bytes = new RemoteBytes(client, name, commitId(1), wanted[0] as HubFile, 3 * mebi);
    await expect(readHeader(bytes)).rejects.toMatchObject({
      code: 'ERR_MODEL_INVALID',
      message: expect.stringMatching(/goes on after 3 MiB.*nudging pull hf:owner\/demo/),
    });
    expect(bytes.fetched).toBe(mebi);
  });

  test('that the cache has is read there', async () => {
    server.add('owner/demo', { 'demo.gguf': readFileSync(inRoot('models/demo/aligned.gguf')) });
    const [pulled] = await pullAll([readHubName('hf:owner/demo', 'name')], settings, {});
    server.asked.length = 0;
    const described = await describeModel('hf:owner/demo');
    expect(described.path).toBe(pulled?.path);
    expect(described.rendered?.length).toBeGreaterThan(0);
    expect(described).not.toHaveProperty('remote');
    expect(server.asked).toEqual([]);
  });

  test('in parts has the header of each read', async () => {
    const part = (index: number) =>
      Buffer.concat([ggufBytes(index === 1 ? { ...values, 'split.count': ['u32', 2] } : {}, weights), Buffer.alloc(4 * mebi)]);
    server.add('owner/demo', { 'demo-00001-of-00002.gguf': part(1), 'demo-00002-of-00002.gguf': part(2) });
    const described = await describeModel('hf:owner/demo');
    expect(described).toMatchObject({ parts: 2, parameters: 64, bytes: part(1).length + part(2).length, remote: { fetched: 2 * mebi } });
    expect(described.warnings.join()).not.toContain('one of 2 parts');
  });

  test('says the token to the hub and to nobody whom it redirects to', async () => {
    server.add('owner/demo', { 'demo.gguf': model(2 * mebi) }, { gated: true });
    expect(await refusal()).toMatchObject({ code: 'ERR_HUB_GATED' });
    await look({ token: server.token });
    expect(server.fetched.map(({ headers }) => headers.authorization)).toEqual([undefined]);
    expect(server.asked.filter(({ path: asked }) => asked.includes('/resolve/')).at(-1)?.headers.authorization).toBe('Bearer hf_known');
  });

  test('is read over lines that break, and not over those that always do', async () => {
    server.add('owner/demo', { 'demo.gguf': model(2 * mebi) });
    server.mischief = [{ cutAfter: 5000 }, { status: 503 }];
    expect((await look()).header.values.get('llama.block_count')).toBe(3);
    server.mischief = () => ({ cutAfter: 5000 });
    expect(await refusal()).toMatchObject({ code: 'ERR_HUB_UNREACHABLE' });
    server.mischief = () => ({ silentAfter: 5000 });
    expect(await refusal({ silenceMs: 50 })).toMatchObject({ code: 'ERR_HUB_UNREACHABLE' });
  });

  test('of a server without ranges is read at its beginning, and not sent whole', async () => {
    server.add('owner/demo', { 'demo.gguf': model(10 * mebi) });
    server.mischief = () => ({ noRanges: true });
    const { bytes } = await look();
    expect(bytes.fetched).toBeLessThan(2 * mebi);
    server.add('owner/demo', { 'demo.gguf': model(10 * mebi, { 'tokenizer.chat_template': ['string', 'x'.repeat(2 * mebi)] }) });
    expect(await refusal()).toMatchObject({ code: 'ERR_HUB_DAMAGED', message: expect.stringContaining('those from 0 on come') });
  });

  test.each<[string, object, RegExp]>([
    ['of another size', { content: Buffer.alloc(3 * mebi) }, /the server has 3145728 bytes of it, and the hub says 2097152/],
    ['from another place', { headers: { 'content-range': `bytes 7-9/${2 * mebi}` } }, /those from 7 on come/],
  ])('%s is refused', async (_, mischief, message) => {
    server.add('owner/demo', { 'demo.gguf': model(2 * mebi) });
    server.mischief = () => mischief;
    expect(await refusal()).toMatchObject({ code: 'ERR_HUB_DAMAGED', message: expect.stringMatching(message) });
  });

  test('that is none is called by its name', async () => {
    server.add('owner/demo', { 'demo.gguf': 'x'.repeat(100) });
    await expect(describeModel('hf:owner/demo')).rejects.toMatchObject({
      code: 'ERR_MODEL_INVALID',
      message: '"hf:owner/demo" is no GGUF file',
    });
    await expect(describeModel('hf:owner')).rejects.toMatchObject({ code: 'ERR_INVALID_OPTION' });
    await expect(describeModel('hf:owner/other')).rejects.toMatchObject({ code: 'ERR_HUB_NOT_FOUND' });
  });

  test('stops when it is told to', async () => {
    server.add('owner/demo', { 'demo.gguf': model(2 * mebi) });
    server.mischief = () => ({ silentAfter: 5000 });
    const stop = new AbortController();
    const reading = refusal({}, stop.signal);
    setTimeout(() => stop.abort(new Error('enough')), 200);
    expect((await reading).message).toBe('enough');
  });
});

describe('nudging inspect NAME', () => {
  const run = (...args: string[]) => nudging(['inspect', ...args], { raw: true, env: process.env });

  test('says what it is, and how much was read', async () => {
    server.add('owner/demo', { 'demo-Q8_0.gguf': model(12 * mebi) });
    const { stdout, stderr, code } = await run('hf:owner/demo:Q8_0');
    expect({ stderr, code }).toEqual({ stderr: '', code: 0 });
    expect(stdout).toMatch(/file +hf:owner\/demo\/demo-Q8_0\.gguf, 12.0 MiB\n/);
    expect(stdout).toMatch(/read +1\.0 MiB of it, from the hub, at commit 0000000\n/);
    expect(stdout.replaceAll('\n', ' ')).toContain('nudging pull hf:owner/demo/demo-Q8_0.gguf');
    expect((await run('--template', 'hf:owner/demo')).stdout).toBe('{{ messages[0].content }}\n');
    expect(JSON.parse((await run('--json', 'hf:owner/demo')).stdout)).toEqual(
      JSON.parse(JSON.stringify(await describeModel('hf:owner/demo'))),
    );
  });

  test('that is not there is one line', async () => {
    expect(await run('hf:owner/nothing')).toMatchObject({
      code: 2,
      stdout: '',
      stderr: expect.stringMatching(/^nudging: .*there is no repository.*\n$/),
    });
  });
});

describe('nudging doctor', () => {
  test('says what a model by name would take, and downloads nothing', async () => {
    server.add('owner/demo', { 'demo-Q8_0.gguf': model(3 * mebi) });
    const args = ['doctor', '--base', 'hf:owner/demo:Q8_0', '--aligned', inRoot('models/demo/aligned.gguf')];
    const { stdout, code } = await nudging([...args, '--json'], { raw: true, env: process.env });
    const { works, pair, findings } = JSON.parse(stdout);
    expect({ works, code }).toEqual({ works: false, code: 1 });
    expect(pair.missing).toEqual([{ lane: 'base', name: 'hf:owner/demo:Q8_0', bytes: 3 * mebi, download: 3 * mebi }]);
    expect(pair.needed).toBeGreaterThan(3 * mebi);
    expect(findings.map(({ what }: { what: string }) => what).join()).toContain('nudging pull hf:owner/demo:Q8_0');
    expect(server.fetched).toEqual([]);
    expect((await nudging(args, { raw: true, env: process.env })).stdout).toMatch(/download +3\.0 MiB for the base model\n/);
  });
});
