// One rival in a process of its own: opens it, answers questions when told to, says what that took.
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { peakMemory } from '../lib/memory.mjs';

/** Milliseconds between two looks at the clock; the histogram's values contain them. */
const resolution = 1;

/** @typedef {import('./index.mjs').Outcome} Outcome */
/** @type {{ answer: (question: string) => Promise<Outcome>, processes: () => number[], close: () => Promise<unknown> } | undefined} */
let rival;

/** @type {Record<string, (message: any) => Promise<unknown>>} */
const commands = {
  async open({ module, own, setup }) {
    const { open } = await import(module);
    rival = await open(setup, own);
    return { processes: rival?.processes() };
  },
  /** All questions, one after the other. */
  async pass({ questions }) {
    const outcomes = [];
    for (const question of questions) outcomes.push(await rival?.answer(question));
    return outcomes;
  },
  /**
   * The same with the event loop watched. Never in a timed pass: a thousand timers a second take processor time from the models' threads.
   */
  async watchedPass({ questions }) {
    const idle = await watch(() => new Promise((resolve) => setTimeout(resolve, 300)));
    const busy = await watch(() => commands['pass']?.({ questions }) ?? Promise.resolve());
    return { idleP99Ms: idle, p99Ms: busy };
  },
  async memory() {
    return peakMemory([process.pid, ...(rival?.processes() ?? [])]);
  },
  async close() {
    await rival?.close();
    rival = undefined;
  },
};

/**
 * The 99th percentile of the event loop's delay. The histogram records the time between two timer callbacks, so the resolution is taken
 * off; timers have whole milliseconds, so an idle loop shows up to one.
 * @param {() => Promise<unknown>} work
 */
async function watch(work) {
  const histogram = monitorEventLoopDelay({ resolution });
  histogram.enable();
  await work();
  histogram.disable();
  return Math.max(0, histogram.percentile(99) / 1e6 - resolution);
}

async function leave() {
  try {
    await commands['close']?.({});
  } finally {
    process.exit();
  }
}

process.on('message', async (/** @type {{ id: number, command: string }} */ message) => {
  try {
    const result = await commands[message.command]?.(message);
    process.send?.({ id: message.id, result });
  } catch (error) {
    process.send?.({ id: message.id, error: error instanceof Error ? error.message : String(error) });
  }
});
// The parent is gone, or wants us gone: servers must not outlive us.
process.once('disconnect', leave);
process.once('SIGTERM', leave);
process.once('SIGINT', leave);
