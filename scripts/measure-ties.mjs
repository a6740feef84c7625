#!/usr/bin/env node
// Measures how far the shape of a batch moves what a model says, without `deterministic`: native/trust/tie_tolerance.cpp has its numbers
// from here.
import { existsSync, readFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { BuildError, runMain } from './lib/errors.mjs';
import { inRoot } from './lib/paths.mjs';
import { realWeights } from './lib/real-weights.mjs';

const help = `usage: node scripts/measure-ties.mjs [flags] [model.gguf …]

Asks each model what comes after the same texts in batches of other shapes, on one thread and with llama.cpp's own kernels, and prints how
far the answers are from each other. Default: the real pair of \`npm run test:real\` (quantised) and the demo pair (F16). About two minutes.
The texts are paragraphs of this project, so the numbers change a little when those do.

  --texts N             texts of 30 contexts each, 1 to 16; default: 8
  --cpu-buffers KINDS   what the CPU's weights are kept in: plain, all (default), or some of repack,amx
  --help                print this
`;

/** Contexts of each text: after so many words and one more, and so on. */
const contexts = 30;
/** Where thresholds are: the change of a probability near 0 or 1 is smaller, and decides nothing. */
const nearGamma = { from: 0.2, to: 0.6 };
const gamma = 0.4;

/** @typedef {{ token: number, probability: number, margin: number }} Said */
/** @typedef {import('../lib/index.ts').Nudging} Nudging */

await runMain(async () => {
  const { values, positionals } = parseArgs({
    options: { texts: { type: 'string', default: '8' }, 'cpu-buffers': { type: 'string', default: 'all' }, help: { type: 'boolean' } },
    allowPositionals: true,
  });
  if (values.help) {
    process.stdout.write(help);
    return 0;
  }
  const count = Number(values.texts);
  if (!Number.isInteger(count) || count < 1 || count > 16)
    throw new BuildError(`--texts must be a number from 1 to 16; got "${values.texts}".`);
  const kinds = values['cpu-buffers'];
  const isWord = kinds === 'all' || kinds === 'plain';
  const cpuBuffers = /** @type {import('../lib/index.ts').LoadOptions['cpuBuffers']} */ (isWord ? kinds : kinds.split(','));
  const main = inRoot('dist/index.js');
  if (!existsSync(main)) throw new BuildError('dist/ is missing: run npm run build first');
  /** @type {typeof import('../lib/index.ts')} */
  const { Nudging } = await import(pathToFileURL(main).href);

  const texts = readTexts(count);
  const demo = ['base', 'aligned'].map((lane) => inRoot(`models/demo/${lane}.gguf`));
  const models = positionals.length > 0 ? positionals : [...Object.values(await realWeights()), ...demo];
  for (const model of models) {
    // The same weights twice: the lane of the aligned model drafts one token after a text, so its first decision is what the model says
    // there. An engine for each way, because what was asked before is remembered. Attention as contexts of the default length have it on a
    // CPU.
    const options = { deterministic: false, flashAttention: false, threads: 1, parallel: 4, context: 512, cpuBuffers };
    const load = () => Nudging.load({ base: model, aligned: model, ...options });
    const [one, four, last] = [await load(), await load(), await load()];
    const steps = await inSteps(one, texts, 1);
    const company = await inSteps(four, texts, 4);
    const whole = await fromNothing(last, texts);
    console.log(`${one.models.base.description}, ${Object.keys(one.models.base.memory.buffers).join(' and ')}, ${steps.length} contexts`);
    report('one at a time and four at a time', steps, company);
    report('one at a time and whole', steps, whole);
    report('four at a time and whole', company, whole);
    await Promise.all([one, four, last].map((engine) => engine.close()));
  }
});

/** Prose of this project: it is at hand, and no model has learnt it by heart. @param {number} count */
function readTexts(count) {
  const files = ['README.md', 'docs/semantics.md', 'docs/architecture.md', 'docs/isolation.md', 'docs/cost-model.md'];
  const prose = files.map((name) => readFileSync(inRoot(name), 'utf8')).join('\n\n');
  const paragraphs = prose
    .split(/\n\s*\n/)
    .filter((text) => /^[A-Z]/.test(text))
    .map((text) => text.split(/\s+/));
  const long = paragraphs.filter((words) => words.length > contexts + 4);
  if (long.length < count) throw new BuildError(`only ${long.length} paragraphs are long enough`);
  return long.slice(0, count).map((words) => Array.from({ length: contexts }, (_, i) => words.slice(0, i + 4).join(' ')));
}

/**
 * Each text a word further at a time, on what the lane has of it, and so many texts beside each other.
 * @param {Nudging} nudging @param {string[][]} texts @param {number} beside
 */
async function inSteps(nudging, texts, beside) {
  /** @type {Said[][]} */
  const said = texts.map(() => []);
  for (let at = 0; at < texts.length; at += beside) {
    const group = texts.slice(at, at + beside);
    for (let step = 0; step < contexts; step += 1) {
      await Promise.all(
        group.map(async (prefixes, index) => {
          const prompt = /** @type {string} */ (prefixes[step]);
          const { decisions } = await nudging.generate({ base: 'A', aligned: prompt }, { lookahead: 1, maxTokens: 1, trace: 'full' });
          /** @type {Said[]} */ (said[at + index]).push(/** @type {Said} */ (decisions?.[0]));
        }),
      );
    }
  }
  return said.flat();
}

/** Each context in one pass. @param {Nudging} nudging @param {string[][]} texts */
async function fromNothing(nudging, texts) {
  /** @type {Said[]} */
  const said = [];
  for (const prefixes of texts) {
    for (const prompt of prefixes) said.push(await nudging.inspect({ lane: 'aligned', input: { aligned: prompt } }));
  }
  return said;
}

/** @param {string} shapes @param {Said[]} one @param {Said[]} other */
function report(shapes, one, other) {
  const pairs = one.map((a, i) => ({ a, b: /** @type {Said} */ (other[i]) }));
  const near = pairs.filter(({ a }) => a.probability >= nearGamma.from && a.probability <= nearGamma.to);
  const inP = (/** @type {typeof pairs} */ some) => some.map(({ a, b }) => Math.abs(a.probability - b.probability));
  // Where another token is first, both margins lie between the two orders.
  const inMargin = pairs.map(({ a, b }) => (a.token === b.token ? Math.abs(a.margin - b.margin) : a.margin + b.margin));
  const tokens = pairs.filter(({ a, b }) => a.token !== b.token).length;
  const sides = pairs.filter(({ a, b }) => a.probability >= gamma !== b.probability >= gamma).length;
  const share = (/** @type {number} */ part) => `${((100 * part) / pairs.length).toFixed(1)} %`;
  console.log(`  ${shapes}: another token ${share(tokens)}, other side of ${gamma} ${share(sides)}`);
  console.log(`    p               ${spread(inP(pairs))}`);
  console.log(`    p of 0.2 to 0.6 ${spread(inP(near))}`);
  console.log(`    margin          ${spread(inMargin)}`);
}

/** @param {number[]} values */
function spread(values) {
  const sorted = values.toSorted((a, b) => a - b);
  const place = (/** @type {number} */ part) => Math.min(sorted.length - 1, Math.floor(part * sorted.length));
  const at = (/** @type {number} */ part) => (sorted[place(part)] ?? Number.NaN).toPrecision(2);
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return `mean ${mean.toPrecision(2)}, median ${at(0.5)}, 90 % ${at(0.9)}, 99 % ${at(0.99)}, most ${at(1)} (${values.length})`;
}
