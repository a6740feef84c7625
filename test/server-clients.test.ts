import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { createOpenAICompatible } from '@ai-sdk/openai-compatible';
import { ChatOpenAI } from '@langchain/openai';
import { generateText, streamText } from 'ai';
import OpenAI from 'openai';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Nudging } from '../lib/index.ts';
import { serve, type RunningServer } from './support/server.ts';

// The clients that people have are what says whether the protocol is spoken.

const question = 'What is a harbor?';
const key = 'a key of the tests';
let server: RunningServer;
/** What the same pair says without a server. */
let text: string;

beforeAll(async () => {
  server = await serve(['--max-tokens', '96', '--max-queue', '0', '--parallel', '2'], { env: { NUDGING_API_KEY: key } });
  const engine = await Nudging.load({ threads: 1 });
  text = (await engine.generate(question)).text;
  await engine.close();
});
afterAll(async () => {
  expect((await server.stop()).code).toBe(0);
});

const messages = [{ role: 'user' as const, content: question }];

describe('openai', () => {
  let client: OpenAI;
  beforeAll(() => {
    client = new OpenAI({ baseURL: `${server.url}/v1`, apiKey: key, maxRetries: 0 });
  });

  test('asks a chat', async () => {
    const { choices, usage, model } = await client.chat.completions.create({ model: 'demo', messages });
    expect(choices[0]).toMatchObject({ message: { role: 'assistant', content: text }, finish_reason: 'stop', index: 0 });
    expect(usage?.total_tokens).toBe((usage?.prompt_tokens ?? 0) + (usage?.completion_tokens ?? 0));
    expect(usage?.completion_tokens).toBeGreaterThan(10);
    expect(model).toBe('demo');
  });

  test('streams one, with its usage at the end', async () => {
    const stream = await client.chat.completions.create({
      model: 'demo',
      messages: [{ role: 'developer', content: [{ type: 'text', text: 'Be brief.' }] }, ...messages],
      stream: true,
      stream_options: { include_usage: true },
    });
    let said = '';
    const ends: (string | null | undefined)[] = [];
    let usage: OpenAI.CompletionUsage | null | undefined;
    for await (const chunk of stream) {
      said += chunk.choices[0]?.delta.content ?? '';
      if (chunk.choices[0]?.finish_reason) ends.push(chunk.choices[0].finish_reason);
      if (chunk.usage) {
        expect(chunk.choices).toEqual([]);
        usage = chunk.usage;
      }
    }
    expect(said).toContain('a sheltered port');
    expect(ends).toEqual(['stop']);
    expect(usage?.completion_tokens).toBeGreaterThan(10);
  });

  test('collects the log probabilities of a stream', async () => {
    const whole = await client.chat.completions.create({ model: 'demo', messages, logprobs: true, top_logprobs: 1 });
    const streamed = await client.chat.completions
      .stream({ model: 'demo', messages, logprobs: true, top_logprobs: 1 })
      .finalChatCompletion();
    const tokens = whole.choices[0]?.logprobs?.content ?? [];
    expect(tokens.map(({ token }) => token).join('')).toBe(text);
    expect(Buffer.from(tokens.flatMap(({ bytes }) => bytes ?? [])).toString('utf8')).toBe(text);
    expect(streamed.choices[0]?.logprobs?.content).toEqual(tokens);
    // Tokens that were decoded ahead have probabilities as well.
    expect(tokens.filter(({ logprob }) => !(logprob < 0 && logprob > -20))).toEqual([]);
    expect(tokens.every(({ top_logprobs, logprob }) => top_logprobs[0]?.logprob === logprob)).toBe(true);
  });

  test('asks several answers, drawn from a seed', async () => {
    const ask = (seed: number) => client.chat.completions.create({ model: 'demo', messages, n: 2, temperature: 1, seed });
    const [first, again] = [await ask(5), await ask(5)];
    const texts = first.choices.map(({ message }) => message.content);
    expect(first.choices.map(({ index }) => index)).toEqual([0, 1]);
    expect(texts[0]).not.toBe(texts[1]);
    expect(again.choices.map(({ message }) => message.content)).toEqual(texts);
  });

  test('stops at a text and at a length', async () => {
    const stopped = await client.chat.completions.create({ model: 'demo', messages, stop: [' port'] });
    expect(stopped.choices[0]).toMatchObject({ message: { content: 'A harbor is a sheltered' }, finish_reason: 'stop' });
    const cut = await client.chat.completions.create({ model: 'demo', messages, max_completion_tokens: 3, max_tokens: 20 });
    expect(cut).toMatchObject({ usage: { completion_tokens: 3 }, choices: [{ finish_reason: 'length' }] });
  });

  test('completes a text', async () => {
    const { choices } = await client.completions.create({
      model: 'demo:base',
      prompt: ['Question: What', 'Answer: A'],
      max_tokens: 4,
      logprobs: 1,
    });
    expect(choices.map(({ index }) => index)).toEqual([0, 1]);
    const { logprobs, text: completed } = choices[1] ?? {};
    expect(logprobs?.tokens?.join('')).toBe(completed);
    expect(logprobs?.text_offset).toHaveLength(logprobs?.tokens?.length ?? -1);
    expect(Object.values(logprobs?.top_logprobs?.[0] ?? {})).toEqual([logprobs?.token_logprobs?.[0]]);
  });

  test('asks for a response, whole and as a stream', async () => {
    const whole = await client.responses.create({ model: 'demo', input: question });
    expect(whole).toMatchObject({ output_text: text, status: 'completed', usage: { output_tokens: expect.any(Number) } });
    const input = [{ role: 'user' as const, content: [{ type: 'input_text' as const, text: question }] }];
    const events: any[] = [];
    for await (const event of await client.responses.create({ model: 'demo', input, instructions: 'Be brief.', stream: true }))
      events.push(event);
    const said = events.flatMap((event) => (event.type === 'response.output_text.delta' ? [event.delta] : [])).join('');
    expect(said).toContain('a sheltered port');
    const inOrder = [...new Set(events.map(({ type }) => type))];
    expect(inOrder).toEqual([
      'response.created',
      'response.in_progress',
      'response.output_item.added',
      'response.content_part.added',
      'response.output_text.delta',
      'response.output_text.done',
      'response.content_part.done',
      'response.output_item.done',
      'response.completed',
    ]);
    expect(events.map(({ sequence_number }) => sequence_number)).toEqual(events.map((_, index) => index));
    expect(events.at(-1).response).toMatchObject({ status: 'completed', output: [{ content: [{ text: said }] }] });
    const final = await client.responses.stream({ model: 'demo', input, max_output_tokens: 3 }).finalResponse();
    expect(final).toMatchObject({ status: 'incomplete', incomplete_details: { reason: 'max_output_tokens' } });
  });

  test('lists the models, and takes one', async () => {
    const ids = (await client.models.list()).data.map(({ id }) => id);
    expect(ids).toEqual(['demo', 'demo:base', 'demo:aligned']);
    expect(await client.models.retrieve('demo:base')).toMatchObject({ id: 'demo:base', owned_by: 'nudging' });
  });

  test('throws what is wrong by its kind', async () => {
    const bad = (more: object) => client.chat.completions.create({ model: 'demo', messages, ...more } as never);
    await expect(bad({ temperature: 3 })).rejects.toMatchObject({ status: 400, param: 'temperature', code: 'ERR_FIELD_INVALID' });
    await expect(bad({ model: '/etc/passwd' })).rejects.toBeInstanceOf(OpenAI.NotFoundError);
    await expect(bad({ messages: [{ role: 'user', content: 'harbor '.repeat(2000) }], stream: true })).rejects.toMatchObject({
      status: 400,
      code: 'context_length_exceeded',
    });
    const stranger = new OpenAI({ baseURL: `${server.url}/v1`, apiKey: `${key}x`, maxRetries: 0 });
    await expect(stranger.models.list()).rejects.toBeInstanceOf(OpenAI.AuthenticationError);
  });

  test('leaves a stream, and its place is free at once', async () => {
    const stream = await client.chat.completions.create({ model: 'demo:base', messages, stream: true, max_tokens: 400, stop: ['\0'] });
    for await (const chunk of stream) {
      expect(chunk.choices).toHaveLength(1);
      break;
    }
    const left = await server.logged(({ left }) => left === true);
    expect(left).toMatchObject({ route: '/v1/chat/completions', model: 'demo:base' });
  });

  test('waits as long as it is told when the server is full, and tries again', async () => {
    const patient = new OpenAI({ baseURL: `${server.url}/v1`, apiKey: key, maxRetries: 5 });
    const answers = await Promise.all(
      Array.from({ length: 4 }, () => patient.chat.completions.create({ model: 'demo', messages, max_tokens: 40 })),
    );
    expect(answers.map(({ choices }) => choices[0]?.message.content)).toEqual(Array(4).fill(text));
    expect(server.log().some(({ status, code }) => status === 429 && code === 'ERR_BUSY')).toBe(true);
  });
});

describe('ai with @ai-sdk/openai-compatible', () => {
  const provider = () => createOpenAICompatible({ name: 'nudging', baseURL: `${server.url}/v1`, apiKey: key, includeUsage: true });

  test('generates', async () => {
    const result = await generateText({ model: provider()('demo'), prompt: question, maxRetries: 0, temperature: 0 });
    expect(result).toMatchObject({ text, finishReason: 'stop' });
    expect(result.usage.outputTokens).toBeGreaterThan(10);
  });

  test('streams', async () => {
    const result = streamText({ model: provider()('demo'), system: 'Be brief.', prompt: question, maxRetries: 0 });
    const parts: string[] = [];
    for await (const part of result.textStream) parts.push(part);
    expect(parts.join('')).toContain('a sheltered port');
    expect(parts.length).toBeGreaterThan(5);
    expect((await result.usage).outputTokens).toBeGreaterThan(10);
    expect(await result.finishReason).toBe('stop');
  });

  test('sends fields of ours', async () => {
    const result = await generateText({
      model: provider()('demo'),
      prompt: question,
      maxRetries: 0,
      providerOptions: { nudging: { nudging: { mode: 'aligned' } } },
    });
    expect(result.text).not.toBe(text);
  });
});

describe('LangChain', () => {
  const model = (more: object = {}) =>
    new ChatOpenAI({ model: 'demo', apiKey: key, configuration: { baseURL: `${server.url}/v1` }, maxRetries: 0, temperature: 0, ...more });

  test('asks', async () => {
    const answer = await model().invoke(question);
    expect(answer.content).toBe(text);
    expect(answer.usage_metadata?.output_tokens).toBeGreaterThan(10);
  });

  test('streams', async () => {
    let said = '';
    for await (const chunk of await model().stream([
      ['system', 'Be brief.'],
      ['human', question],
    ]))
      said += String(chunk.content);
    expect(said).toContain('a sheltered port');
  });

  test('is told what cannot be had', async () => {
    const tool = { type: 'function' as const, function: { name: 'weather', parameters: { type: 'object', properties: {} } } };
    await expect(model().bindTools([tool]).invoke(question)).rejects.toThrow(/`tools` is not supported/);
  });
});

describe('an evaluation harness that asks for log probabilities', () => {
  // What lm-eval's `local-completions` sends for a task of several choices, and how it reads what comes.
  const loglikelihood = async (context: string, continuation: string) => {
    const post = async (path: string, body: object) => {
      const headers = { 'Content-Type': 'application/json', Authorization: `Bearer ${key}` };
      return (await (await fetch(`${server.url}${path}`, { method: 'POST', headers, body: JSON.stringify(body) })).json()) as any;
    };
    const model = 'demo:base';
    const { count } = await post('/tokenize', { model, content: context });
    const prompt = context + continuation;
    const { choices } = await post('/v1/completions', {
      model,
      prompt,
      temperature: 0,
      max_tokens: 1,
      logprobs: 1,
      seed: 1234,
      echo: true,
    });
    const { token_logprobs, top_logprobs, tokens, text_offset } = choices[0].logprobs;
    const logprobs: number[] = token_logprobs.slice(count, -1);
    const greedy = logprobs.every((logprob, index) => logprob === Math.max(...Object.values<number>(top_logprobs[count + index])));
    expect(tokens.join('')).toBe(choices[0].text);
    expect(tokens.slice(0, -1).join('')).toBe(prompt);
    expect(text_offset[count]).toBe(context.length);
    return { sum: logprobs.reduce((sum, each) => sum + each, 0), greedy, tokens: logprobs.length };
  };
  const context = `Question: ${question}\nAnswer:\nA harbor is`;

  test('finds the likelier continuation, and which one is greedy', async () => {
    const [right, wrong] = [await loglikelihood(context, ' a sheltered port'), await loglikelihood(context, ' a kind of cheese')];
    expect(right.sum).toBeGreaterThan(-1);
    expect(wrong.sum).toBeLessThan(right.sum - 5);
    expect([right.greedy, wrong.greedy]).toEqual([true, false]);
    expect(right.tokens).toBe(4);
  });

  test('gets what the model itself says', async () => {
    const engine = await Nudging.load({ threads: 1 });
    const { tokens } = await loglikelihood(context, ' a');
    const { candidates } = await engine.inspect({ lane: 'base', input: { base: context }, candidates: 5 });
    const next = candidates.find(({ bytes }) => Buffer.from(bytes).toString() === ' a');
    expect(tokens).toBe(1);
    expect(Math.exp((await loglikelihood(context, ' a')).sum)).toBeCloseTo(next?.probability ?? -1, 5);
    await engine.close();
  });

  test('generates until a text', async () => {
    const headers = { 'Content-Type': 'application/json', Authorization: `Bearer ${key}` };
    const body = {
      model: 'demo',
      prompt: [`Question: ${question}\nAnswer:\n`],
      max_tokens: 40,
      temperature: 0,
      stop: ['Question:', '\n\n'],
      seed: 1234,
    };
    const answer = (await (
      await fetch(`${server.url}/v1/completions`, { method: 'POST', headers, body: JSON.stringify(body) })
    ).json()) as any;
    expect(answer.choices).toHaveLength(1);
    expect(answer.choices[0].text).not.toContain('Question:');
  });
});

describe('curl', () => {
  const run = promisify(execFile);
  const curl = async (...args: string[]) => (await run('curl', ['-sN', '-H', `Authorization: Bearer ${key}`, ...args])).stdout;

  test('sees whole frames, and [DONE] at the end', async () => {
    const body = JSON.stringify({ messages, stream: true });
    const out = await curl(`${server.url}/v1/chat/completions`, '-H', 'Content-Type: application/json', '-d', body);
    const frames = out.split('\n\n').filter(Boolean);
    expect(frames.at(-1)).toBe('data: [DONE]');
    const chunks = frames.slice(0, -1).map((frame) => JSON.parse(frame.replace(/^data: /, '')));
    expect(chunks.map(({ choices }) => choices[0].delta.content ?? '').join('')).toBe(text);
    expect(new Set(chunks.map(({ id }) => id)).size).toBe(1);
    expect(chunks[0].choices[0].delta.role).toBe('assistant');
    expect(chunks.slice(1).filter(({ choices }) => choices[0].delta.role !== undefined)).toEqual([]);
    expect(new Set(chunks.slice(0, -1).map(({ choices }) => choices[0].nudging.source))).toEqual(new Set(['base', 'nudge']));
  });

  test('is told by whom it may be asked', async () => {
    const out = await curl('-i', '-X', 'OPTIONS', `${server.url}/v1/models`, '-H', 'Origin: https://elsewhere.example');
    expect(out).toMatch(/^HTTP\/1\.1 403 /);
  });
});
