// What the model hands to the AI SDK where a real engine would have to fail or to think: with one that is made up.
import * as six from 'ai';
import * as seven from 'ai-7';
import { describe, expect, test } from 'vitest';
import { createNudging, type NudgingSettings } from '../lib/ai-sdk/index.ts';
import type { CallOptions, StreamPart } from '../lib/ai-sdk/specification.ts';
import { NudgingError, type Answer, type ErrorCode, type GenerateOptions, type Nudging, type Piece } from '../lib/index.ts';
import { abortedAtOnce, toAnswer } from '../lib/stats.ts';

const thought: Piece[] = [
  { text: 'a port', source: 'base', topProbability: 0.5, thinking: true },
  { text: 'Ships', source: 'nudge' },
  { text: ' rest.', source: 'base', topProbability: 0.75 },
];
const prompt: CallOptions['prompt'] = [{ role: 'user', content: [{ type: 'text', text: 'What is a harbor?' }] }];

/** What an engine does that says `pieces`, and fails in their place or behind them where it is to. */
class MadeUp {
  readonly asked: [input: unknown, options: GenerateOptions | undefined][] = [];
  left = false;
  readonly #pieces: Piece[];
  readonly #failures: (NudgingError | undefined)[];
  readonly #failsAt: 'once' | 'first' | 'last';

  constructor(pieces: Piece[], failures: (NudgingError | undefined)[] = [], failsAt: 'once' | 'first' | 'last' = 'once') {
    this.#pieces = pieces;
    this.#failures = failures;
    this.#failsAt = failsAt;
  }

  get answer(): Answer {
    const text = this.#pieces.map((piece) => piece.text).join('');
    return toAnswer({ ...abortedAtOnce, stopReason: 'end', text }, this.#pieces, { thinks: this.#pieces.some(({ thinking }) => thinking) });
  }

  async generate(input: unknown, options?: GenerateOptions): Promise<Answer> {
    const failure = this.#ask(input, options);
    if (failure) throw failure;
    return this.answer;
  }

  stream(input: unknown, options?: GenerateOptions) {
    const failure = this.#ask(input, options);
    if (failure && this.#failsAt === 'once') throw failure;
    const pieces = [...this.#pieces];
    return {
      next: async () => {
        if (failure && (this.#failsAt === 'first' || pieces.length === 0)) throw failure;
        const value = pieces.shift();
        return value ? { done: false, value } : { done: true, value: this.answer };
      },
      return: async () => {
        this.left = true;
        return { done: true, value: this.answer };
      },
    };
  }

  #ask(input: unknown, options: GenerateOptions | undefined) {
    this.asked.push([input, options]);
    return this.#failures[this.asked.length - 1];
  }

  model(settings?: NudgingSettings) {
    return createNudging(this as unknown as Nudging)('pair', settings);
  }
}

const failure = (code: ErrorCode) => new NudgingError(code, `it is ${code}`);

async function partsOf(engine: MadeUp, call: Partial<CallOptions> = {}): Promise<StreamPart[]> {
  const { stream } = await engine.model().doStream({ prompt, ...call });
  const parts: StreamPart[] = [];
  for await (const part of stream) parts.push(part);
  return parts;
}

describe('thinking', () => {
  test('is reasoning, in a block of its own before the text', async () => {
    const parts = await partsOf(new MadeUp(thought));
    expect(parts.map((part) => ('delta' in part ? `${part.type} ${part.delta}` : part.type))).toEqual([
      ...['stream-start', 'response-metadata', 'reasoning-start', 'reasoning-delta a port', 'reasoning-end'],
      ...['text-start', 'text-delta Ships', 'text-delta  rest.', 'text-end', 'finish'],
    ]);
    const { content, usage } = await new MadeUp(thought).model().doGenerate({ prompt });
    expect(content).toEqual([
      { type: 'reasoning', text: 'a port' },
      { type: 'text', text: 'Ships rest.' },
    ]);
    // Nobody counts its tokens apart.
    expect(usage.outputTokens).toEqual({ total: 0, text: undefined, reasoning: undefined });
  });

  test.each([
    ['none', {}, false, []],
    ['none', { thinking: { open: '<t>', close: '</t>' } }, false, []],
    ['high', {}, true, ['reasoning']],
    ['high', { thinking: { open: '<t>', close: '</t>' } }, { open: '<t>', close: '</t>' }, ['reasoning']],
    ['provider-default', {}, undefined, []],
  ])('reasoning %j with the settings %j', async (reasoning, settings, thinking, features) => {
    const engine = new MadeUp(thought);
    const { warnings } = await engine.model(settings).doGenerate({ prompt, reasoning });
    expect(engine.asked[0]?.[1]?.thinking).toEqual(thinking);
    expect(warnings.map((warning) => warning.type === 'compatibility' && warning.feature)).toEqual(features);
  });
});

test('an answer without text has no text part', async () => {
  expect((await partsOf(new MadeUp([]))).map(({ type }) => type)).toEqual(['stream-start', 'response-metadata', 'finish']);
  expect((await new MadeUp([]).model().doGenerate({ prompt })).content).toEqual([]);
});

test('raw parts are the pieces, where they are wanted', async () => {
  const raw = (await partsOf(new MadeUp(thought), { includeRawChunks: true })).filter(({ type }) => type === 'raw');
  expect(raw.map((part) => part.type === 'raw' && part.rawValue)).toEqual(thought);
});

test('JSON and a choice of tools are warned of, and earlier reasoning is left out', async () => {
  const engine = new MadeUp(thought);
  const begun: CallOptions['prompt'] = [
    ...prompt,
    { role: 'assistant', content: [...(['reasoning', 'text'] as const).map((type) => ({ type, text: `its ${type}` }))] },
  ];
  const call = { prompt: [...begun, ...prompt], responseFormat: { type: 'json' as const }, toolChoice: { type: 'required' as const } };
  const { warnings } = await engine.model().doGenerate(call);
  expect(warnings.map((warning) => warning.type === 'unsupported' && warning.feature)).toEqual(['responseFormat', 'toolChoice']);
  expect(engine.asked[0]?.[0]).toMatchObject([{}, { role: 'assistant', content: 'its text' }, {}]);
});

test('a reader who leaves ends the generation, and a slow one is waited for', async () => {
  const engine = new MadeUp(thought);
  const { stream } = await engine.model().doStream({ prompt });
  const reader = stream.getReader();
  await reader.read();
  expect(engine.left).toBe(false);
  await reader.cancel();
  expect(engine.left).toBe(true);
});

// Side by side, because each waits for the SDK to try again.
describe.concurrent.each([
  ['ai 6', six],
  ['ai 7', seven as unknown as typeof six],
])('failures, with %s', (_name, { generateText, streamText, APICallError, RetryError }) => {
  test.each(['ERR_BUSY', 'ERR_ENGINE_CRASHED', 'ERR_RPC_UNREACHABLE'] as const)('%s is tried again', { timeout: 20_000 }, async (code) => {
    const engine = new MadeUp(thought, [failure(code)]);
    const whole = generateText({ model: engine.model(), prompt: 'a' });
    const streams = (['once', 'first'] as const).map((failsAt) => new MadeUp(thought, [failure(code)], failsAt));
    const streamed = streams.map((each) => streamText({ model: each.model(), prompt: 'a' }).text);
    expect([(await whole).text, ...(await Promise.all(streamed))]).toEqual(['Ships rest.', 'Ships rest.', 'Ships rest.']);
    expect(streams.map(({ asked }) => asked.length)).toEqual([2, 2]);
  });

  test('for good, they are what the SDK calls so, without the prompt', { timeout: 20_000 }, async () => {
    const engine = new MadeUp(thought, [failure('ERR_BUSY'), failure('ERR_BUSY')]);
    const error = await generateText({ model: engine.model(), prompt: 'a secret', maxRetries: 1 }).catch((reason: unknown) => reason);
    const last = RetryError.isInstance(error) ? error.lastError : undefined;
    expect(APICallError.isInstance(last) && [last.statusCode, last.isRetryable, last.data]).toEqual([429, true, { code: 'ERR_BUSY' }]);
    expect((last as Error).cause).toMatchObject({ code: 'ERR_BUSY' });
    expect(JSON.stringify(last)).not.toContain('secret');
  });

  test('others are not, and stay ours', async () => {
    const engine = new MadeUp(thought, [failure('ERR_PROMPT_TOO_LONG')]);
    const asking = generateText({ model: engine.model(), prompt: 'a' });
    await expect(asking).rejects.toThrow(expect.objectContaining({ name: 'NudgingError', code: 'ERR_PROMPT_TOO_LONG' }));
    expect(engine.asked).toHaveLength(1);
  });

  test('half-way, the stream says so and ends', async () => {
    const engine = new MadeUp(thought, [failure('ERR_ENGINE_CRASHED')], 'last');
    const errors: unknown[] = [];
    const result = streamText({ model: engine.model(), prompt: 'a', onError: ({ error }) => void errors.push(error) });
    const types: string[] = [];
    for await (const { type } of result.fullStream) types.push(type);
    expect(types.filter((type) => type === 'text-delta' || type === 'error')).toEqual(['text-delta', 'text-delta', 'error']);
    expect(errors).toEqual([expect.objectContaining({ statusCode: 503, cause: expect.objectContaining({ code: 'ERR_ENGINE_CRASHED' }) })]);
    expect([await result.finishReason, await result.rawFinishReason]).toEqual(['error', 'ERR_ENGINE_CRASHED']);
    expect(engine.asked).toHaveLength(1);
  });
});

test('an error of another copy of the package is known by what it says', async () => {
  const foreign = Object.assign(new Error('it is busy'), { name: 'NudgingError', code: 'ERR_BUSY' });
  const asking = new MadeUp(thought, [foreign as NudgingError]).model().doGenerate({ prompt });
  await expect(asking).rejects.toSatisfy(six.APICallError.isInstance);
});

test('engines are asked for by name', () => {
  const engine = new MadeUp([]) as unknown as Nudging;
  const provider = createNudging({ small: engine, large: engine });
  expect([provider('large').modelId, provider('large').provider]).toEqual(['large', 'nudging']);
  expect(() => provider()).toThrow(/no engine is called "pair": there is "small", "large"/);
  expect(() => provider('small', { gamma: 9 })).toThrow(/gamma/);
  expect(() => createNudging({})).toThrow(/engines/);
  // @ts-expect-error no engine
  expect(() => createNudging({ small: 'base.gguf' })).toThrow(/engines/);
});
