import { Hono } from 'hono';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Nudging } from '../lib/index.ts';
import { createHandler, type Handler, type LogEntry } from '../lib/server/index.ts';
import { newestChild } from './support/children.ts';
import { ask, chatOf, chatPath, eventsIn, longChat, saidIn, until } from './support/requests.ts';

// Waiting, leaving, reading slowly, and engines that crash: what becomes of everybody else meanwhile.

const question = 'What is a harbor?';
let engine: Nudging;
let text: string;
const forbidden = { 0: -100, 2: -100 };
/** No model may end, so that answers are as long as they are asked to be. */
const endless = { threads: 1, maxTokens: 20, logitBias: { base: forbidden, aligned: forbidden } } as const;
beforeAll(async () => {
  engine = await Nudging.load({ ...endless, parallel: 1, maxQueue: 2 });
  text = (await engine.generate(question)).text;
});
afterAll(() => engine.close());

const gauges = async (handler: Handler) => {
  const metrics = await (await ask(handler, '/metrics')).text();
  const value = (name: string) => Number(new RegExp(`^nudging_${name}\\{[^}]*\\} (.*)$`, 'm').exec(metrics)?.[1]);
  return { running: value('requests_running'), waiting: value('requests_waiting') };
};

/** A handler that notes who is over. */
function noting(options: object = {}, of = engine) {
  const log: LogEntry[] = [];
  return { log, handler: createHandler(of, { onRequest: (entry) => log.push(entry), ...options }) };
}

/** Reads a stream's first chunk, and no more. */
async function begin(response: Response) {
  const reader = (response.body as ReadableStream<Uint8Array>).getReader();
  const { value } = await reader.read();
  return { reader, first: new TextDecoder().decode(value) };
}

/** Reads the rest, so that the answer goes on. */
async function readOn(reader: ReadableStreamDefaultReader<Uint8Array>): Promise<string> {
  const decoder = new TextDecoder();
  let rest = '';
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return rest;
    rest += decoder.decode(value, { stream: true });
  }
}

/** Takes the only place until it is told to leave. */
function block(handler: Handler): { leave: () => Promise<void> } {
  const leaving = new AbortController();
  const blocking = ask(handler, chatPath, longChat({ stream: false }), { signal: leaving.signal });
  return {
    leave: async () => {
      leaving.abort();
      await blocking;
    },
  };
}

describe('a client that leaves', () => {
  test('while it reads frees its place for who waits', async () => {
    const { handler, log } = noting();
    const { reader } = await begin(await ask(handler, chatPath, longChat()));
    const reading = readOn(reader);
    const next = ask(handler, chatPath, chatOf(question));
    await until(async () => (await gauges(handler)).waiting === 1);
    await reader.cancel();
    await reading;
    expect(((await (await next).json()) as any).choices[0].message.content).toBe(text);
    await until(() => log.some((entry) => entry.left));
    const left = log.find((entry) => entry.left);
    expect(left).toMatchObject({ status: 200, model: 'nudging', stopReasons: ['aborted'] });
    expect(left?.tokens).toBeLessThan(400);
    await until(async () => (await gauges(handler)).running === 0);
  });

  test('while it waits never gets a place', async () => {
    const { handler, log } = noting();
    const blocking = block(handler);
    const leaving = new AbortController();
    const waiting = ask(handler, chatPath, longChat({ stream: false }), { signal: leaving.signal });
    const streaming = ask(handler, chatPath, longChat(), { signal: leaving.signal });
    await until(async () => (await gauges(handler)).waiting === 2);
    leaving.abort();
    await until(async () => (await gauges(handler)).waiting === 0);
    // The one in front of them goes on: it was not theirs.
    expect((await gauges(handler)).running).toBe(1);
    await Promise.all([waiting, streaming]);
    await until(() => log.filter((entry) => entry.left).length === 2);
    expect(log.filter((entry) => entry.left).map(({ tokens = 0 }) => tokens)).toEqual([0, 0]);
    await blocking.leave();
  });

  test('at the prompt leaves the place to the next', async () => {
    // Four hundred tokens in passes of one: the prompt alone takes as long as an answer.
    const slow = await Nudging.load({ ...endless, parallel: 1, batch: 1 });
    const { handler } = noting({}, slow);
    const leaving = new AbortController();
    const prompt = { model: 'nudging:base', prompt: 'harbor port ship '.repeat(60), max_tokens: 50, stream: true };
    const gone = ask(handler, '/v1/completions', prompt, { signal: leaving.signal });
    await until(async () => (await gauges(handler)).running === 1);
    leaving.abort();
    const left = performance.now();
    await until(async () => (await gauges(handler)).running === 0);
    expect(performance.now() - left).toBeLessThan(200);
    await gone;
    expect((await ask(handler, chatPath, chatOf(question, { max_tokens: 2 }))).status).toBe(200);
    await slow.close();
  });

  test('before it is looked at is not answered', async () => {
    const { handler, log } = noting();
    await ask(handler, chatPath, longChat(), { signal: AbortSignal.abort() });
    await until(() => log.length === 1);
    expect(log[0]).toMatchObject({ left: true });
    expect(await gauges(handler)).toMatchObject({ running: 0 });
  });
});

describe('a full queue', () => {
  test('is said with 429 and when to come again; readiness says it as well', async () => {
    const { handler } = noting();
    const blocking = block(handler);
    await until(async () => (await gauges(handler)).running === 1);
    const leaving = new AbortController();
    const waiting = [1, 2].map(() => ask(handler, chatPath, longChat(), { signal: leaving.signal }));
    await until(async () => (await gauges(handler)).waiting === 2);
    const refused = await ask(handler, chatPath, chatOf(question));
    expect(refused.status).toBe(429);
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThanOrEqual(1);
    expect(await refused.json()).toMatchObject({ error: { type: 'rate_limit_error', code: 'ERR_BUSY' } });
    expect((await ask(handler, '/ready')).status).toBe(503);
    expect((await ask(handler, '/health')).status).toBe(200);
    // What was refused holds nothing.
    expect(await gauges(handler)).toEqual({ running: 1, waiting: 2 });
    leaving.abort();
    await blocking.leave();
    await Promise.all(waiting);
    await until(async () => (await gauges(handler)).running === 0);
    expect((await ask(handler, '/ready')).status).toBe(200);
  });

  test('refuses several answers as one', async () => {
    const { handler } = noting();
    const refused = await ask(handler, chatPath, chatOf(question, { n: 4 }));
    expect(refused.status).toBe(429);
    await until(async () => (await gauges(handler)).running === 0);
    expect((await ask(handler, chatPath, chatOf(question, { n: 3, max_tokens: 2 }))).status).toBe(200);
  });
});

describe('a stream', () => {
  test('that has to wait says that it lives, and what is wrong with it has a status all the same', async () => {
    const { handler } = noting({ keepAlive: 0.05 });
    const blocking = block(handler);
    await until(async () => (await gauges(handler)).running === 1);
    const tooLong = await ask(handler, chatPath, chatOf('harbor '.repeat(600), { stream: true }));
    expect(tooLong.status).toBe(400);
    const waiting = await ask(handler, chatPath, chatOf(question, { stream: true }));
    const all = waiting.text();
    setTimeout(() => void blocking.leave(), 250);
    const { comments, done } = eventsIn(await all);
    expect(saidIn(await all)).toBe(text);
    expect(done).toBe(true);
    expect(comments.length).toBeGreaterThanOrEqual(2);
    expect(new Set(comments)).toEqual(new Set([': keep-alive']));
  });

  test('whose reader stops waits for it, and nobody else does', async () => {
    const two = await Nudging.load({ ...endless, parallel: 2, highWaterMark: 8 });
    const { handler, log } = noting({}, two);
    const { reader } = await begin(await ask(handler, chatPath, longChat()));
    await new Promise((resolve) => setTimeout(resolve, 300));
    // The other one is answered meanwhile, and the first has not gone on behind what its reader may be behind.
    expect(((await (await ask(handler, chatPath, chatOf(question))).json()) as any).choices[0].message.content).toBe(text);
    await reader.cancel();
    await until(() => log.some((entry) => entry.left));
    expect(log.find((entry) => entry.left)?.tokens ?? 0).toBeLessThan(200);
    await two.close();
  });

  test('that ends early is cut at its time', async () => {
    const { handler } = noting({ timeout: 0.15 });
    const { data, done } = eventsIn(await (await ask(handler, chatPath, longChat())).text());
    expect(done).toBe(true);
    expect(data.at(-1).choices[0]).toMatchObject({ finish_reason: 'length', nudging: { stop_reason: 'timeout' } });
  });

  test('of several answers tells them apart', async () => {
    const { handler } = noting();
    const response = await ask(handler, chatPath, chatOf(question, { stream: true, n: 2, stream_options: { include_usage: true } }));
    const { data, done } = eventsIn(await response.text());
    for (const index of [0, 1]) {
      const own = data.flatMap(({ choices }) => choices).filter((choice: any) => choice.index === index);
      expect(own.map(({ delta }: any) => delta.content ?? '').join('')).toBe(text);
      expect(own.filter(({ delta }: any) => delta.role === 'assistant')).toHaveLength(1);
    }
    const single = eventsIn(
      await (await ask(handler, chatPath, chatOf(question, { stream: true, stream_options: { include_usage: true } }))).text(),
    );
    const [both, one] = [data, single.data].map((each) => each.at(-1).usage);
    expect([both.prompt_tokens, both.completion_tokens]).toEqual([one.prompt_tokens, 2 * one.completion_tokens]);
    expect(done).toBe(true);
  });
});

describe('an engine that crashes', () => {
  test('ends its streams with an error and [DONE], and the next request finds another one', async () => {
    const isolated = await Nudging.load({ ...endless, parallel: 2, isolate: true });
    const { handler, log } = noting({}, isolated);
    const { reader, first } = await begin(await ask(handler, chatPath, longChat()));
    const whole = ask(handler, chatPath, longChat({ stream: false }));
    await until(async () => (await gauges(handler)).running === 2);
    const child = newestChild();
    child.kill('SIGKILL');
    const { data, done } = eventsIn(first + (await readOn(reader)));
    expect(done).toBe(true);
    expect(data.at(-1)).toEqual({
      error: { message: expect.stringContaining('crashed'), type: 'server_error', param: null, code: 'ERR_ENGINE_CRASHED' },
    });
    const failed = await whole;
    expect([failed.status, failed.headers.get('retry-after')]).toEqual([503, '1']);
    expect(JSON.stringify(await failed.json())).not.toContain('/');
    expect(((await (await ask(handler, chatPath, chatOf(question))).json()) as any).choices[0].message.content).toBe(text);
    expect(newestChild().pid).not.toBe(child.pid);
    expect(log.filter(({ code }) => code === 'ERR_ENGINE_CRASHED')).toHaveLength(2);
    expect((await ask(handler, '/health')).status).toBe(200);
    await isolated.close();
    expect((await ask(handler, '/health')).status).toBe(503);
    expect((await ask(handler, chatPath, chatOf(question))).status).toBe(503);
  });
});

test('the handler may be mounted below another path, in a server of somebody else', async () => {
  const handler = createHandler(engine, { basePath: '/api' });
  const app = new Hono().get('/', (context) => context.text('mine')).all('/api/*', (context) => handler(context.req.raw));
  const body = JSON.stringify(chatOf(question, { stream: true }));
  const asked = await app.request(`/api${chatPath}`, { method: 'POST', body, headers: { 'Content-Type': 'application/json' } });
  expect(saidIn(await asked.text())).toBe(text);
  expect(await (await app.request('/')).text()).toBe('mine');
  expect((await app.request('/api/v1/nothing')).status).toBe(404);
  expect((await ask(handler, chatPath, chatOf(question))).status).toBe(404);
});

test('the metrics are lines that Prometheus reads, and count what was done', async () => {
  const { handler } = noting();
  const value = async (line: string) => {
    const metrics = await (await ask(handler, '/metrics')).text();
    return Number(
      metrics
        .split('\n')
        .find((each) => each.startsWith(`${line} `))
        ?.split(' ')
        .at(-1) ?? 0,
    );
  };
  const { usage } = (await (await ask(handler, chatPath, chatOf(question))).json()) as any;
  await ask(handler, chatPath, chatOf(question, { temperature: 9 }));
  const nudged = await value('nudging_tokens_total{model="nudging",lane="aligned"}');
  expect(nudged).toBe(usage.completion_tokens_details.nudged_tokens);
  expect(nudged + (await value('nudging_tokens_total{model="nudging",lane="base"}'))).toBe(usage.completion_tokens);
  expect(await value('nudging_prompt_tokens_total{model="nudging",lane="base"}')).toBe(usage.prompt_tokens);
  expect(await value('nudging_requests_total{route="/v1/chat/completions",status="200",model="nudging"}')).toBe(1);
  expect(await value('nudging_requests_total{route="/v1/chat/completions",status="400",model="nudging"}')).toBe(1);
  expect(await value('nudging_time_to_first_token_seconds_count{model="nudging"}')).toBe(1);
  expect(await value('nudging_time_to_first_token_seconds_bucket{model="nudging",le="+Inf"}')).toBe(1);
  expect(await value('nudging_kv_cells{model="nudging",lane="base"}')).toBe(512);
  const response = await ask(handler, '/metrics');
  expect(response.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8');
  const lines = (await response.text()).split('\n').slice(0, -1);
  expect(lines.filter((line) => !/^(# (HELP|TYPE) nudging_\w+ .+|nudging_\w+(\{(\w+="[^"]*",?)*\})? [\d.e+-]+)$/.test(line))).toEqual([]);
  // Each metric is explained before its lines, once.
  const explained = lines.flatMap((line) => /^# TYPE (\S+)/.exec(line)?.[1] ?? []);
  expect(new Set(explained).size).toBe(explained.length);
});

test('a trace is the whole answer of the library', async () => {
  const { handler } = noting();
  const { choices } = (await (await ask(handler, chatPath, chatOf(question, { nudging: { trace: 'full' } }))).json()) as any;
  const answer = await engine.generate(question, { trace: 'full' });
  expect(choices[0].nudging.answer).toMatchObject({ text, stopReason: 'length', rounds: answer.rounds, decidedBy: answer.decidedBy });
  expect(choices[0].nudging.answer.decisions).toHaveLength(answer.decisions?.length ?? -1);
  expect(choices[0].nudging).toMatchObject({ nudge_ratio: answer.stats.nudgeRatio, stop_reason: 'length' });
  const { data } = eventsIn(await (await ask(handler, chatPath, chatOf(question, { stream: true, nudging: { trace: true } }))).text());
  expect(data.at(-1).choices[0].nudging.answer.decisions).toHaveLength(answer.decisions?.length ?? -1);
});
