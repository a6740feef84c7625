import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Nudging, type ChatMessage } from '../lib/index.ts';
import { createHandler, type Handler } from '../lib/server/index.ts';
import { Served } from '../lib/server/served.ts';
import { ask, chatOf, chatPath } from './support/requests.ts';

// What is refused, and how. No test here needs an answer of some length.

let engine: Nudging;
let handler: Handler;
beforeAll(async () => {
  engine = await Nudging.load({ threads: 1, parallel: 1 });
  handler = createHandler(engine, { mostBytes: 20_000, mostTokens: 50, mostChoices: 3 });
});
afterAll(() => engine.close());

const refusal = async (response: Response) => {
  const { error } = (await response.json()) as { error: { message: string; type: string; param: string | null; code: string } };
  expect(Object.keys(error)).toEqual(['message', 'type', 'param', 'code']);
  expect(response.headers.get('content-type')).toBe('application/json');
  expect(response.headers.get('x-request-id')).toMatch(/^req_/);
  return { status: response.status, ...error };
};
const question = 'What is a harbor?';

describe('a chat', () => {
  test.each<[field: string, value: unknown, param?: string]>([
    ['messages', 'Hello'],
    ['messages', []],
    ['messages', null],
    ['messages', [{ role: 'user', content: 7 }], 'messages[0].content'],
    ['messages', [{ role: 'boss', content: 'x' }], 'messages[0].role'],
    ['messages', [{ role: 'user', content: 'x' }, 3], 'messages[1]'],
    ['messages', [{ role: 'assistant', content: 'x' }]],
    ['messages', [{ role: 'user', content: [{ type: 'text', text: 1 }] }], 'messages[0].content[0].text'],
    ['temperature', 2.1],
    ['temperature', '1'],
    ['top_p', 1.1],
    ['top_p', -0.1],
    ['top_k', -2],
    ['min_p', 2],
    ['seed', -1],
    ['seed', 1.5],
    ['n', 0],
    ['n', 4],
    ['stop', ''],
    ['stop', [1]],
    ['stop', Array(17).fill('x')],
    ['max_tokens', 51],
    ['max_completion_tokens', 0],
    ['stream', 'yes'],
    ['stream_options', { include_usage: true }],
    ['logprobs', 3],
    ['repetition_penalty', 0],
    ['nudging', 'x'],
    ['nudging', { gamma: 3 }, 'nudging.gamma'],
    ['nudging', { mode: 'both' }, 'nudging.mode'],
    ['nudging', { lookahead: 0 }, 'nudging.lookahead'],
    ['nudging', { rule: 'guess' }, 'nudging.rule'],
    ['nudging', { trace: 'some' }, 'nudging.trace'],
  ])('cannot have the %s %j', async (field, value, param = field) => {
    const { status, type, code, ...error } = await refusal(await ask(handler, chatPath, chatOf(question, { [field]: value })));
    expect({ status, type, code }).toEqual({ status: 400, type: 'invalid_request_error', code: 'ERR_FIELD_INVALID' });
    expect(error.param).toBe(param);
    expect(error.message).toContain(`\`${param}\` must be `);
  });

  test.each<[field: string, value: unknown, param?: string]>([
    ['tools', [{ type: 'function' }]],
    ['tool_choice', 'required'],
    ['functions', [{}]],
    ['response_format', { type: 'json_schema', json_schema: {} }],
    ['modalities', ['text', 'audio']],
    ['audio', {}],
    ['frequency_penalty', 0.5],
    ['presence_penalty', -1],
    ['logit_bias', { 5: 1 }],
    ['web_search_options', {}],
    ['top_logprobs', 5],
    ['messages', [{ role: 'tool', content: 'x' }], 'messages[0].role'],
    ['messages', [{ role: 'assistant', content: 'x', tool_calls: [{}] }], 'messages[0].tool_calls'],
    ['messages', [{ role: 'user', content: [{ type: 'image_url', image_url: {} }] }], 'messages[0].content[0]'],
    ['nudging', { gama: 0.3 }, 'nudging.gama'],
  ])('is told that it cannot have the %s %j', async (field, value, param = field) => {
    const more = field === 'top_logprobs' ? { logprobs: true } : {};
    const error = await refusal(await ask(handler, chatPath, chatOf(question, { ...more, [field]: value })));
    expect(error).toMatchObject({ status: 400, code: 'ERR_FIELD_UNSUPPORTED', param });
    expect(error.message).toMatch(/ not supported: .{8}/);
  });

  test('may hold what asks for nothing, and what nobody knows', async () => {
    const nothing = {
      tools: [],
      tool_choice: 'auto',
      frequency_penalty: 0,
      logit_bias: {},
      response_format: { type: 'text' },
      top_p: null,
    };
    const unknown = { store: true, metadata: { a: 1 }, reasoning_effort: 'low', prompt_cache_key: 'x', service_tier: 'auto', whatever: [] };
    const response = await ask(handler, chatPath, chatOf(question, { ...nothing, ...unknown, max_tokens: 2 }));
    expect(response.status).toBe(200);
    expect(await response.json()).toMatchObject({ choices: [{ message: { content: 'A harbor' } }] });
  });

  test('without a question is refused by the engine, in its words and our shape', async () => {
    expect(await refusal(await ask(handler, chatPath, chatOf('  ')))).toMatchObject({
      status: 400,
      code: 'ERR_PROMPT_EMPTY',
      param: 'messages',
    });
    const ensemble = await refusal(await ask(handler, chatPath, chatOf(question, { nudging: { mode: 'ensemble', rule: 'bet' } })));
    expect(ensemble).toMatchObject({ status: 400, code: 'ERR_INVALID_OPTION', param: 'nudging.rule' });
  });

  test.each([[true], [false]])('that is too long is refused before anything is sent (stream: %s)', async (stream) => {
    const response = await ask(handler, chatPath, chatOf('harbor '.repeat(1500), { stream }));
    const error = await refusal(response);
    expect(error).toMatchObject({ status: 400, code: 'context_length_exceeded', param: 'messages', type: 'invalid_request_error' });
    expect(error.message).toMatch(/prompt has \d+ (tokens|bytes)/);
  });

  test('has no probabilities where tokens are drawn', async () => {
    const drawn = await refusal(await ask(handler, chatPath, chatOf(question, { logprobs: true, temperature: 1 })));
    expect(drawn).toMatchObject({ status: 400, code: 'ERR_FIELD_UNSUPPORTED', param: 'logprobs' });
  });

  test('may name a model, and one that is there', async () => {
    expect(await refusal(await ask(handler, chatPath, chatOf(question, { model: 'gpt-4o' })))).toMatchObject({
      status: 404,
      code: 'model_not_found',
      param: 'model',
      message: 'there is no model "gpt-4o": there is nudging',
    });
    const { model } = (await (await ask(handler, chatPath, chatOf(question, { model: 'nudging:aligned', max_tokens: 1 }))).json()) as any;
    expect(model).toBe('nudging:aligned');
  });

  test('goes on behind what the assistant said, if that is asked for', async () => {
    const messages = [
      { role: 'user', content: question },
      { role: 'assistant', content: 'A harbor is a' },
    ];
    const response = await ask(handler, chatPath, { messages, continue_final_message: true, max_tokens: 2 });
    const { text } = await engine.generate(messages as ChatMessage[], { prefill: true, maxTokens: 2 });
    expect(await response.json()).toMatchObject({ choices: [{ message: { content: text } }] });
  });
});

describe('a completion', () => {
  test.each<[body: object, code: string, param: string]>([
    [{ prompt: '' }, 'ERR_FIELD_INVALID', 'prompt'],
    [{ prompt: [] }, 'ERR_FIELD_INVALID', 'prompt'],
    [{}, 'ERR_FIELD_INVALID', 'prompt'],
    [{ prompt: ['a', 'b'], n: 2 }, 'ERR_FIELD_INVALID', 'prompt'],
    [{ prompt: [1, 2] }, 'ERR_FIELD_UNSUPPORTED', 'prompt'],
    [{ prompt: [[1, 2]] }, 'ERR_FIELD_UNSUPPORTED', 'prompt'],
    [{ prompt: 'a', suffix: 'b' }, 'ERR_FIELD_UNSUPPORTED', 'suffix'],
    [{ prompt: 'a', best_of: 2 }, 'ERR_FIELD_UNSUPPORTED', 'best_of'],
    [{ prompt: 'a', logprobs: 4 }, 'ERR_FIELD_UNSUPPORTED', 'logprobs'],
    [{ prompt: 'a', logprobs: 1, echo: true }, 'ERR_FIELD_UNSUPPORTED', 'echo'],
    [{ prompt: 'a', max_tokens: 0 }, 'ERR_FIELD_INVALID', 'max_tokens'],
  ])('%j is refused', async (body, code, param) => {
    expect(await refusal(await ask(handler, '/v1/completions', body))).toMatchObject({ status: 400, code, param });
  });

  test('repeats its prompt if it is asked to', async () => {
    const prompt = 'Question: What is a harbor?\nAnswer:\n';
    const response = await ask(handler, '/v1/completions', { prompt, echo: true, max_tokens: 2, model: 'nudging:base' });
    const { choices } = (await response.json()) as any;
    expect(choices[0].text.startsWith(prompt)).toBe(true);
    const plain = await ask(handler, '/v1/completions', { prompt, max_tokens: 2, model: 'nudging:base' });
    expect(((await plain.json()) as any).choices[0].text).toBe(choices[0].text.slice(prompt.length));
  });

  test('does not take what a user writes for a control token', async () => {
    const seen = await engine.inspect({ lane: 'base', input: { base: [{ text: '</s>', special: false }] } });
    expect(seen.context.length).toBeGreaterThan(1);
    const response = await ask(handler, '/v1/completions', { prompt: '</s>', max_tokens: 1, model: 'nudging:base' });
    expect(((await response.json()) as any).usage.prompt_tokens).toBe(seen.context.length);
  });
});

describe('a request', () => {
  test.each<
    [
      what: string,
      path: string,
      body: string | undefined,
      init: RequestInit & { headers?: Record<string, string> },
      status: number,
      code: string,
    ]
  >([
    ['to nowhere', '/v1/embeddings', '{}', {}, 404, 'ERR_NOT_FOUND'],
    ['with another method', chatPath, undefined, { method: 'GET' }, 405, 'ERR_METHOD'],
    ['that is a form', chatPath, 'a=b', { headers: { 'Content-Type': 'application/x-www-form-urlencoded' } }, 415, 'ERR_BODY_TYPE'],
    ['that is no JSON', chatPath, '{"messages": [', {}, 400, 'ERR_BODY_INVALID'],
    ['that is no object', chatPath, '[1]', {}, 400, 'ERR_BODY_INVALID'],
    ['that is too long', chatPath, `"${'x'.repeat(20_000)}"`, {}, 413, 'ERR_BODY_TOO_LARGE'],
    ['that says it is too long', chatPath, '{}', { headers: { 'Content-Length': '20001' } }, 413, 'ERR_BODY_TOO_LARGE'],
    ['of a page elsewhere', '/v1/models', undefined, { headers: { Origin: 'https://elsewhere.example' } }, 403, 'ERR_ORIGIN_FORBIDDEN'],
    ['of a page without an origin', '/v1/models', undefined, { headers: { Origin: 'null' } }, 403, 'ERR_ORIGIN_FORBIDDEN'],
  ])('%s is refused', async (_, path, body, init, status, code) => {
    const response = await ask(handler, path, body, init);
    if (status === 405) expect(response.headers.get('allow')).toBe('POST');
    expect(await refusal(response)).toMatchObject({ status, code });
  });

  test('that is too long is refused while it comes', async () => {
    let sent = 0;
    const body = new ReadableStream({
      pull(controller) {
        sent += 1000;
        controller.enqueue(new Uint8Array(1000).fill(32));
      },
    });
    const response = await ask(handler, chatPath, undefined, {
      method: 'POST',
      body,
      duplex: 'half',
      headers: { 'Content-Type': 'application/json' },
    } as RequestInit & { headers: Record<string, string> });
    expect(await refusal(response)).toMatchObject({ status: 413 });
    expect(sent).toBeLessThan(40_000);
  });

  test('whose bytes are no text is refused', async () => {
    const body = new Uint8Array([0x22, 0xff, 0x22]);
    const response = await ask(handler, chatPath, undefined, { method: 'POST', body, headers: { 'Content-Type': 'application/json' } });
    expect(await refusal(response)).toMatchObject({ status: 400, code: 'ERR_BODY_INVALID', message: 'the body is not UTF-8' });
  });
});

describe('keys', () => {
  const keys = [{ key: 'one', name: 'first' }, { key: 'two', rateLimit: 2 }, 'three'];
  const bearer = (key: string) => ({ headers: { Authorization: `Bearer ${key}` } });

  test('are wanted everywhere but where life is asked for', async () => {
    const guarded = createHandler(engine, { apiKeys: keys });
    for (const path of ['/v1/models', '/metrics', '/props', '/nowhere', '/v1/models/nudging']) {
      const error = await refusal(await ask(guarded, path));
      expect(error).toMatchObject({ status: 401, type: 'authentication_error', code: 'invalid_api_key' });
    }
    expect((await ask(guarded, chatPath, chatOf(question))).headers.get('www-authenticate')).toBe('Bearer');
    for (const path of ['/health', '/ready', '/v1/health']) expect((await ask(guarded, path)).status).toBe(200);
  });

  test('are taken as bearer and as X-Api-Key, and none but these', async () => {
    const guarded = createHandler(engine, { apiKeys: keys });
    for (const key of ['one', 'two', 'three']) {
      expect((await ask(guarded, '/v1/models', undefined, bearer(key))).status).toBe(200);
      expect((await ask(guarded, '/v1/models', undefined, { headers: { 'X-Api-Key': key } })).status).toBe(200);
    }
    for (const key of ['', 'on', 'one ', 'oneone', 'ONE', 'first'].filter((each) => each.trim() !== 'one'))
      expect((await ask(guarded, '/v1/models', undefined, bearer(key))).status).toBe(401);
  });

  test('have a limit each', async () => {
    const logged: any[] = [];
    const guarded = createHandler(engine, { apiKeys: keys, onRequest: (entry) => logged.push(entry) });
    const once = (key: string) => ask(guarded, chatPath, chatOf(question, { max_tokens: 1 }), bearer(key));
    for (let time = 0; time < 2; time += 1) expect((await once('two')).status).toBe(200);
    const refused = await once('two');
    expect(await refusal(refused)).toMatchObject({ status: 429, code: 'rate_limit_exceeded', type: 'rate_limit_error' });
    // Two a minute are one in thirty seconds.
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(25);
    expect(Number(refused.headers.get('retry-after'))).toBeLessThanOrEqual(30);
    for (let time = 0; time < 3; time += 1) expect((await once('one')).status).toBe(200);
    expect(new Set(logged.map(({ caller }) => caller))).toEqual(new Set(['first', 'key-2']));
    expect(JSON.stringify(logged)).not.toContain('"two"');
  });
});

describe('hosts and pages', () => {
  const local = (headers: Record<string, string>) => ({ headers });
  test.each<[host: string, status: number]>([
    ['localhost:8080', 200],
    ['127.0.0.1', 200],
    ['[::1]:8080', 200],
    ['192.168.0.7:80', 200],
    ['mine.example', 200],
    ['MINE.example:8080', 200],
    ['rebound.example', 403],
    ['localhost.example', 403],
    ['127.0.0.1.example', 403],
  ])('the host %s is answered with %i', async (host, status) => {
    const careful = createHandler(engine, { allowedHosts: ['mine.example'] });
    const response = await ask(careful, '/health', undefined, local({ Host: host }));
    expect(response.status).toBe(status);
    if (status === 403) expect((await refusal(response)).code).toBe('ERR_HOST_FORBIDDEN');
  });

  test('pages of the same host may ask, and those that are named', async () => {
    const careful = createHandler(engine, { allowedOrigins: ['https://friend.example/'], apiKeys: ['k'] });
    const from = (origin: string) => local({ Origin: origin, Host: 'server.example:8080', 'X-Api-Key': 'k' });
    expect((await ask(careful, '/v1/models', undefined, from('http://server.example:8080'))).status).toBe(200);
    expect((await ask(careful, '/v1/models', undefined, from('http://server.example'))).status).toBe(403);
    const friend = await ask(careful, '/v1/models', undefined, from('https://friend.example'));
    expect([friend.status, friend.headers.get('access-control-allow-origin')]).toEqual([200, 'https://friend.example']);
    const preflight = await ask(careful, chatPath, undefined, { method: 'OPTIONS', headers: { Origin: 'https://friend.example' } });
    expect([preflight.status, preflight.headers.get('access-control-allow-methods')]).toEqual([204, 'POST']);
    expect(preflight.headers.get('access-control-allow-headers')).toContain('authorization');
  });
});

test('who is told to come again is told when a place will be free', () => {
  const served = new Served('x', { parallel: 2 } as Nudging);
  expect(served.retryAfter()).toBe(1);
  for (const seconds of [3, 4, 50]) served.times.add(seconds);
  served.active = 5;
  // Three wait, and one more will: two at a time, four seconds each.
  expect(served.retryAfter()).toBe(8);
  served.active = 5000;
  expect(served.retryAfter()).toBe(120);
});

test('options of the handler are checked', () => {
  expect(() => createHandler(engine, { keepAlive: 0 })).toThrow('`keepAlive` must be');
  expect(() => createHandler(engine, { apiKey: 'x' } as never)).toThrow('did you mean `apiKeys`');
  expect(() => createHandler(engine, { apiKeys: [''] })).toThrow('`apiKeys` must be');
  expect(() => createHandler({})).toThrow('`engines` must be');
});
