import type { AbortSignalLike } from './types.ts';

/** Whether a value can be used as a signal. `instanceof` would refuse those of another realm (jsdom, `vm`) and polyfills. */
export function isAbortSignal(value: unknown): value is AbortSignalLike {
  if (typeof value !== 'object' || value === null) return false;
  const { aborted, addEventListener, removeEventListener } = value as Partial<AbortSignalLike>;
  return typeof aborted === 'boolean' && typeof addEventListener === 'function' && typeof removeEventListener === 'function';
}

/** Throws the signal's reason if it is aborted; where it has none, as older polyfills, what Node's own would have. */
export function throwIfAborted(signal: AbortSignalLike | undefined): void {
  if (signal?.aborted) throw signal.reason === undefined ? new DOMException('This operation was aborted', 'AbortError') : signal.reason;
}

/** Who acts on a signal, and the one listener that it has for all of them. */
interface Watch {
  readonly acts: Set<() => void>;
  readonly listener: () => void;
}

const watched = new WeakMap<AbortSignalLike, Watch>();

/**
 * Calls `act` when `signal` aborts; the returned function forgets it. However many act on one signal, it has one listener: Node warns of a
 * leak when a service hands the same signal to more than ten requests. When nobody is left, the listener goes too.
 */
export function onAbort(signal: AbortSignalLike, act: () => void): () => void {
  const watch = watched.get(signal) ?? start(signal);
  watch.acts.add(act);
  return () => {
    watch.acts.delete(act);
    if (watch.acts.size > 0 || watched.get(signal) !== watch) return;
    watched.delete(signal);
    signal.removeEventListener('abort', watch.listener);
  };
}

function start(signal: AbortSignalLike): Watch {
  const acts = new Set<() => void>();
  // A polyfill may know nothing of `once`; acting twice does no harm, because everything that is closed or cancelled stays so.
  const watch = { acts, listener: () => acts.forEach((act) => act()) };
  watched.set(signal, watch);
  signal.addEventListener('abort', watch.listener, { once: true });
  return watch;
}

/** Gives `act` a signal of Node's own, which follows the user's. */
export async function untilAborted<T>(signal: AbortSignalLike | undefined, act: (stopped: AbortSignal) => Promise<T>): Promise<T> {
  throwIfAborted(signal);
  const stop = new AbortController();
  const forget = signal && onAbort(signal, () => stop.abort(signal.reason));
  try {
    return await act(stop.signal);
  } finally {
    forget?.();
  }
}
