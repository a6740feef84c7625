// Inside of the server that is under load (node --expose-gc --import): says on request what only the process itself knows.
import { readFileSync } from 'node:fs';

/** How often the event loop is looked at. */
const everyMs = 2;

/**
 * How late the event loop is, in milliseconds: all of it, and without the time in which its thread was ready and another one had the
 * processor, which Linux counts (proc(5), schedstat). The rest is what the thread itself was busy with.
 */
class Lateness {
  /** @type {number[]} */
  all = [];
  /** @type {number[]} */
  own = [];
  #timer;
  #at = performance.now();
  #waited = waitedMs();

  constructor() {
    this.#timer = setInterval(() => this.#look(), everyMs);
    this.#timer.unref();
  }

  /** What happened until now does not count. */
  restart() {
    this.#at = performance.now();
    this.#waited = waitedMs();
  }

  #look() {
    const [now, waited] = [performance.now(), waitedMs()];
    const late = Math.max(0, now - this.#at - everyMs);
    this.all.push(late);
    this.own.push(Math.max(0, late - (waited - this.#waited)));
    this.#at = now;
    this.#waited = waited;
  }
}

/** How long the main thread has waited for a processor. */
function waitedMs() {
  try {
    return Number(readFileSync('/proc/self/schedstat', 'latin1').split(' ')[1]) / 1e6;
  } catch {
    return 0;
  }
}

/** @param {number[]} numbers @param {number} share */
const quantile = (numbers, share) => [...numbers].sort((one, other) => one - other)[Math.floor(share * numbers.length)] ?? 0;

const lateness = new Lateness();

/** @typedef {{ bytes: number, all: { p99: number, most: number }, own: { p99: number, most: number } }} Report in ms */

process.on('message', (/** @type {unknown} */ order) => {
  if (order === 'reset') {
    lateness.all = [];
    lateness.own = [];
    return lateness.restart();
  }
  const of = (/** @type {number[]} */ times) => ({ p99: quantile(times, 0.99), most: quantile(times, 1 - 1 / (times.length + 1)) });
  const [all, own] = [of(lateness.all), of(lateness.own)];
  globalThis.gc?.();
  const { heapUsed, external } = process.memoryUsage();
  // What is measured here takes memory and time as well.
  process.send?.({ bytes: heapUsed + external - 16 * lateness.all.length, all, own });
  lateness.restart();
});
// The channel must not keep the server alive.
process.channel?.unref();
