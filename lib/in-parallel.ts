import { setMaxListeners } from 'node:events';
import { onAbort, throwIfAborted } from './abort.ts';
import type { AbortSignalLike } from './types.ts';

/**
 * Does a task for every item, `width` at a time, and returns what came of them in the order of the items. The first failure ends the others
 * through the signal that tasks get, and is thrown when all have ended.
 *
 * @throws the signal's reason if `signal` is aborted
 */
export async function inParallel<Item, Result>(
  items: readonly Item[],
  width: number,
  signal: AbortSignalLike | undefined,
  task: (item: Item, signal: AbortSignal, index: number) => Promise<Result>,
): Promise<Result[]> {
  throwIfAborted(signal);
  const ending = new AbortController();
  // Every task under way listens to it; node would take more than ten for a leak.
  setMaxListeners(0, ending.signal);
  const forget = signal && onAbort(signal, () => ending.abort());
  const results: Result[] = [];
  let next = 0;
  let failure: { reason: unknown } | undefined;
  const worker = async () => {
    while (next < items.length && !ending.signal.aborted) {
      const index = next;
      next += 1;
      results[index] = await task(items[index] as Item, ending.signal, index);
    }
  };
  const guarded = async () => {
    try {
      await worker();
    } catch (reason) {
      // What ends because of the first failure is not one of its own.
      failure ??= { reason };
      ending.abort();
    }
  };
  try {
    await Promise.all(Array.from({ length: Math.max(1, width) }, guarded));
    throwIfAborted(signal);
    if (failure) throw failure.reason;
    return results;
  } finally {
    forget?.();
  }
}
