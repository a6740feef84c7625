import { getEventListeners } from 'node:events';
import vm from 'node:vm';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Nudging, type AbortSignalLike } from '../lib/index.ts';

/** What a polyfill has: no `throwIfAborted`, nothing of `once`, and older ones no `reason`. */
class Polyfill implements AbortSignalLike {
  aborted = false;
  reason?: unknown;
  readonly listeners = new Set<() => void>();

  addEventListener(_type: 'abort', listener: () => void): void {
    this.listeners.add(listener);
  }

  removeEventListener(_type: 'abort', listener: () => void): void {
    this.listeners.delete(listener);
  }

  abort(reason?: unknown): void {
    this.aborted = true;
    this.reason = reason;
    for (const listener of this.listeners) listener();
  }
}

/** The same, made in another realm: nothing of this one's classes is in its prototypes. */
function ofAnotherRealm(): Polyfill {
  const source = `(${String(Polyfill)})`.replace(/^\(class \w+/, '(class');
  const Foreign = vm.runInNewContext(source) as typeof Polyfill;
  return new Foreign();
}

describe.each([
  ['a polyfill', () => new Polyfill()],
  ['another realm', ofAnotherRealm],
])('a signal of %s', (_, make) => {
  let engine: Nudging;
  beforeAll(async () => {
    engine = await Nudging.load({ mode: 'base', parallel: 1, stop: [] });
  });
  afterAll(() => engine.close());

  test("is none of Node's", () => expect(make()).not.toBeInstanceOf(AbortSignal));

  test.each([false, true])('ends a load, isolate: %s', async (isolate) => {
    const reason = new Error('enough');
    const before = make();
    before.abort(reason);
    await expect(Nudging.load({ isolate, signal: before })).rejects.toBe(reason);
    const during = make();
    await expect(Nudging.load({ isolate, signal: during, onProgress: () => during.abort(reason) })).rejects.toBe(reason);
    const silent = make();
    await expect(Nudging.load({ isolate, signal: silent, onProgress: () => silent.abort() })).rejects.toMatchObject({ name: 'AbortError' });
    expect([before, during, silent].map(({ listeners }) => listeners.size)).toEqual([0, 0, 0]);
  });

  test('ends a generation, begun or not, whole or as a stream', async () => {
    const before = make();
    before.abort();
    expect((await engine.generate('x', { signal: before })).stopReason).toBe('aborted');
    const during = make();
    const stream = engine.stream('What is a harbor?', { signal: during, maxTokens: 100_000 });
    const queued = engine.generate({ messages: [{ role: 'user', content: 'x' }], signal: during });
    await stream.next();
    during.abort();
    expect([(await stream.answer).stopReason, (await queued).stopReason]).toEqual(['aborted', 'aborted']);
  });

  test('is left alone when nobody listens any more', async () => {
    const signal = make();
    const answers = [engine.generate('x', { signal, maxTokens: 2 }), engine.generate('y', { signal, maxTokens: 2 })];
    expect(signal.listeners.size).toBe(1);
    await Promise.all(answers);
    expect(signal.listeners.size).toBe(0);
    const again = engine.generate('x', { signal, maxTokens: 100_000 });
    signal.abort();
    expect((await again).stopReason).toBe('aborted');
  });
});

test("Node's own signals are left alone as well", async () => {
  const { signal } = new AbortController();
  await using engine = await Nudging.load({ signal });
  await engine.generate('What is a harbor?', { signal, maxTokens: 3 });
  expect(getEventListeners(signal, 'abort')).toEqual([]);
});

test.each([{}, { aborted: false }, { aborted: 'no', addEventListener() {}, removeEventListener() {} }, () => {}, 'signal'])(
  '%o is no signal',
  async (signal) => {
    await expect(Nudging.load({ signal: signal as never })).rejects.toMatchObject({ code: 'ERR_INVALID_OPTION', option: 'signal' });
  },
);
