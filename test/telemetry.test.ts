import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { Dispatcher } from '../lib/dispatcher.ts';
import { Nudging, observe, type TelemetryMessages } from '../lib/index.ts';
import type { NativeEvent } from '../lib/native.ts';
import { ObservedRequest } from '../lib/telemetry/request.ts';
import type { GenerateOptions } from '../lib/types.ts';

type Name = keyof TelemetryMessages;
const question = 'What is a harbor?';
const ends: (() => void)[] = [];
afterEach(() => {
  for (const end of ends.splice(0)) end();
});

/** Copies of what these channels publish, in order. */
function heard(...names: Name[]): { name: Name; message: any; same: unknown }[] {
  const all: { name: Name; message: any; same: unknown }[] = [];
  for (const name of names) ends.push(observe(name, (message) => void all.push({ name, message: { ...message }, same: message })));
  return all;
}

describe('loading', () => {
  test('is told of when it begins and ends, without the paths of files', async () => {
    const messages = heard('nudging:load:start', 'nudging:load:end', 'nudging:error');
    const engine = await Nudging.load({ parallel: 2 });
    const [start, end] = messages;
    expect(messages.map(({ name }) => name)).toEqual(['nudging:load:start', 'nudging:load:end']);
    expect(start?.same).toBe(end?.same);
    expect(start?.message.ms).toBeUndefined();
    expect(end?.message).toMatchObject({ engine: { model: 'base+aligned' }, parallel: 2, deterministic: engine.deterministic });
    expect(end?.message.ms).toBeGreaterThan(0);
    const { path, ...described } = engine.models.base;
    expect(end?.message.models.base).toEqual(described);
    expect(JSON.stringify(end?.message)).not.toContain('.gguf');
    await engine.close();
  });

  test('that fails says why, each engine by a number of its own', async () => {
    const messages = heard('nudging:load:end', 'nudging:error');
    const load = (options: object) => Nudging.load(options).catch((reason: unknown) => reason);
    const missing = await load({ base: 'nowhere.gguf', aligned: 'nowhere.gguf' });
    const wrong = await load({ gamma: 9 });
    const [first, error, second] = messages;
    expect(first?.message.error).toBe(missing);
    expect(error?.message).toEqual({ engine: first?.message.engine, during: 'load', error: missing });
    expect(second?.message.error).toBe(wrong);
    expect(second?.message.engine.id).toBe(first?.message.engine.id + 1);
  });
});

describe('requests', () => {
  let engine: Nudging;
  beforeAll(async () => {
    engine = await Nudging.load({ parallel: 1, maxQueue: 0 });
  });
  afterAll(() => engine.close());
  const channels = ['nudging:request:start', 'nudging:request:first', 'nudging:request:end', 'nudging:error'] as const;

  test('are told of at the call, at the first piece and at the end, by one object', async () => {
    const messages = heard(...channels);
    const stream = engine.stream(question, { gamma: 0.3, maxTokens: 20 });
    // In the caller's own turn, so that whatever is current there is so for who listens.
    expect(messages.map(({ name }) => name)).toEqual(['nudging:request:start']);
    const { stopReason, stats, ties } = await stream.answer;
    const [start, first, end] = messages;
    expect(messages.map(({ name }) => name)).toEqual(['nudging:request:start', 'nudging:request:first', 'nudging:request:end']);
    expect(new Set(messages.map(({ same }) => same)).size).toBe(1);
    const settings = { gamma: 0.3, lookahead: 16, maxTokens: 20, temperature: 0 };
    expect(start?.message).toMatchObject({ engine: { model: 'base+aligned' }, mode: 'nudge', kind: 'chat', streams: true, settings });
    expect(start?.message).not.toHaveProperty('ms');
    expect(first?.message.firstPieceMs).toBeGreaterThan(0);
    expect(first?.message).not.toHaveProperty('answer');
    expect(end?.message.ms).toBeGreaterThanOrEqual(first?.message.firstPieceMs);
    expect(end?.message.answer).toMatchObject({ stopReason, stats, ties });
  });

  test('do not tell what was asked and answered', async () => {
    const messages = heard(...channels);
    const { text } = await engine.generate({ base: 'Question: secret?\nAnswer:\n', aligned: 'secret' }, { stop: 'secret' });
    expect(messages[0]?.message.kind).toBe('raw');
    const told = JSON.stringify(messages);
    for (const word of ['secret', text.slice(0, 20)]) expect(told).not.toContain(word);
  });

  test('that are refused, fail or are aborted', async () => {
    const messages = heard(...channels);
    const told = () => messages.splice(0).map(({ name, message }) => [name.slice('nudging:'.length), message]);
    await expect(engine.generate(question, { gamma: 9 })).rejects.toThrow();
    expect(told()).toEqual([['error', { ...{ during: 'request' }, engine: expect.anything(), error: expect.any(Error) }]]);

    const running = engine.generate(question);
    await expect(engine.generate(question)).rejects.toMatchObject({ code: 'ERR_BUSY' });
    await running;
    expect(told().map(([name, { error }]) => [name, error?.code])).toContainEqual(['error', 'ERR_BUSY']);

    await expect(engine.generate('long '.repeat(10_000))).rejects.toMatchObject({ code: 'ERR_PROMPT_TOO_LONG' });
    const failed = told();
    expect(failed.map(([name]) => name)).toEqual(['request:start', 'request:end', 'error']);
    expect([failed[1]?.[1].error.code, failed[2]?.[1].error]).toEqual(['ERR_PROMPT_TOO_LONG', failed[1]?.[1].error]);
    expect(failed[1]?.[1]).not.toHaveProperty('answer');

    await engine.generate(question, { signal: AbortSignal.abort() });
    const aborted = told();
    expect(aborted.map(([name]) => name)).toEqual(['request:start', 'request:end']);
    expect(aborted[1]?.[1].answer.stopReason).toBe('aborted');
  });

  test('ticks tell what came, and how many requests are left', async () => {
    const messages = heard('nudging:tick');
    const { pieces } = await engine.generate(question);
    const sum = (key: string) => messages.reduce((total, { message }) => total + message[key], 0);
    expect([sum('pieces'), sum('ended')]).toEqual([pieces.length, 1]);
    expect(messages.at(-1)?.message).toMatchObject({ engine: { model: 'base+aligned' }, requests: 0, ended: 1 });
  });

  test('who has stopped to listen hears nothing more', async () => {
    const messages = heard(...channels, 'nudging:tick');
    for (const end of ends.splice(0)) end();
    await engine.generate(question);
    expect(messages).toEqual([]);
  });
});

test('an engine in a process of its own is told of in the same way', async () => {
  const messages = heard('nudging:load:end', 'nudging:request:start', 'nudging:request:first', 'nudging:request:end', 'nudging:tick');
  const engine = await Nudging.load({ isolate: true });
  const { stats } = await engine.generate(question);
  await engine.close();
  const names = messages.map(({ name }) => name).filter((name) => name !== 'nudging:tick');
  expect(names).toEqual(['nudging:load:end', 'nudging:request:start', 'nudging:request:first', 'nudging:request:end']);
  expect(messages.find(({ name }) => name === 'nudging:request:end')?.message.answer.stats).toEqual(stats);
  expect(messages.some(({ name, message }) => name === 'nudging:tick' && message.pieces > 0)).toBe(true);
});

describe('without anybody who listens', () => {
  /** Throws if anything of it is looked at. */
  const untouchable = <T extends object>() =>
    new Proxy({} as T, {
      get() {
        throw new Error('looked at');
      },
    });

  test('nothing is made of a request', () => {
    const asked = { mode: 'nudge', kind: 'chat', streams: false, options: untouchable<GenerateOptions>(), began: 0 } as const;
    expect(ObservedRequest.begin({ id: 1, model: '' }, asked)).toBeUndefined();
    heard('nudging:request:end');
    expect(() => ObservedRequest.begin({ id: 1, model: '' }, asked)).toThrow('looked at');
  });

  test('nothing is counted in a tick', () => {
    const events: NativeEvent[] = Object.assign([], { flatMap: () => expect.unreachable('counted') });
    const { dispatch } = new Dispatcher();
    dispatch(events);
    heard('nudging:tick');
    expect(() => dispatch(events)).toThrow('counted');
  });
});
