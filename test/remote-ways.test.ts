// Where models may be on servers: either of them or both, in pairs, processes, command lines and behind `nudging serve`.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { readArguments } from '../lib/cli/args.ts';
import { UsageError } from '../lib/cli/failure.ts';
import { Nudging, readPair, type LaneName, type LoadOptions, type RemoteModel } from '../lib/index.ts';
import { createHandler } from '../lib/server/index.ts';
import { inRoot } from '../scripts/lib/paths.mjs';
import { FakeServer, modelOf } from './support/remote-server.ts';

vi.setConfig({ testTimeout: 120_000 });

const demo = { base: inRoot('models/demo/base.gguf'), aligned: inRoot('models/demo/aligned.gguf') };
const question = 'What is a harbor?';
const settings = { maxTokens: 24 } as const;
const folder = mkdtempSync(path.join(os.tmpdir(), 'nudging-remote-'));

let here: Nudging;
let template: Nudging;
let expected: string;
const open: { close(): Promise<void> }[] = [];

beforeAll(async () => {
  here = await Nudging.load(demo);
  template = await Nudging.load({ ...demo, alignedPrompt: '<|im_start|>' });
  expected = (await here.generate(question, settings)).text;
});
afterAll(async () => {
  for (const one of open.reverse()) await one.close();
  await here.close();
  await template.close();
  rmSync(folder, { recursive: true, force: true });
});

async function served(lane: LaneName, api: RemoteModel['api'], tokenDelay = 0): Promise<{ server: FakeServer; model: RemoteModel }> {
  const server = await FakeServer.start({
    api,
    model: modelOf(lane === 'aligned' ? template : here, lane),
    tokenize: async (text) => (await here.tokenize(text, { lane })).map(({ token }) => token),
    vocabulary: here.models[lane].vocabulary,
    tokenDelay,
  });
  open.push(server);
  return { server, model: { url: server.url, api, tokenizer: demo[lane] } };
}

async function load(options: LoadOptions): Promise<Nudging> {
  const nudging = await Nudging.load(options);
  open.push(nudging);
  return nudging;
}

test('the aligned model may be on a server, or both, and drafts come in one call', async () => {
  const aligned = await served('aligned', 'sglang');
  const far = await load({ base: demo.base, aligned: aligned.model });
  const answer = await far.generate(question, settings);
  expect(answer.text).toBe(expected);
  expect(answer.stats.aligned.remote?.calls).toBeLessThanOrEqual(2 * answer.rounds.length);
  expect(answer.stats.base.remote).toBeUndefined();

  const base = await served('base', 'llama-server');
  const both = await load({ base: base.model, aligned: aligned.model });
  expect(both.models.aligned.hasChatTemplate).toBe(true);
  expect((await both.generate(question, settings)).text).toBe(expected);
  expect((await both.generate(question, { ...settings, mode: 'aligned' })).text).toBe(
    (await here.generate(question, { ...settings, mode: 'aligned' })).text,
  );
});

test('a file with a vocabulary alone is a tokenizer', async () => {
  const tokenizer = inRoot('vendor/llama.cpp/models/ggml-vocab-llama-spm.gguf');
  const { server } = await served('base', 'vllm');
  const loading = load({ aligned: demo.aligned, base: { url: server.url, api: 'vllm', tokenizer } });
  // It is read, and is not this model's.
  await expect(loading).rejects.toMatchObject({ code: 'ERR_REMOTE_PROTOCOL', message: expect.stringContaining('another tokenizer') });
  await expect(load({ aligned: demo.aligned, base: tokenizer })).rejects.toMatchObject({ code: 'ERR_MODEL_UNSUPPORTED' });
});

test('with isolate the questions come from the other process, and a crash gives them up', async () => {
  const { server, model } = await served('base', 'llama-server', 20);
  const far = await load({ base: model, aligned: demo.aligned, isolate: true });
  expect((await far.generate(question, settings)).text).toBe(expected);
  const before = server.calls.length;
  const answer = far.generate('What is bread?', settings);
  await vi.waitFor(() => expect(server.calls.length).toBeGreaterThan(before), { timeout: 20_000, interval: 2 });
  await far.close();
  expect((await answer).text).toBe((await here.generate('What is bread?', settings)).text);
});

test('several requests share a server, and each closes what is its own', async () => {
  const { server, model } = await served('base', 'llama-server', 10);
  const far = await load({ base: model, aligned: demo.aligned, parallel: 2 });
  const abort = new AbortController();
  const gone = far.generate('What is bread?', { ...settings, mode: 'base', signal: abort.signal });
  const stays = far.generate(question, settings);
  await vi.waitFor(() => expect(server.calls.length).toBeGreaterThan(2), { timeout: 20_000, interval: 2 });
  abort.abort();
  expect((await gone).stopReason).toBe('aborted');
  expect((await stays).text).toBe(expected);
});

test("a pair's manifest may name a server; its tokenizer is relative to it, as files are", async () => {
  const { model } = await served('base', 'sglang');
  const file = path.join(folder, 'pair.json');
  const tokenizer = path.relative(folder, demo.base);
  writeFileSync(file, JSON.stringify({ base: { ...model, tokenizer }, aligned: demo.aligned }));
  expect((await readPair(file)).base).toEqual(model);
  expect((await (await load({ pair: file })).generate(question, settings)).text).toBe(expected);
});

test('flags say the same', () => {
  const read = (...flags: string[]) => readArguments([...flags, '--aligned', 'a.gguf', 'question']).load;
  const server = ['--base', 'http://h:1/v1', '--base-api', 'vllm', '--base-tokenizer', 't.gguf'];
  expect(read(...server).base).toEqual({ url: 'http://h:1/v1', api: 'vllm', tokenizer: 't.gguf' });
  expect(read(...server, '--base-model', 'm', '--base-header', 'Authorization: Bearer k').base).toEqual({
    url: 'http://h:1/v1',
    api: 'vllm',
    tokenizer: 't.gguf',
    model: 'm',
    headers: { Authorization: 'Bearer k' },
  });
  const refused = (...flags: string[]) => {
    try {
      return read(...flags);
    } catch (error) {
      return error instanceof UsageError ? error.message : error;
    }
  };
  expect(refused('--base', 'http://h:1')).toContain('--base-api');
  expect(refused('--base', 'b.gguf', '--base-api', 'vllm')).toContain('--base http://…');
  expect(refused('--base', 'http://h:1', '--base-api', 'tgi', '--base-tokenizer', 't')).toContain('one of "sglang"');
  expect(refused('--base', 'http://u:p@h:1', ...server.slice(2))).toContain("user's name");
});

test('nudging serve: a server that is down is told of, makes it unready, and fails its requests alone', async () => {
  const { server, model } = await served('base', 'llama-server');
  const handler = createHandler(await load({ base: model, aligned: demo.aligned }));
  const get = async (where: string) => {
    const response = await handler(new Request(`http://127.0.0.1${where}`));
    return [response.status, await response.json()];
  };
  const ask = () =>
    handler(
      new Request('http://127.0.0.1/v1/chat/completions', {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ messages: [{ role: 'user', content: question }], max_tokens: 24 }),
      }),
    );
  expect(await get('/health')).toEqual([200, { status: 'ok', servers: { nudging: { base: 'ok' } } }]);
  expect((await get('/ready'))[0]).toBe(200);
  expect((await ask()).status).toBe(200);
  await server.close();
  // What it said last holds for a second.
  await new Promise((resolve) => setTimeout(resolve, 1100));
  expect(await get('/health')).toEqual([200, { status: 'ok', servers: { nudging: { base: 'unreachable' } } }]);
  expect(await get('/ready')).toEqual([503, { status: 'unreachable' }]);
  const failed = await handler(
    new Request('http://127.0.0.1/v1/chat/completions', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ messages: [{ role: 'user', content: 'What is bread?' }], max_tokens: 24 }),
    }),
  );
  expect(failed.status).toBe(503);
  const said = await failed.text();
  expect(said).toContain('ERR_REMOTE_UNREACHABLE');
  // Nothing of this network.
  expect(said).not.toContain(String(new URL(model.url).port));
});
