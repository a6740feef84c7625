import { describe, expect, test } from 'vitest';
import { inParallel } from '../lib/in-parallel.ts';

const until = (signal: AbortSignal) =>
  new Promise<never>((_, reject) => signal.addEventListener('abort', () => reject(new Error('ended'))));

describe('tasks side by side', () => {
  test('give their results in the order of the items, so many at a time', async () => {
    let [running, most] = [0, 0];
    const results = await inParallel([3, 1, 2, 0], 2, undefined, async (item) => {
      most = Math.max(most, ++running);
      await new Promise((resolve) => setTimeout(resolve, item * 5));
      running -= 1;
      return item * 10;
    });
    expect([results, most]).toEqual([[30, 10, 20, 0], 2]);
  });

  test('the first failure is thrown, and not what it ends, whichever came first in the list', async () => {
    const begun: number[] = [];
    const all = inParallel([0, 1, 2, 3], 2, undefined, async (item, signal) => {
      begun.push(item);
      if (item === 1) throw new Error('the cause');
      await until(signal);
    });
    await expect(all).rejects.toThrow('the cause');
    expect(begun).toEqual([0, 1]);
  });

  test("a user's signal ends them with its reason", async () => {
    const user = new AbortController();
    const all = inParallel([0, 1], 2, user.signal, (_, signal) => until(signal));
    user.abort(new Error('enough'));
    await expect(all).rejects.toThrow('enough');
  });
});
