import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { Nudging } from '../lib/index.ts';
import type { Service } from '../lib/server/handler.ts';
import { createHandler, type Handler, type LogEntry } from '../lib/server/index.ts';
import { listen } from '../lib/server/listen.ts';
import { Metrics } from '../lib/server/metrics.ts';
import { Models, Served } from '../lib/server/served.ts';
import { ask, chatOf, chatPath, eventsIn } from './support/requests.ts';

// Requests that are made to break a server, to hold it up, or to leave something in its log.

const question = 'What is a harbor?';
let engine: Nudging;
let handler: Handler;
const log: LogEntry[] = [];
beforeAll(async () => {
  engine = await Nudging.load({ threads: 1, parallel: 1, maxTokens: 5 });
  handler = createHandler(engine, { mostTokens: 300, onRequest: (entry) => log.push(entry) });
});
afterAll(() => engine.close());

const errorOf = async (response: Response) => {
  const text = await response.text();
  return { length: text.length, status: response.status, ...(JSON.parse(text) as { error: any }).error };
};
const nested = (levels: number) => '['.repeat(levels) + ']'.repeat(levels);

describe('what is nested a hundred thousand times', () => {
  test('is ignored where nobody asks for it', async () => {
    const body = JSON.stringify(chatOf(question)).replace(/\}$/, `,"whatever":${nested(100_000)}}`);
    expect((await ask(handler, chatPath, body)).status).toBe(200);
  });

  test.each([true, false])('is refused where an answer would repeat it (stream: %s)', async (stream) => {
    const body = `{"input":"${question}","stream":${stream},"metadata":{"a":${nested(100_000)}}}`;
    expect(await errorOf(await ask(handler, '/v1/responses', body))).toMatchObject({
      status: 400,
      code: 'ERR_FIELD_INVALID',
      param: 'metadata',
    });
  });
});

test.each<[what: string, metadata: unknown]>([
  ['text', 'x'],
  ['numbers', { a: 1 }],
  ['17 of them', Object.fromEntries(Array.from({ length: 17 }, (_, index) => [index, 'x']))],
  ['a long one', { a: 'x'.repeat(513) }],
  ['a long name', { ['x'.repeat(65)]: 'x' }],
])('metadata of responses that are %s are refused', async (_, metadata) => {
  const error = await errorOf(await ask(handler, '/v1/responses', { input: question, metadata }));
  expect(error).toMatchObject({ status: 400, param: 'metadata' });
});

test('metadata of responses come back', async () => {
  const metadata = { run: '7', ['x'.repeat(64)]: 'y'.repeat(512) };
  expect(await (await ask(handler, '/v1/responses', { input: question, metadata })).json()).toMatchObject({ metadata });
});

test.each<[what: string, body: object]>([
  ['many fields', chatOf(question, { temperature: Object.fromEntries(Array.from({ length: 20_000 }, (_, index) => [`k${index}`, 1])) })],
  ['a long field', chatOf(question, { temperature: { ['k'.repeat(500_000)]: 1 } })],
  ['many elements', chatOf(question, { stop: Array(15_000).fill('x'.repeat(60)) })],
  ['an unknown setting with a long name', chatOf(question, { nudging: { ['k'.repeat(500_000)]: 1 } })],
])('what is wrong with %s is said in a few words', async (_, body) => {
  const { status, length } = await errorOf(await ask(handler, chatPath, body));
  expect(status).toBe(400);
  expect(length).toBeLessThan(1000);
});

test.each<[what: string, path: string, body: string]>([
  ['no JSON', chatPath, '{"messages": my-secret}'],
  ['an unknown setting', chatPath, JSON.stringify(chatOf(question, { nudging: { 'my-secret': 1 } }))],
  ['a wrong value', chatPath, JSON.stringify(chatOf(question, { temperature: 'my-secret' }))],
  ['a model that is not there', chatPath, JSON.stringify(chatOf(question, { model: 'my-secret' }))],
  ['a path that is not there', '/my-secret', '{}'],
])('a log has nothing of a request with %s', async (_, path, body) => {
  log.length = 0;
  expect((await errorOf(await ask(handler, path, body))).message).toContain('my-secret');
  await vi.waitFor(() => expect(log).toHaveLength(1));
  expect(log[0]?.error).toMatch(/.{8}/);
  expect(JSON.stringify(log)).not.toContain('my-secret');
});

test('a stop text is no book', async () => {
  expect((await ask(handler, chatPath, chatOf(question, { stop: ['x'.repeat(1000)] }))).status).toBe(200);
  for (const stop of ['x'.repeat(1001), ['a', 'x'.repeat(1001)]])
    expect(await errorOf(await ask(handler, chatPath, chatOf(question, { stop })))).toMatchObject({ status: 400, param: 'stop' });
});

test('tokens are listed as far as an answer may be long', async () => {
  const { tokens } = (await (await ask(handler, '/tokenize', { content: ' a'.repeat(300) })).json()) as { tokens: number[] };
  expect(tokens).toHaveLength(300);
  expect((await ask(handler, '/detokenize', { tokens })).status).toBe(200);
  expect(await errorOf(await ask(handler, '/tokenize', { content: ' a'.repeat(301) }))).toMatchObject({
    status: 400,
    param: 'content',
    message: expect.stringContaining('301 tokens'),
  });
  expect(await errorOf(await ask(handler, '/detokenize', { tokens: [...tokens, 5] }))).toMatchObject({ status: 400, param: 'tokens' });
});

test.each(['__proto__', 'constructor', 'toString', '../../etc/passwd', 'nudging\n', ''])('there is no model %j', async (model) => {
  expect(await errorOf(await ask(handler, chatPath, chatOf(question, { model })))).toMatchObject({ status: 404, code: 'model_not_found' });
  const settings = `{"messages":[{"role":"user","content":"x"}],"nudging":{${JSON.stringify(model)}:1}}`;
  expect(await errorOf(await ask(handler, chatPath, settings))).toMatchObject({ status: 400, code: 'ERR_FIELD_UNSUPPORTED' });
});

test('half characters and nulls are text like any other', async () => {
  for (const content of ['What is a \ud800 harbor?', 'What is a \0harbor?', '\0'])
    expect((await ask(handler, chatPath, chatOf(content, { stop: ['\udfff', '\0'] }))).status).toBe(200);
  const { tokens } = (await (await ask(handler, '/tokenize', '{"content":"\\ud800"}')).json()) as { tokens: number[] };
  expect(await (await ask(handler, '/detokenize', { tokens })).json()).toMatchObject({ content: '\ufffd' });
});

test('an engine that hangs, and hears of no signal, is not healthy', async () => {
  vi.useFakeTimers();
  try {
    const served = new Served('x', { countTokens: () => new Promise(() => {}) } as unknown as Nudging);
    const health = served.health();
    await vi.advanceTimersByTimeAsync(10_000);
    expect(await Promise.race([health, 'unknown'])).toBe('failed');
  } finally {
    vi.useRealTimers();
  }
});

test('a page that may ask may send the headers that its client brings', async () => {
  const friendly = createHandler(engine, { allowedOrigins: ['https://friend.example'] });
  const wanted = 'authorization,content-type,x-stainless-lang,x-stainless-retry-count';
  const preflight = (origin: string) =>
    ask(friendly, chatPath, undefined, { method: 'OPTIONS', headers: { Origin: origin, 'Access-Control-Request-Headers': wanted } });
  expect((await preflight('https://friend.example')).headers.get('access-control-allow-headers')).toBe(wanted);
  const refused = await preflight('https://stranger.example');
  expect([refused.status, refused.headers.get('access-control-allow-headers')]).toEqual([403, null]);
});

describe('an answer that the guard ends', () => {
  let guarded: Nudging;
  let ended: Handler;
  beforeAll(async () => {
    guarded = await Nudging.load({ threads: 1, parallel: 1, guard: { every: 5, tokens: 10, phrases: ['A harbor'] } });
    ended = createHandler(guarded);
  });
  afterAll(() => guarded.close());

  test('says in a chat what the aligned model said', async () => {
    const { refusal } = await guarded.generate(question);
    expect(refusal).toContain('A harbor');
    const { choices } = (await (await ask(ended, chatPath, chatOf(question))).json()) as any;
    expect(choices[0]).toMatchObject({
      message: { content: '', refusal },
      finish_reason: 'content_filter',
      nudging: { stop_reason: 'refused', refusal },
    });
    const { data } = eventsIn(await (await ask(ended, chatPath, chatOf(question, { stream: true }))).text());
    expect(data.at(-1).choices[0]).toMatchObject({ delta: { refusal }, finish_reason: 'content_filter' });
  });

  test('says in a response why it is not whole', async () => {
    const response = await (await ask(ended, '/v1/responses', { input: question })).json();
    expect(response).toMatchObject({ status: 'incomplete', incomplete_details: { reason: 'content_filter' } });
  });
});

/** A server that has one long answer. */
function listenWith(length: number) {
  const service: Service = {
    fetch: async () => new Response('x'.repeat(length)),
    metrics: new Metrics(new Models([])),
    under: new Set(),
    onIdle: async () => {},
    drain: () => {},
  };
  return listen(service, { host: '127.0.0.1', port: 0, requestTimeout: 5, mostConnections: 5 });
}

test('a connection on which nothing is asked does not keep a server from ending', async () => {
  const running = await listenWith(1);
  const { port } = new URL(running.url);
  const idle = connect(Number(port), '127.0.0.1');
  const asked = await fetch(running.url);
  expect(await asked.text()).toBe('x');
  const closed = new Promise((resolve) => idle.once('close', resolve));
  const began = performance.now();
  await running.drain(10);
  await closed;
  expect(performance.now() - began).toBeLessThan(5000);
  await expect(fetch(running.url)).rejects.toThrow();
});

test('an answer that is on its way when the server ends arrives whole', async () => {
  const length = 15_000_000;
  const running = await listenWith(length);
  const socket = connect(Number(new URL(running.url).port), '127.0.0.1');
  socket.write('GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n');
  await new Promise((resolve) => socket.once('data', resolve));
  socket.pause();
  const drained = running.drain(10);
  await new Promise((resolve) => setTimeout(resolve, 100));
  let received = 0;
  const closed = new Promise((resolve) => socket.once('close', resolve));
  socket.on('data', (chunk: Buffer) => {
    received += chunk.length;
  });
  socket.resume();
  await closed;
  await drained;
  expect(received).toBeGreaterThan(length - 200_000);
});
