import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { Nudging, type LoadOptions, type RemoteModel } from '../lib/index.ts';
import { noTraffic } from '../lib/remote/client.ts';
import { RemoteLane } from '../lib/remote/lane.ts';
import { inRoot } from '../scripts/lib/paths.mjs';
import { FakeServer, json, modelOf, type FakeOptions, type Model, type Seen } from './support/remote-server.ts';
import type { ServerResponse } from 'node:http';

const demo = { base: inRoot('models/demo/base.gguf'), aligned: inRoot('models/demo/aligned.gguf') };
const question = 'What is a harbor?';
const settings = { maxTokens: 24 } as const;
vi.setConfig({ testTimeout: 120_000 });
const asks = ({ path }: Seen) => ['/completion', '/v1/completions', '/generate'].includes(path);

let here: Nudging;
let model: Model;
let expected: string;
const open: { close(): Promise<void> }[] = [];

beforeAll(async () => {
  here = await Nudging.load(demo);
  model = modelOf(here);
  expected = (await here.generate(question, settings)).text;
});
afterAll(async () => {
  for (const one of open.reverse()) await one.close();
  await here.close();
});

const tokenize = async (text: string) => (await here.tokenize(text, { lane: 'base' })).map(({ token }) => token);

async function serve(api: RemoteModel['api'], options: Partial<FakeOptions> = {}, port = 0): Promise<FakeServer> {
  const server = await FakeServer.start({ api, model, tokenize, vocabulary: here.models.base.vocabulary, ...options }, port);
  open.push(server);
  return server;
}

async function load(url: string, api: RemoteModel['api'], more: Partial<RemoteModel> = {}, options: LoadOptions = {}): Promise<Nudging> {
  const nudging = await Nudging.load({ aligned: demo.aligned, base: { url, api, tokenizer: demo.base, ...more }, ...options });
  open.push(nudging);
  return nudging;
}

/** For what answers in place of a server. */
function refused(response: ServerResponse, value: object, status: number): true {
  json(response, value, status);
  return true;
}

/** A switch that makes a server misbehave from the moment it is thrown. */
function faulty(act: (seen: Seen, response: ServerResponse, count: number) => boolean | Promise<boolean>) {
  const state = { on: false, count: 0 };
  const instead = (seen: Seen, response: ServerResponse) => (state.on && asks(seen) ? act(seen, response, ++state.count) : false);
  return { state, instead };
}

describe('while answering', () => {
  const refusals: [string, string, (response: ServerResponse) => void][] = [
    ['ERR_REMOTE_REFUSED', 'a wrong key', (response) => json(response, { error: { message: 'Invalid API Key' } }, 401)],
    ['ERR_REMOTE_REFUSED', 'a model that is gone', (response) => json(response, { error: { message: 'no such model' } }, 404)],
    ['ERR_REMOTE_REFUSED', 'a request that is too long', (response) => json(response, { detail: 'too long' }, 400)],
    ['ERR_REMOTE_REFUSED', 'a redirection', (response) => void response.writeHead(302, { location: 'http://127.0.0.1:1/' }).end()],
    ['ERR_REMOTE_UNREACHABLE', 'an error inside', (response) => json(response, { error: 'CUDA out of memory' }, 500)],
    ['ERR_REMOTE_PROTOCOL', 'a page', (response) => void response.writeHead(200, { 'content-type': 'text/html' }).end('<html>')],
    ['ERR_REMOTE_PROTOCOL', 'another JSON', (response) => json(response, [1, 2])],
    ['ERR_REMOTE_PROTOCOL', 'nothing', (response) => void response.writeHead(200, { 'content-type': 'text/event-stream' }).end()],
    ['ERR_REMOTE_UNREACHABLE', 'a connection that is closed', (response) => void response.destroy()],
  ];
  test.each(refusals)('%s: %s; the next request is answered', async (code, _, refuse) => {
    const { state, instead } = faulty((__, response) => {
      refuse(response);
      return true;
    });
    const far = await load((await serve('llama-server', { instead })).url, 'llama-server');
    state.on = true;
    await expect(far.generate(question, settings)).rejects.toMatchObject({ name: 'NudgingError', code });
    state.on = false;
    expect((await far.generate(question, settings)).text).toBe(expected);
  });

  test('ERR_REMOTE_TIMEOUT: a server that says nothing; others are answered meanwhile', async () => {
    const { state, instead } = faulty((_, __, count) => count === 1);
    const far = await load((await serve('sglang', { instead })).url, 'sglang', { timeout: 300 });
    state.on = true;
    const stuck = far.generate(question, settings);
    const other = far.generate(question, settings);
    await expect(stuck).rejects.toMatchObject({ code: 'ERR_REMOTE_TIMEOUT', message: expect.stringContaining('300 ms') });
    expect((await other).text).toBe(expected);
  });

  test('a server that is busy for a moment is asked again, when it says so', async () => {
    const times: number[] = [];
    const { state, instead } = faulty((_, response, count) => {
      times.push(performance.now());
      if (count === 1) json(response, { detail: 'loading' }, 503, { 'retry-after': '1' });
      if (count === 2) response.destroy();
      return count <= 2;
    });
    const far = await load((await serve('vllm', { instead })).url, 'vllm');
    state.on = true;
    const { text, stats } = await far.generate(question, settings);
    expect(text).toBe(expected);
    expect((times[1] ?? 0) - (times[0] ?? 0)).toBeGreaterThan(700);
    expect(stats.base.remote?.roundTrips).toBe((stats.base.remote?.calls ?? 0) + 2);
    expect(stats.base.remote?.sentBytes).toBeGreaterThan(100);
    expect(stats.base.remote?.receivedBytes).toBeGreaterThan(100);
  });

  test('a stream that breaks behind what was asked is gone on with in another call', async () => {
    const far = await load(
      (
        await serve('llama-server', {
          instead: () => false,
          change: (() => {
            let events = 0;
            return (event: Record<string, unknown>) =>
              ++events % 7 === 0 && event['stop'] === false ? { error: { message: 'slot lost' } } : event;
          })(),
        })
      ).url,
      'llama-server',
      {},
      { mode: 'base' },
    ).catch((error: unknown) => error);
    // Its own check at load asks for three places, which come whole.
    expect(far).toBeInstanceOf(Nudging);
    const alone = await here.generate(question, { ...settings, mode: 'base' });
    expect((await (far as Nudging).generate(question, settings)).text).toBe(alone.text);
  });

  test.each([
    ['vllm', { return_tokens_as_token_ids: false }, 'token_id:N'],
    ['llama-server', { top_logprobs: [] }, 'top_logprobs'],
    ['sglang', { input_top_logprobs: [null] }, 'input_top_logprobs'],
  ] as const)('ERR_REMOTE_PROTOCOL: %s without what the probabilities come in', async (api, _, named) => {
    const change = (event: Record<string, unknown>): unknown => {
      const text = JSON.stringify(event)
        .replaceAll('token_id:', 'id ')
        .replace(/"top_logprobs":\[\{"id".*?\}\]/g, '"top_logprobs":[]')
        .replace(/"input_top_logprobs":\[null,.*?\]\]\]/g, '"input_top_logprobs":[null]');
      return JSON.parse(text);
    };
    const server = await serve(api, { change });
    await expect(load(server.url, api)).rejects.toMatchObject({ code: 'ERR_REMOTE_PROTOCOL', message: expect.stringContaining(named) });
  });

  test('aborting closes the connection', async () => {
    const server = await serve('llama-server', { tokenDelay: 20 });
    const far = await load(server.url, 'llama-server');
    const abort = new AbortController();
    const answer = far.generate(question, { ...settings, mode: 'base', signal: abort.signal });
    await pause(100);
    abort.abort();
    expect((await answer).stopReason).toBe('aborted');
    await pause(100);
    expect(server.calls.at(-1)?.closed).toBe(true);
  });

  test('so does a timeout, and closing at once', async () => {
    const server = await serve('llama-server', { tokenDelay: 50 });
    const far = await load(server.url, 'llama-server');
    expect((await far.generate(question, { ...settings, mode: 'base', timeout: 200 })).stopReason).toBe('timeout');
    await pause(100);
    expect(server.calls.at(-1)?.closed).toBe(true);
  });

  test('after some failures in a row nobody is asked for a while', async () => {
    const { state, instead } = faulty((_, response) => refused(response, {}, 500));
    const server = await serve('llama-server', { instead });
    const far = await load(server.url, 'llama-server');
    state.on = true;
    for (let i = 0; i < 5; i += 1) await expect(far.generate(question, settings)).rejects.toMatchObject({ code: 'ERR_REMOTE_UNREACHABLE' });
    const asked = state.count;
    await expect(far.generate(question, settings)).rejects.toMatchObject({ message: expect.stringContaining('5 times in a row') });
    expect(state.count).toBe(asked);
    expect((await far.servers())['base']).toMatchObject({ state: 'failing', answers: true, failures: 5 });
    state.on = false;
    await pause(1100);
    expect((await far.generate(question, settings)).text).toBe(expected);
    expect((await far.servers())['base']).toMatchObject({ state: 'ok', failures: 0 });
  });
});

test('however often one asks how a server is, it is asked about once a second', async () => {
  let down = false;
  const instead: FakeOptions['instead'] = ({ path }, response) => path === '/health' && down && refused(response, {}, 500);
  const server = await serve('llama-server', { instead });
  const far = await load(server.url, 'llama-server');
  const answers = async () => (await far.servers())['base']?.answers;
  const healthAsked = () => server.seen.filter(({ path }) => path === '/health').length;
  const before = healthAsked();
  expect(await Promise.all(Array.from({ length: 20 }, answers))).toEqual(Array(20).fill(true));
  expect(await answers()).toBe(true);
  expect(healthAsked() - before).toBe(1);
  down = true;
  await pause(1100);
  expect(await answers()).toBe(false);
  expect(healthAsked() - before).toBe(2);
});

test('llama-server: what it leaves out, because a character is not whole there, is asked in another way', async () => {
  // Behind n tokens comes the token n + 100; every third one cuts a character.
  const counting: Model = async ({ length }) => ({ token: length + 100, logprob: -0.1, next: -3, cutsCharacter: length % 3 === 0 });
  const server = await serve('llama-server', { model: counting });
  const lane = new RemoteLane('base', { url: server.url, api: 'llama-server', tokenizer: demo.base });
  const said = async (tokens: number[], asked: number, run: number) => {
    const all: number[] = [];
    for await (const some of lane.said({ tokens, asked, run }, new AbortController().signal, noTraffic()))
      all.push(...some.map(({ token }) => token));
    return all;
  };
  expect(await said([1, 2, 3], 1, 0)).toEqual([103]);
  expect(await said([1, 2, 3], 1, 5)).toEqual([103]);
  // The model's own way, as a draft.
  expect(await said([1, 101, 102, 103, 104, 105], 5, 4)).toEqual([102, 103, 104, 105, 106]);
  expect(await said([1, 2], 1, 5)).toEqual([102]);
});

describe('at load', () => {
  const rejects = async (loading: Promise<unknown>, code: string, words: string) =>
    expect(loading).rejects.toMatchObject({ name: 'NudgingError', code, message: expect.stringContaining(words) });

  test('nobody is there', async () => {
    await rejects(load('http://127.0.0.1:59', 'vllm'), 'ERR_REMOTE_UNREACHABLE', 'ECONNREFUSED');
  });

  test('another tokenizer, by its tokens or their number', async () => {
    const shifted = await serve('llama-server', { tokenize: async (text) => (await tokenize(text)).map((token) => token + 1) });
    await rejects(load(shifted.url, 'llama-server'), 'ERR_REMOTE_PROTOCOL', 'another tokenizer');
    const larger = await serve('llama-server', { vocabulary: 12 });
    await rejects(load(larger.url, 'llama-server'), 'ERR_REMOTE_PROTOCOL', 'it has 12 tokens');
  });

  test('a server without a tokenizer to ask is taken', async () => {
    const server = await serve('sglang', { instead: ({ path }, response) => path === '/tokenize' && refused(response, {}, 404) });
    expect((await (await load(server.url, 'sglang')).generate(question, settings)).text).toBe(expected);
  });

  test('no such model, and a context that it does not take', async () => {
    const server = await serve('vllm', { context: 300 });
    await rejects(load(server.url, 'vllm', { model: 'other' }), 'ERR_REMOTE_REFUSED', 'it has served');
    await rejects(load(server.url, 'vllm', {}, { context: 400 }), 'ERR_INVALID_OPTION', 'at most 300');
    expect((await load(server.url, 'vllm', { model: 'served' })).models.base.context).toBe(300);
  });

  test('headers are sent, and what is in them is in no message', async () => {
    const server = await serve('llama-server', {
      instead: ({ headers }, response) =>
        headers.authorization !== 'Bearer right' && refused(response, { error: { message: 'Invalid API Key' } }, 401),
    });
    const wrong = load(server.url, 'llama-server', { headers: { Authorization: 'Bearer wrong-secret' } });
    await rejects(wrong, 'ERR_REMOTE_REFUSED', 'headers');
    await expect(wrong).rejects.not.toMatchObject({ message: expect.stringContaining('wrong-secret') });
    await load(server.url, 'llama-server', { headers: { Authorization: 'Bearer right' } });
  });

  test.each([
    [{ url: 'ftp://x' }, "server's URL"],
    [{ url: 'http://user:key@x' }, "user's name"],
    [{ api: 'tgi' }, '"llama-server"'],
    [{ tokenizer: '' }, 'GGUF'],
    [{ tokenizer: undefined }, 'tokenizer'],
    [{ headers: { 'a b': 'c' } }, 'headers'],
    [{ timeout: 0 }, '1 to 3600000'],
    [{ size: 5 }, 'size'],
  ])('refuses %o by name', async (wrong, words) => {
    const base = { url: 'http://127.0.0.1:9', api: 'vllm', tokenizer: demo.base, ...wrong } as never;
    await expect(Nudging.load({ base, aligned: demo.aligned })).rejects.toMatchObject({
      code: 'ERR_INVALID_OPTION',
      option: 'base',
      message: expect.stringContaining(words),
    });
  });

  test('deterministic: true cannot be had', async () => {
    const server = await serve('llama-server');
    await rejects(load(server.url, 'llama-server', {}, { deterministic: true }), 'ERR_NOT_DETERMINISTIC', 'another machine');
  });
});

test('what takes whole distributions is refused by name, with the reason', async () => {
  const far = await load((await serve('llama-server')).url, 'llama-server');
  const refused = [
    ['temperature', { temperature: 1 }],
    ['rule', { rule: 'entropy' }],
    ['rule', { rule: 'blend' }],
    ['mode', { mode: 'ensemble' }],
    ['logitBias', { logitBias: { base: { 5: 1 } } }],
    ['repeatPenalty', { repeatPenalty: 1.2 }],
  ] as const;
  for (const [option, options] of refused) {
    await expect(far.generate(question, options), option).rejects.toMatchObject({
      code: 'ERR_INVALID_OPTION',
      option,
      message: expect.stringContaining('another machine'),
    });
  }
  await expect(far.inspect({ lane: 'base', input: question })).rejects.toMatchObject({ option: 'lane' });
  // What does not ask it may have all of these.
  const own = { ...settings, mode: 'aligned', temperature: 1, seed: 3 } as const;
  expect((await far.generate(question, own)).text).toBe((await here.generate(question, own)).text);
  const biased = { ...settings, logitBias: { aligned: { 5: 1 } } };
  expect((await far.generate(question, biased)).text).toBe((await here.generate(question, biased)).text);
});
