#!/usr/bin/env node
// `npm run test:gpu`: many requests at once on a GPU, with what the CPU answers as the measure. Needs node, dist/, models/demo, an addon
// with CUDA and the two tools that make models.
import { mkdirSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { makePlan } from './lib/configs.mjs';
import { BuildError, runMain } from './lib/errors.mjs';
import { columns, isGood, questions, reference, rowOf, stress } from './lib/gpu/stress.mjs';
import { inTurns, runChild } from './lib/gpu/run.mjs';
import { inRoot } from './lib/paths.mjs';

const help = `usage: npm run test:gpu -- [flags]

Asks the demo pair, made big, on a GPU: 32 and 64 requests at once, all types of weights and of KV caches, overlap and
speculation on and off, and one load after another. Each run is a process of its own. Every answer must be the CPU's, or
have a decision on the edge; none may fail, and no process may die. About ten minutes on one H100.

  --quick           the settings that have failed before, and one of each kind: three minutes
  --seconds N       of each run, loading apart; default: 8
  --at-once N       runs side by side on the GPU; default: 2
  --graphs          with CUDA graphs (NUDGING_CUDA_GRAPHS), which are off by default
  --tools FOLDER    where the programs inflate and quantise are; default: this checkout's build
  --models FOLDER   where the models are made, 10 GB, and kept; default: in the system's temporary folder
  --output FILE     JSON of all runs
  --help            print this
`;

/** @typedef {import('./lib/gpu/stress.mjs').Setting} Setting */

/** @param {boolean} quick @returns {Setting[]} */
function settings(quick) {
  const set = (/** @type {Omit<Setting, 'name'>} */ { weights, streams, load = {}, ask = {}, ...more }) => {
    const facts = [
      ...Object.entries({ ...load, ...ask }).map(([name, value]) => `${name} ${value}`),
      ...(more.loads ? [`${more.loads} loads`] : []),
    ];
    return { name: [`${weights}, ${streams} at once`, ...facts].join(', '), weights, streams, load, ask, ...more };
  };
  /** @type {Setting[]} */
  const all = [];
  for (const weights of /** @type {const} */ (['f16', 'q8_0', 'q4_k'])) {
    for (const streams of [32, 64]) {
      for (const overlap of [true, false]) {
        for (const speculation of [true, false, 8]) {
          const isQuick = streams === 32 && (weights === 'f16' || (overlap && speculation === true));
          if (!quick || isQuick) all.push(set({ weights, streams, load: { overlap }, ask: { speculation } }));
        }
      }
    }
  }
  const caches = quick ? ['bf16', 'q8_0', 'f32'] : ['bf16', 'f32', 'q8_0', 'q5_1', 'q5_0', 'q4_1', 'q4_0'];
  for (const kvCache of caches) all.push(set({ weights: 'f16', streams: 32, load: { kvCache } }));
  for (const streams of quick ? [1] : [1, 8]) all.push(set({ weights: 'f16', streams }));
  for (const mode of ['base', 'aligned']) all.push(set({ weights: 'f16', streams: 32, ask: { mode } }));
  all.push(set({ weights: 'f16', streams: 32, loads: quick ? 4 : 10, seconds: quick ? 8 : 20, limit: 90 }));
  if (!quick) all.push(set({ weights: 'bf16', streams: 32 }));
  return all;
}

/**
 * Which types of caches cannot hold what the CPU's F16 cache does: their answers are compared with nothing but each other's absence of
 * failure.
 */
const coarse = new Set(['q8_0', 'q5_1', 'q5_0', 'q4_1', 'q4_0']);

await runMain(async () => {
  const text = /** @type {const} */ ({ type: 'string' });
  const flag = /** @type {const} */ ({ type: 'boolean' });
  const { values } = parseArgs({
    options: { quick: flag, graphs: flag, help: flag, seconds: text, 'at-once': text, tools: text, models: text, output: text },
  });
  if (values.help) {
    process.stdout.write(help);
    return 0;
  }
  const seconds = positive('seconds', values.seconds ?? '8');
  const atOnce = positive('at-once', values['at-once'] ?? '2');
  const places = { tools: values.tools ?? makePlan({ variant: 'cpu' }).out, folder: values.models ?? path.join(tmpdir(), 'nudging-gpu') };
  await checkGpu();

  const asked = questions(96);
  const wanted = settings(values.quick === true);
  /** @type {Map<string, Promise<string>>} */
  const references = new Map();
  for (const { weights } of wanted) if (!references.has(weights)) references.set(weights, reference(weights, asked, places));
  await Promise.all(references.values());
  const none = path.join(places.folder, 'no-reference.json');
  writeFileSync(none, '{}');

  /** @type {Record<string, string>} */
  const env = values.graphs ? { NUDGING_CUDA_GRAPHS: '1' } : {};
  let done = 0;
  const ran = await inTurns(wanted, atOnce, async (setting) => {
    const expected =
      coarse.has(String(setting.load?.['kvCache'])) || setting.ask?.['mode']
        ? none
        : await /** @type {Promise<string>} */ (references.get(setting.weights));
    const result = await stress({ seconds, ...setting, env }, asked, expected, places, ++done);
    console.error(`${isGood(result) ? 'good' : 'BAD '} ${rowOf(result).filter(Boolean).join(' | ')}`);
    return result;
  });
  console.log([columns, columns.map(() => '---'), ...ran.map(rowOf)].map((cells) => `| ${cells.join(' | ')} |`).join('\n'));
  const bad = ran.filter((one) => !isGood(one));
  console.log(`\n${ran.length - bad.length} passed, ${bad.length} failed`);
  if (values.output) {
    mkdirSync(path.dirname(path.resolve(values.output)), { recursive: true });
    writeFileSync(values.output, `${JSON.stringify({ command: process.argv.slice(2), runs: ran }, null, 1)}\n`);
  }
  return bad.length === 0 ? 0 : 1;
});

/** @param {string} name @param {string} value */
function positive(name, value) {
  if (!/^[1-9]\d{0,3}$/.test(value)) throw new BuildError(`--${name} cannot be "${value}": it must be an integer from 1 to 9999`);
  return Number(value);
}

/** Says so at once where there is nothing to test. */
async function checkGpu() {
  const { outcome, died } = await runChild(
    { load: { pair: inRoot('models/demo/pair.json'), parallel: 1 }, questions: ['What is a sculpture?'], streams: 1, seconds: 0 },
    { limit: 60 },
  );
  if (!outcome) throw new BuildError(`the demo pair could not be loaded: ${died}`);
  if (outcome.gpuLayers === 0)
    throw new BuildError(
      'no GPU: the addon has no backend for one (npm run build:cuda), or no driver and no device are there. Nothing was tested.',
    );
}
