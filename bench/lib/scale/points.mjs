import { readFileSync } from 'node:fs';
import { inRoot } from '../../../scripts/lib/paths.mjs';
import { spread } from '../statistics.mjs';
import { cpu, gpus, singlePassMs } from './machines.mjs';
import { cpuF16, cpuQ4, gpu, units, workUnits } from './passes.mjs';
import { stretch } from './statistics.mjs';

/**
 * @typedef {{ name: string, source: string, measured: number, modelled: number, unit: string }} Point
 *   What was measured, and what the model says of it from other measurements.
 * @typedef {'base' | 'aligned'} Lane
 * @typedef {import('./passes.mjs').Work} Work
 */

const lanes = /** @type {const} */ (['base', 'aligned']);
/** Kept results of `npm run bench`, by shape. Not the demo pair, whose weights fit into the processor's caches. */
const shapes = /** @type {const} */ ([
  { weights: 'Q4_0', names: ['agreeing', 'disagreeing', 'inflated'] },
  { weights: 'Q4_0', names: ['inflated-3b'] },
  { weights: 'Q4_0', names: ['inflated-8b'] },
  { weights: 'Q8_0', names: ['inflated-q8_0'] },
  { weights: 'F16', names: ['inflated-f16'] },
]);

/** @param {string} name @returns {any} */
const read = (name) => JSON.parse(readFileSync(inRoot('bench/results', `${name}.json`), 'utf8'));

/** All points that the model has to meet. @returns {Point[]} */
export function points() {
  return [...shapes.flatMap(singlePasses), ...[...shapes.flatMap(({ names }) => names), 'demo-pair'].flatMap(answers), ...gpuPoints()];
}

/**
 * A pass over one token by its bytes, the median of the runs that measured it.
 * @param {(typeof shapes)[number]} shape
 * @returns {Point[]}
 */
function singlePasses({ names, weights }) {
  const all = names.map(read);
  const { bytes } = all[0];
  return lanes.map((lane) => ({
    name: `${(bytes[lane] / 1e6).toFixed(0)} MB in ${weights}, a single token's pass`,
    source: `${names.join(', ')}: llama-bench`,
    measured: spread(all.map(({ floor }) => floor[lane].median)).median,
    modelled: singlePassMs(cpu, weights, bytes[lane]),
    unit: 'ms',
  }));
}

/**
 * Nudging by what each model alone took in the same rounds, which has the disturbances of that run in it, and by the passes that were
 * counted.
 *
 * @param {string} name
 * @returns {Point[]}
 */
function answers(name) {
  const { rivals, questions } = read(name);
  const curves = name === 'inflated-f16' ? { base: cpuF16, aligned: cpuF16 } : cpuQ4;
  const rival = (/** @type {string} */ wanted) => rivals.find((/** @type {{ name: string }} */ one) => one.name === wanted);
  const tokensOf = (/** @type {string} */ who) => rival(who).tokens / questions.length;
  const decodes = (/** @type {string} */ who, /** @type {Lane} */ lane) => {
    const { decodesPerToken, decodedPerToken } = rival(who).lanes[lane];
    return { passes: decodesPerToken * tokensOf(who), tokens: decodedPerToken * tokensOf(who) };
  };
  const alone = (/** @type {Lane} */ lane) => {
    const { passes, tokens } = decodes(lane, lane);
    // All passes but the prompt's have one token.
    const prompt = tokens - passes + 1;
    const single = (rival(lane).msPerToken.median * tokensOf(lane)) / workUnits(curves[lane], { passes, tokens, prompt }, stretch[lane]);
    return { prompt, single };
  };
  const both = { base: alone('base'), aligned: alone('aligned') };
  return ['plain', 'speculative'].map((who) => {
    const ms = lanes.map(
      (lane) => both[lane].single * workUnits(curves[lane], { ...decodes(who, lane), prompt: both[lane].prompt }, stretch[lane]),
    );
    return {
      name: `${name}, ${who === 'plain' ? 'plain' : 'with guesses'}`,
      source: name,
      measured: rival(who).msPerToken.median,
      modelled: ms.reduce((sum, one) => sum + one, 0) / tokensOf(who),
      unit: 'ms a token',
    };
  });
}

/** Per token of the output, with which the demo pair's questions are answered: tokens that the base is given, and prompts. */
export function tokensToDecode(/** @type {'plain' | 'speculative' | 'agreeing'} */ like) {
  const { rivals, questions } = read(like === 'agreeing' ? 'agreeing' : 'inflated');
  const { tokens, lanes: counted } = rivals.find(
    (/** @type {{ name: string }} */ one) => one.name === (like === 'plain' ? like : 'speculative'),
  );
  const alone = (/** @type {Lane} */ lane) => {
    const rival = rivals.find((/** @type {{ name: string }} */ one) => one.name === lane);
    return ((rival.lanes[lane].decodedPerToken - rival.lanes[lane].decodesPerToken) * rival.tokens) / questions.length + 1;
  };
  const length = tokens / questions.length;
  const of = (/** @type {Lane} */ lane) => ({ tokens: counted[lane].decodedPerToken * length, prompt: alone(lane) });
  return { length, base: of('base'), aligned: of('aligned') };
}

/**
 * Milliseconds a token on a GPU, by passes a token.
 *
 * @param {'plain' | 'speculative' | 'agreeing'} like whose tokens
 * @param {Readonly<Record<Lane, number>>} passes for each token of the output, prompts included
 * @param {Readonly<Record<Lane, number>>} single ms of a pass over one token
 */
export function gpuTokenMs(like, passes, single) {
  const known = tokensToDecode(like);
  const ms = lanes.map((lane) => single[lane] * workUnits(gpu, { ...known[lane], passes: passes[lane] * known.length }, stretch[lane]));
  return ms.reduce((sum, one) => sum + one, 0) / known.length;
}

/** @returns {Point[]} */
function gpuPoints() {
  const { h200 } = read('gpu');
  const source = 'gpu';
  const single = (/** @type {Lane} */ lane) => h200.alone[lane].decodeMsPerToken / h200.alone[lane].passesPerToken;
  const singles = { base: single('base'), aligned: single('aligned') };
  const rows = h200.rows.map((/** @type {any} */ { name, like, msPerToken, passes }) => ({
    name: `H200, 7.82 B and 626 M in F16, ${name}`,
    source,
    measured: msPerToken,
    modelled: gpuTokenMs(like, passes, singles),
    unit: 'ms a token',
  }));
  const big = {
    // Its passes were not counted: the smaller pair's, which says the same.
    name: 'H200, 77.9 B and 6.5 B in Q4_0, plain',
    source,
    measured: h200.big.plain,
    modelled: gpuTokenMs('plain', h200.rows[0].passes, {
      base: h200.big.baseAlone / h200.alone.base.passesPerToken,
      aligned: singlePassMs(gpus.h200, 'Q4_0', h200.big.bytes.aligned),
    }),
    unit: 'ms a token',
  };
  const many = Object.entries(h200.baseAloneTokensPerSecond).map(([requests, measured]) => ({
    name: `H200, base alone, ${requests} requests`,
    source,
    measured: /** @type {number} */ (measured),
    modelled: (1000 * Number(requests)) / (h200.pass.single * units(gpu, Number(requests))),
    unit: 'tokens a second',
  }));
  return [...rows, big, ...many, ...h100Points()];
}

/** docs/gpu.md, "Measured". @returns {Point[]} */
function h100Points() {
  const text = readFileSync(inRoot('docs/gpu.md'), 'utf8');
  const numbers = (/** @type {string} */ cell) => cell.split(',').map((one) => Number(one.replace('–', 'NaN')));
  const rows = [...text.matchAll(/^\| (\d+) \| ([a-z, ]+) \| ([\d,]+) \| [\d. ]*\| [\d. ]+ \| ([^|]+) \| ([^|]+) \|$/gm)].map(
    ([, requests, name, rate = '', passes = '', ms = '']) => ({
      requests: Number(requests),
      name,
      rate: Number(rate.replace(',', '')),
      passes: numbers(passes),
      ms: numbers(ms),
    }),
  );
  const row = (/** @type {number} */ requests, /** @type {string} */ name) => {
    const found = rows.find((one) => one.requests === requests && one.name === name);
    if (!found) throw new RangeError(`docs/gpu.md has no row "${name}" for ${requests} requests: add it, or take its point out`);
    return found;
  };
  const base = row(1, 'base alone').ms[0] ?? Number.NaN;
  // The aligned model alone was not measured there.
  const aligned = singlePassMs(gpus.h100, 'F16', 1.252e9);
  const one = ['plain, in turn', 'speculative, in turn'].map((name) => {
    const { rate, passes } = row(1, name);
    const [basePasses = Number.NaN, alignedPasses = Number.NaN] = passes;
    const ms = gpuTokenMs(
      name.startsWith('plain') ? 'plain' : 'speculative',
      { base: basePasses, aligned: alignedPasses },
      { base, aligned },
    );
    return {
      name: `H100, 7.82 B and 626 M in F16, ${name}`,
      source: 'docs/gpu.md',
      measured: rate,
      modelled: 1000 / ms,
      unit: 'tokens a second',
    };
  });
  const many = [8, 32].map((requests) => ({
    name: `H100, base alone, ${requests} requests`,
    source: 'docs/gpu.md',
    measured: row(requests, 'base alone').rate,
    modelled: (1000 * requests) / (base * units(gpu, requests)),
    unit: 'tokens a second',
  }));
  return [...one, ...many];
}

/** @param {Point} point @returns {number} by which part the model is off */
export const deviation = ({ measured, modelled }) => modelled / measured - 1;
