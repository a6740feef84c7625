import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { BuildError } from '../errors.mjs';
import { inRoot } from '../paths.mjs';
import { gpuPair, sizes } from './models.mjs';
import { runChild } from './run.mjs';

/** @typedef {import('./models.mjs').Weights} Weights */
/** @typedef {{ tools: string, folder: string }} Places */

/**
 * @typedef {object} Setting what one run is like
 * @property {string} name
 * @property {string} [size] of the pair; default: small
 * @property {Weights} weights
 * @property {number} streams
 * @property {Record<string, unknown>} [load]
 * @property {Record<string, unknown>} [ask]
 * @property {Record<string, string>} [env]
 * @property {number} [loads]
 * @property {number} [seconds]
 * @property {number} [limit] seconds, loading included
 * @property {readonly string[]} [wrapper]
 */

/** @typedef {{ setting: Setting, outcome: import('./child.mjs').Outcome | undefined, died: string, stderr: string }} Ran */

/** @param {number} count */
export function questions(count) {
  const lines = readFileSync(inRoot('models/demo/eval.jsonl'), 'utf8')
    .split('\n')
    .filter((line) => line !== '');
  return Array.from({ length: Math.min(count, lines.length) }, (_, index) =>
    String(JSON.parse(lines[Math.floor((index * lines.length) / count)] ?? '{}').question),
  );
}

/**
 * What the CPU answers, written to a file. Weights that are exact have the answers of the demo pair itself, which takes a second.
 * @param {Weights} weights @param {readonly string[]} asked @param {Places} places @returns {Promise<string>} the file
 */
export async function reference(weights, asked, places) {
  const exact = weights === 'f16' || weights === 'q8_0' || weights === 'q4_0';
  const pair = exact ? inRoot('models/demo/pair.json') : await gpuPair('small', weights, places);
  const load = { pair, gamma: 0.3, gpuLayers: 0, parallel: 8, context: 256, deterministic: true };
  // As many requests as questions: each is asked once.
  const { outcome, died } = await runChild(
    { load, ask: { maxTokens: mostTokens }, questions: [...asked], streams: asked.length, seconds: 0 },
    { limit: 300 },
  );
  if (!outcome || died !== '') throw new BuildError(`the CPU could not answer: ${died}`);
  mkdirSync(places.folder, { recursive: true });
  const file = path.join(places.folder, `reference-${exact ? 'demo' : weights}.json`);
  writeFileSync(file, JSON.stringify(outcome.texts));
  return file;
}

const mostTokens = 48;

/**
 * @param {Setting} setting
 * @param {readonly string[]} asked
 * @param {string} expected the file of reference()
 * @param {Places} places
 * @param {number} seed
 * @returns {Promise<Ran>}
 */
export async function stress(setting, asked, expected, places, seed) {
  const pair = await gpuPair(setting.size ?? 'small', setting.weights, places);
  const load = { pair, parallel: setting.streams, context: 256, ...setting.load };
  const seconds = setting.seconds ?? 8;
  const order = {
    load,
    ask: { maxTokens: mostTokens, ...setting.ask },
    questions: [...asked],
    streams: setting.streams,
    seconds,
    loads: setting.loads ?? 1,
    reference: expected,
    prompt: sizes[setting.size ?? 'small']?.prompt,
    seed,
  };
  const ended = await runChild(order, { env: setting.env ?? {}, limit: setting.limit ?? seconds + 20, wrapper: setting.wrapper ?? [] });
  return { setting, ...ended };
}

/** Whether a run was as it has to be. @param {Ran} ran */
export function isGood({ outcome, died }) {
  return (
    died === '' && outcome !== undefined && outcome.wrong.length === 0 && Object.keys(outcome.errors).length === 0 && outcome.gpuLayers > 0
  );
}

/** One row of a table. @param {Ran} ran */
export function rowOf({ setting, outcome, died }) {
  if (!outcome) return [setting.name, `died: ${died}`, '', '', '', '', ''];
  const errors = Object.entries(outcome.errors)
    .map(([code, count]) => `${code} ${count}`)
    .join(', ');
  const rate = (1000 * outcome.tokens) / outcome.ms;
  const end = died === '' ? 'yes' : `died: ${died}`;
  return [
    setting.name,
    outcome.gpuLayers > 0 ? end : 'NOT ON A GPU',
    String(outcome.answers),
    String(outcome.wrong.length),
    String(outcome.ties),
    errors || '0',
    rate.toFixed(0),
  ];
}

export const columns = ['', 'ended', 'answers', 'wrong', 'ties', 'errors', 'tokens a second'];
