import { existsSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { availableCores } from '../../scripts/lib/cores.mjs';
import { BuildError } from '../../scripts/lib/errors.mjs';
import { inRoot } from '../../scripts/lib/paths.mjs';
import { realWeights } from '../../scripts/lib/real-weights.mjs';
import { makePair, namedPairs } from './named-pairs.mjs';

/**
 * As in native/engine/scheduler.cpp. All rivals are given what the engine would choose for a model: two threads on a tiny model would
 * handicap them.
 */
const bytesWorthAThread = 16_000_000;

/** @typedef {import('../../dist/index.js').Pair & { base: string, aligned: string }} LocalPair of files or names */

/**
 * What every rival is given.
 * @param {{ pair?: string, threads?: number, context: number, settings: { gamma?: number, lookahead?: number, maxTokens?: number } }} flags
 */
export async function readSetup(flags) {
  if (!existsSync(inRoot('dist/index.js'))) throw new BuildError('dist/ is missing: run npm run build first');
  const { defaults } = await import('../../dist/index.js');
  const { pair, prompt, name } =
    flags.pair !== undefined && namedPairs.includes(flags.pair)
      ? { ...(await makePair(flags.pair)), name: flags.pair }
      : flags.pair === 'real'
        ? { pair: /** @type {LocalPair} */ (await realWeights()), prompt: undefined, name: 'real' }
        : await read(flags.pair);
  const bytes = { base: sizeOf(pair.base), aligned: sizeOf(pair.aligned) };
  const cores = availableCores();
  const threadsFor = (/** @type {number} */ size) => flags.threads ?? Math.min(cores, Math.max(1, Math.floor(size / bytesWorthAThread)));
  const setup = {
    pair,
    prompt,
    settings: {
      gamma: flags.settings.gamma ?? pair.gamma ?? defaults.gamma,
      lookahead: flags.settings.lookahead ?? pair.lookahead ?? defaults.lookahead,
      maxTokens: flags.settings.maxTokens ?? pair.maxTokens ?? defaults.maxTokens,
    },
    context: flags.context,
    threads: { base: threadsFor(bytes.base), aligned: threadsFor(bytes.aligned), forced: flags.threads !== undefined },
  };
  return { setup, bytes, name };
}

/** @param {string} manifest */
async function read(manifest = inRoot('models/demo/pair.json')) {
  const { readPair, NudgingError } = await import('../../dist/index.js');
  const file = path.resolve(manifest);
  try {
    const { base, aligned, ...others } = await readPair(file);
    if (typeof base !== 'string' || typeof aligned !== 'string')
      throw new BuildError(`a model of ${manifest} is behind a server: the bench compares rivals on files`);
    return {
      pair: { ...others, base, aligned },
      prompt: undefined,
      name: `${path.basename(path.dirname(file))}-${path.basename(file, '.json')}`,
    };
  } catch (error) {
    if (error instanceof NudgingError) throw new BuildError(error.message);
    throw error;
  }
}

/** @param {string} file */
function sizeOf(file) {
  const found = statSync(file, { throwIfNoEntry: false });
  if (!found) throw new BuildError(`the model ${path.relative(process.cwd(), file)} is missing`);
  return found.size;
}

/** Questions of the demo pair, spread over both of its tasks. @param {number} count @returns {string[]} */
export function readQuestions(count) {
  const all = readFileSync(inRoot('models/demo/eval.jsonl'), 'utf8').trim().split('\n');
  return Array.from({ length: count }, (_, index) => JSON.parse(all[Math.floor((index * all.length) / count)] ?? '{}').question);
}
