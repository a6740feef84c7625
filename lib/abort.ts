const watched = new WeakMap<AbortSignal, Set<() => void>>();

/**
 * Calls `act` when `signal` aborts; the returned function forgets it. However many act on one signal, it has one listener: Node warns of a leak
 * when a service hands the same signal to more than ten requests.
 */
export function onAbort(signal: AbortSignal, act: () => void): () => void {
  let acts = watched.get(signal);
  if (!acts) {
    const all = new Set<() => void>();
    acts = all;
    watched.set(signal, all);
    signal.addEventListener('abort', () => all.forEach((one) => one()), { once: true });
  }
  const present = acts;
  present.add(act);
  return () => present.delete(act);
}
