// With OpenTelemetry's own SDK, which keeps in memory what it would export.
import { context, ROOT_CONTEXT, trace, type Context, type ContextManager } from '@opentelemetry/api';
import { AggregationTemporality, InMemoryMetricExporter, MeterProvider, PeriodicExportingMetricReader } from '@opentelemetry/sdk-metrics';
import { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-base';
import * as conventions from '@opentelemetry/semantic-conventions/incubating';
import { AsyncLocalStorage } from 'node:async_hooks';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { Nudging } from '../lib/index.ts';
import { instrument } from '../lib/otel/index.ts';
import * as names from '../lib/otel/names.ts';

const question = 'What is a harbor?';
const spans = new InMemorySpanExporter();
const tracerProvider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(spans)] });
const exported = new InMemoryMetricExporter(AggregationTemporality.DELTA);
const reader = new PeriodicExportingMetricReader({ exporter: exported, exportIntervalMillis: 1e9 });
const meterProvider = new MeterProvider({ readers: [reader] });

/** What was recorded since the last time, by instrument. */
async function measured() {
  exported.reset();
  await reader.forceFlush();
  const all = exported.getMetrics().flatMap(({ scopeMetrics }) => scopeMetrics.flatMap(({ metrics }) => metrics));
  return Object.fromEntries(all.map(({ descriptor, dataPoints }) => [descriptor.name, dataPoints as { attributes: any; value: any }[]]));
}

let engine: Nudging;
let stop: () => void;
beforeAll(async () => {
  stop = instrument({ tracerProvider, meterProvider });
  engine = await Nudging.load({ parallel: 1, maxQueue: 1 });
});
afterAll(async () => {
  stop();
  await engine.close();
});

test('loading has a span', () => {
  const [span] = spans.getFinishedSpans();
  expect(span?.name).toBe('load base+aligned');
  expect(span?.attributes).toEqual({
    'gen_ai.request.model': 'base+aligned',
    'nudging.parallel': 1,
    'nudging.deterministic': engine.deterministic,
  });
});

describe('a request', () => {
  beforeEach(async () => {
    spans.reset();
    await measured();
  });

  test('has a span that says what was asked for and what it took', async () => {
    const stream = engine.stream(question, { gamma: 0.3, maxTokens: 20, temperature: 0.5, seed: 7, topK: 40 });
    const { stats, ties } = await stream.answer;
    const [span] = spans.getFinishedSpans();
    expect(span?.name).toBe('chat base+aligned');
    const { 'gen_ai.response.time_to_first_chunk': firstChunk, 'nudging.time_queued': queued, ...others } = span?.attributes ?? {};
    expect(others).toEqual({
      'gen_ai.operation.name': 'chat',
      'gen_ai.provider.name': 'nudging',
      'gen_ai.output.type': 'text',
      'gen_ai.request.model': 'base+aligned',
      'gen_ai.request.stream': true,
      'gen_ai.request.max_tokens': 20,
      'gen_ai.request.temperature': 0.5,
      'gen_ai.request.top_k': 40,
      'gen_ai.request.top_p': 1,
      'gen_ai.request.seed': 7,
      'gen_ai.response.model': 'base+aligned',
      'gen_ai.response.finish_reasons': ['length'],
      'gen_ai.usage.input_tokens': stats.base.promptTokens,
      'gen_ai.usage.cache_read.input_tokens': stats.base.cachedPromptTokens,
      'gen_ai.usage.output_tokens': stats.tokens,
      'nudging.mode': 'nudge',
      'nudging.gamma': 0.3,
      'nudging.lookahead': 16,
      'nudging.stop_reason': 'length',

      'nudging.nudge_ratio': stats.nudgeRatio,
      'nudging.nudges': stats.nudges,
      'nudging.rewinds': stats.rewinds,
      'nudging.ties': ties,
    });
    // Seconds, and the answer takes less than one.
    expect(firstChunk).toBeGreaterThan(0);
    expect(firstChunk).toBeLessThan(1);
    expect(queued).toBeCloseTo(stats.times.queued / 1000, 6);
  });

  test('is under the span that was active at the call', async () => {
    const storage = new AsyncLocalStorage<Context>();
    const manager: ContextManager = {
      active: () => storage.getStore() ?? ROOT_CONTEXT,
      with: (of, act, self, ...args) => storage.run(of, () => act.call(self as never, ...args)),
      bind: (_, target) => target,
      enable: () => manager,
      disable: () => manager,
    };
    context.setGlobalContextManager(manager);
    try {
      const parent = tracerProvider.getTracer('test').startSpan('parent');
      await context.with(trace.setSpan(ROOT_CONTEXT, parent), () => engine.generate(question));
      const [span] = spans.getFinishedSpans();
      expect(span?.parentSpanContext?.spanId).toBe(parent.spanContext().spanId);
    } finally {
      context.disable();
    }
  });

  test('of raw prompts completes text; one that fails says so, in a class', async () => {
    const { endedBy } = await engine.generate({ base: `Question: ${question}\nAnswer:\n`, aligned: `${question}\n` });
    await engine.generate('long '.repeat(10_000)).catch(() => {});
    const [raw, failed] = spans.getFinishedSpans();
    expect(raw?.name).toBe('text_completion base+aligned');
    expect(raw?.attributes).toMatchObject({ 'gen_ai.response.finish_reasons': ['stop'], 'nudging.ended_by': endedBy });
    expect([raw?.status.code, failed?.status.code]).toEqual([0, 2]);
    expect(failed?.attributes['error.type']).toBe('ERR_PROMPT_TOO_LONG');
    const { 'gen_ai.client.operation.duration': duration } = await measured();
    expect(duration?.map(({ attributes }) => attributes['error.type'])).toEqual([undefined, 'ERR_PROMPT_TOO_LONG']);
  });

  test('is measured', async () => {
    const stream = engine.stream(question);
    const during = await measured();
    const { stats } = await stream.answer;
    const after = await measured();
    const values = (name: string) => after[name]?.map(({ attributes, value }) => [attributes['gen_ai.token.type'], value.count, value.sum]);
    expect(values('gen_ai.client.token.usage')).toEqual([
      ['input', 1, stats.base.promptTokens],
      ['output', 1, stats.tokens],
    ]);
    expect(values('nudging.nudge_ratio')).toEqual([[undefined, 1, stats.nudgeRatio]]);
    const perToken = (stats.times.total - stats.times.firstPiece) / (stats.tokens - 1) / 1000;
    expect(after['gen_ai.server.time_per_output_token']?.[0]?.value.sum).toBeCloseTo(perToken, 6);
    expect(after['gen_ai.client.operation.duration']?.[0]?.attributes).toEqual({
      'gen_ai.operation.name': 'chat',
      'gen_ai.provider.name': 'nudging',
      'gen_ai.request.model': 'base+aligned',
      'nudging.mode': 'nudge',
    });
    expect([during, after].map((each) => each['nudging.requests.active']?.[0]?.value)).toEqual([1, -1]);
    expect(Object.keys({ ...during, ...after }).sort()).toEqual(Object.values(names.instruments).sort());
  });
});

test('who has stopped leaves no span open, and hears nothing more', async () => {
  spans.reset();
  await measured();
  const end = instrument({ tracerProvider, meterProvider });
  const running = engine.generate(question);
  end();
  expect(spans.getFinishedSpans()).toHaveLength(1);
  await running;
  // The other one goes on.
  expect(spans.getFinishedSpans()).toHaveLength(2);
  expect((await measured())['nudging.requests.active']?.[0]?.value).toBe(0);
});

test("all names of the conventions' are theirs", () => {
  const known = new Set<unknown>(Object.values(conventions));
  const ours = [...Object.values(names.attributes), ...Object.values(names.instruments)].filter((name) => !name.startsWith('nudging.'));
  expect(ours.length).toBeGreaterThan(20);
  expect(ours.filter((name) => !known.has(name))).toEqual([]);
  expect(Object.values(names.operations).filter((name) => !known.has(name))).toEqual([]);
});
