import { isBuilt } from '../rivals/binaries.mjs';
import { rivals } from '../rivals/index.mjs';
import { llamaBench } from '../rivals/llama-bench.mjs';
import { RivalProcess } from './rival-process.mjs';
import { msPerToken } from './rounds.mjs';

/** Tokens that llama-bench generates: about an answer of the demo pair. */
const generated = 48;

/** @typedef {import('../rivals/index.mjs').Rival} Rival @typedef {import('./rounds.mjs').Player} Player */
/** @typedef {{ name: string, label: string, status: 'missing' | 'failed', reason: string }} Missing */

/**
 * @typedef {object} Wanted
 * @property {readonly string[]} wanted
 * @property {import('../rivals/index.mjs').Setup} setup
 * @property {readonly string[]} questions
 * @property {boolean} keep
 * @property {(line: string) => void} log
 */

/**
 * Everybody who is wanted and there.
 * @param {Wanted} options keep: all rivals stay loaded between rounds; otherwise each is loaded and warmed up again for each of its passes
 */
export async function makePlayers({ wanted, setup, questions, keep, log }) {
  /** @type {Player[]} */
  const players = [];
  /** @type {Missing[]} */
  const missing = [];
  /** @type {{ rival: Rival, open: () => Promise<RivalProcess>, close: (opened: RivalProcess) => Promise<void> }[]} */
  const present = [];
  const leaveOut = (
    /** @type {string} */ name,
    /** @type {string} */ label,
    /** @type {string} */ reason,
    /** @type {Missing['status']} */ status = 'missing',
  ) => {
    log(`left out: ${label} (${reason})`);
    missing.push({ name, label, status, reason });
  };

  for (const rival of rivals.filter(({ name }) => wanted.includes(name))) {
    const reason = rival.missing();
    if (reason !== undefined) {
      leaveOut(rival.name, rival.label, reason);
      continue;
    }
    const start = async () => {
      const started = new RivalProcess(rival);
      await started.open(setup);
      // Caches, thread pools, measured costs: everything that only the first answers pay for.
      await started.pass(questions);
      return started;
    };
    log(`loading: ${rival.label}`);
    /** @type {RivalProcess | undefined} */
    let kept;
    try {
      const first = await start();
      if (keep) kept = first;
      else await first.close();
    } catch (error) {
      // Without ours there is nothing to compare.
      if (rival.ours) throw error;
      leaveOut(rival.name, rival.label, /** @type {Error} */ (error).message, 'failed');
      continue;
    }
    const open = async () => kept ?? (await start());
    const close = async (/** @type {RivalProcess} */ opened) => (kept ? undefined : opened.close());
    present.push({ rival, open, close });
    players.push({
      name: rival.name,
      optional: !rival.ours,
      async play() {
        const opened = await open();
        const outcomes = await opened.pass(questions);
        await close(opened);
        return { msPerToken: msPerToken(outcomes), outcomes };
      },
    });
  }
  if (wanted.includes('llama-bench')) {
    if (!isBuilt('llama-bench')) leaveOut('llama-bench', "llama.cpp's own llama-bench", 'llama-bench is not built: npm run bench:rivals');
    else for (const lane of /** @type {const} */ (['base', 'aligned'])) players.push(floor(lane, setup));
  }

  const onFailure = (/** @type {string} */ name, /** @type {Error} */ error) =>
    leaveOut(name, present.find(({ rival }) => rival.name === name)?.rival.label ?? name, error.message, 'failed');

  /** One more pass, not timed, for what would disturb a timed one. */
  const finish = async () => {
    const watched = [];
    for (const { rival, open } of present.filter(({ rival: { name } }) => !missing.some((other) => other.name === name))) {
      const opened = await open();
      watched.push({ rival, peakMemory: await opened.memory(), eventLoop: await opened.watchedPass(questions) });
      await opened.close();
    }
    return watched;
  };
  return { players, missing, onFailure, finish };
}

/**
 * The speed of one model in llama.cpp's own benchmark.
 * @param {'base' | 'aligned'} lane
 * @param {import('../rivals/index.mjs').Setup} setup
 * @returns {Player}
 */
function floor(lane, { pair, threads }) {
  return {
    name: `llama-bench ${lane}`,
    optional: true,
    async play() {
      const rows = await llamaBench(pair[lane], threads[lane], { generate: generated, repetitions: 1 });
      return { msPerToken: rows.find((row) => row.generated > 0)?.ms ?? Number.NaN };
    },
  };
}
