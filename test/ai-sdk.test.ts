// With the AI SDK itself, of both majors that npm installs: `ai` 6 for Node.js 20 and 7 for 22.
import * as six from 'ai';
import * as seven from 'ai-7';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createNudging } from '../lib/ai-sdk/index.ts';
import { Nudging, type Answer } from '../lib/index.ts';

/** Both have what is asked of them here, in types of their own. */
const majors = [
  ['ai 6', six],
  ['ai 7', seven as unknown as typeof six],
] as const;
// They are looked at here, and not in the log.
(globalThis as { AI_SDK_LOG_WARNINGS?: boolean }).AI_SDK_LOG_WARNINGS = false;
const question = 'What is a harbor?';
let engine: Nudging;
let expected: Answer;
beforeAll(async () => {
  engine = await Nudging.load({ parallel: 2 });
  expected = await engine.generate(question);
});
afterAll(() => engine.close());

test('both majors take the model and the provider by their types', () => {
  const provider = createNudging(engine);
  const models: [six.LanguageModel, seven.LanguageModel] = [provider(), provider.languageModel('pair')];
  const inSix = six.createProviderRegistry({ nudging: provider }).languageModel('nudging:pair');
  const inSeven = seven.createProviderRegistry({ nudging: provider }).languageModel('nudging:pair');
  expect([...models, inSix, inSeven].map((model) => typeof model === 'object' && model.modelId)).toEqual(Array(4).fill('pair'));
});

describe.each(majors)('%s', (_name, { generateText, streamText, ...ai }) => {
  const model = () => createNudging(engine)();
  const nudgingOf = (metadata: six.ProviderMetadata | undefined) => metadata?.['nudging'] as Record<string, any>;

  test('generateText gives the answer, who wrote what, and what it took', async () => {
    const result = await generateText({ model: model(), prompt: question });
    expect(result.text).toBe(expected.text);
    expect([result.finishReason, result.rawFinishReason]).toEqual(['stop', 'end']);
    const { pieces, nudgeRatio, stopReason, tokens } = nudgingOf(result.providerMetadata);
    expect(pieces).toEqual(
      expected.pieces.map(({ text, source, topProbability }) => ({
        ...{ text, source, nudged: source === 'nudge' },
        probability: topProbability ?? null,
      })),
    );
    expect([nudgeRatio, stopReason, tokens]).toEqual([expected.stats.nudgeRatio, 'end', expected.stats.tokens]);
    expect(result.warnings).toEqual([]);
    expect(result.response.modelId).toBe('pair');
  });

  test('usage is that of the base, with what its cache still had', async () => {
    await generateText({ model: model(), prompt: question });
    const { usage } = await generateText({ model: model(), prompt: question });
    const { promptTokens } = expected.stats.base;
    const { cacheReadTokens = 0, noCacheTokens } = usage.inputTokenDetails;
    expect([usage.inputTokens, usage.outputTokens, usage.totalTokens]).toEqual([
      promptTokens,
      expected.stats.tokens,
      promptTokens + expected.stats.tokens,
    ]);
    expect(cacheReadTokens).toBeGreaterThan(0);
    expect(noCacheTokens).toBe(promptTokens - cacheReadTokens);
    expect(usage.outputTokenDetails).toEqual({ textTokens: expected.stats.tokens, reasoningTokens: 0 });
    expect((usage.raw as Record<string, any>)['aligned'].promptTokens).toBe(expected.stats.aligned.promptTokens);
    const alone = await generateText({ model: model(), prompt: question, providerOptions: { nudging: { mode: 'aligned' } } });
    expect(alone.usage.inputTokens).toBe(expected.stats.aligned.promptTokens);
  });

  test('streamText says of every delta whose it is and how sure the base was', async () => {
    const result = streamText({ model: model(), prompt: question });
    const parts: six.TextStreamPart<six.ToolSet>[] = [];
    for await (const part of result.fullStream) parts.push(part);
    const deltas = parts.filter((part) => part.type === 'text-delta');
    expect(deltas.map(({ text, providerMetadata }) => ({ text, ...nudgingOf(providerMetadata) }))).toEqual(
      expected.pieces.map(({ text, source, topProbability }) => ({
        ...{ text, source, nudged: source === 'nudge' },
        probability: topProbability ?? null,
      })),
    );
    const end = parts.find((part) => part.type === 'text-end');
    expect(nudgingOf(end?.providerMetadata)).toEqual({ nudgeRatio: expected.stats.nudgeRatio });
    expect(await result.text).toBe(expected.text);
    expect(await result.finishReason).toBe('stop');
    expect((await result.usage).outputTokens).toBe(expected.stats.tokens);
    expect(nudgingOf(await result.providerMetadata)['endedBy']).toBe(expected.endedBy);
  });

  test('settings of the SDK and ours arrive', async () => {
    const ask = (settings: object) => generateText({ model: model(), prompt: question, ...settings });
    const short = await ask({ maxOutputTokens: 3 });
    expect([short.finishReason, short.rawFinishReason, short.usage.outputTokens]).toEqual(['length', 'length', 3]);
    const [stop = ''] = expected.text.split(' ').slice(2);
    const stopped = await ask({ stopSequences: [stop] });
    expect([stopped.text, stopped.rawFinishReason]).toEqual([expected.text.slice(0, expected.text.indexOf(stop)), 'stop']);
    const sampling = { temperature: 1.5, topK: 50, topP: 0.9, seed: 5 };
    expect((await ask(sampling)).text).toBe((await engine.generate(question, sampling)).text);
    // What is not given is the engine's, an empty list of stop strings too.
    const base = { providerOptions: { nudging: { mode: 'base' } } };
    expect((await ask({ ...base, stopSequences: [] })).text).toBe((await engine.generate(question, { mode: 'base' })).text);
    const never = await ask({ providerOptions: { nudging: { gamma: 0, lookahead: 1 } } });
    expect(nudgingOf(never.providerMetadata)['nudgeRatio']).toBe(
      (await engine.generate(question, { gamma: 0, lookahead: 1 })).stats.nudgeRatio,
    );
    const traced = await ask({ providerOptions: { nudging: { trace: 'full' } } });
    expect(nudgingOf(traced.providerMetadata)['explanation'].words[0]).toMatchObject({ source: 'nudge', reason: 'first' });
  });

  test("a model's settings hold where the call has none", async () => {
    const base = createNudging(engine)('pair', { mode: 'base' });
    const plain = await engine.generate(question, { mode: 'base' });
    expect((await generateText({ model: base, prompt: question })).text).toBe(plain.text);
    const asked = await generateText({ model: base, prompt: question, providerOptions: { nudging: { mode: 'nudge' } } });
    expect(asked.text).toBe(expected.text);
  });

  test.each([
    [{ gama: 0.3 }, 'gama', /did you mean `gamma`/],
    [{ gamma: 3 }, 'gamma', /from 0 to 2/],
    [{ maxTokens: 3 }, 'maxTokens', /left out of providerOptions\.nudging: the AI SDK calls it maxOutputTokens/],
  ])('%j is refused', async (settings, option, message) => {
    const asking = generateText({ model: model(), prompt: question, providerOptions: { nudging: settings } });
    await expect(asking).rejects.toMatchObject({ code: 'ERR_INVALID_OPTION', option, message: expect.stringMatching(message) });
  });

  test('what nothing comes of is warned of, and the answer is there', async () => {
    const add = ai.tool({ description: 'adds', inputSchema: ai.jsonSchema({ type: 'object' }), execute: () => 1 });
    const { text, warnings } = await generateText({
      model: model(),
      prompt: question,
      ...{ presencePenalty: 0.5, frequencyPenalty: 0.5, tools: { add } },
    });
    expect(text).toBe(expected.text);
    const features = warnings?.map((warning) => warning.type === 'unsupported' && warning.feature);
    expect(features).toEqual(['presencePenalty', 'frequencyPenalty', 'tools']);
    const streamed = streamText({ model: model(), prompt: question, frequencyPenalty: 1, presencePenalty: 0 });
    await streamed.consumeStream();
    expect((await streamed.warnings)?.map((warning) => warning.type === 'unsupported' && warning.feature)).toEqual(['frequencyPenalty']);
  });

  test('a chat is the same chat for the engine', async () => {
    const messages = [
      { role: 'user', content: 'What is a blur?' },
      { role: 'assistant', content: 'Something unclear.' },
      { role: 'user', content: question },
    ] as const;
    const system = 'Answer in one sentence.';
    const answer = await engine.generate({ messages, system });
    const result = await generateText({ model: model(), system, messages: [...messages] });
    expect(result.text).toBe(answer.text);
    expect(result.usage.inputTokens).toBe(answer.stats.base.promptTokens);
    const inParts = await generateText({
      model: model(),
      messages: [{ role: 'user', content: question.split(' is ').map((text) => ({ type: 'text' as const, text })) }],
    });
    const onLines = await engine.generate(question.replace(' is ', '\n'));
    expect([inParts.text, inParts.usage.inputTokens]).toEqual([onLines.text, onLines.stats.base.promptTokens]);
  });

  test('what no prompt can show is refused', async () => {
    const image = { type: 'file' as const, mediaType: 'image/png', data: new Uint8Array(8) };
    const asking = generateText({ model: model(), messages: [{ role: 'user', content: [{ type: 'text', text: question }, image] }] });
    await expect(asking).rejects.toSatisfy(
      (error) => ai.UnsupportedFunctionalityError.isInstance(error) && /image\/png/.test(error.message),
    );
    const call = { type: 'tool-call' as const, toolCallId: '1', toolName: 'add', input: {} };
    const result = { type: 'tool-result' as const, toolCallId: '1', toolName: 'add', output: { type: 'text' as const, value: '1' } };
    const messages: six.ModelMessage[] = [
      { role: 'user', content: question },
      { role: 'assistant', content: [call] },
      { role: 'tool', content: [result] },
      { role: 'user', content: question },
    ];
    await expect(generateText({ model: model(), messages })).rejects.toSatisfy(ai.UnsupportedFunctionalityError.isInstance);
  });

  test('an abort ends the generation and rejects with the reason', async () => {
    const reason = new DOMException('enough', 'AbortError');
    const gone = { model: model(), prompt: question, abortSignal: AbortSignal.abort(reason) };
    await expect(generateText(gone)).rejects.toBe(reason);

    const stop = new AbortController();
    const endless = { maxOutputTokens: 2000, providerOptions: { nudging: { logitBias: await noEnd() } } };
    const asking = generateText({ model: model(), prompt: question, abortSignal: stop.signal, ...endless });
    setTimeout(() => stop.abort(reason), 50);
    await expect(asking).rejects.toBe(reason);

    const later = new AbortController();
    const result = streamText({ model: model(), prompt: question, abortSignal: later.signal, ...endless });
    const types: string[] = [];
    for await (const part of result.fullStream) {
      types.push(part.type);
      if (part.type === 'text-delta') later.abort(reason);
    }
    expect(types.at(-1)).toBe('abort');
    // Nothing of it goes on: an engine waits for what runs.
    expect((await generateText({ model: model(), prompt: question })).text).toBe(expected.text);
  });

  test('goes through middleware and a registry', async () => {
    const wrapped = ai.wrapLanguageModel({ model: model(), middleware: ai.simulateStreamingMiddleware() });
    expect(await streamText({ model: wrapped, prompt: question }).text).toBe(expected.text);
    const registry = ai.createProviderRegistry({ nudging: createNudging({ demo: engine }) });
    expect((await generateText({ model: registry.languageModel('nudging:demo'), prompt: question })).text).toBe(expected.text);
    expect(() => registry.languageModel('nudging:other')).toThrow(expect.toSatisfy(ai.NoSuchModelError.isInstance));
    expect(() => createNudging(engine).embeddingModel('pair')).toThrow(expect.toSatisfy(ai.NoSuchModelError.isInstance));
  });
});

/** A bias that lets nobody end, so that an answer lasts. */
async function noEnd(): Promise<Record<string, Record<string, number>>> {
  const { candidates } = await engine.inspect({ lane: 'aligned', input: question, text: expected.text, candidates: 1 });
  return { aligned: { [`${candidates[0]?.token}`]: -100 } };
}
