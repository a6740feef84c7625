import { bytesPerWeight, singlePassMs } from './machines.mjs';
import { gpuTokenMs } from './points.mjs';
import { gpu, units } from './passes.mjs';
import { callsPerToken } from './statistics.mjs';

/** @typedef {import('./machines.mjs').Machine} Machine */
/** @typedef {{ base: number, aligned: number, weights: 'Q4_0' | 'F16' }} Pair billions of weights */

/** Passes a token of the 7.82 B pair on an H200, one model after the other: bench/results/gpu.json. */
export const passes = /** @type {const} */ ({
  base: { base: 1.02, aligned: 0 },
  plain: { base: 0.72, aligned: 1.04 },
  speculative: { base: 0.4, aligned: 1.19 },
  agreeing: { base: 0.12, aligned: 1.06 },
});

/** The pairs of docs/scale.md. @type {readonly Pair[]} */
export const pairs = [
  { base: 8, aligned: 1, weights: 'F16' },
  { base: 8, aligned: 1, weights: 'Q4_0' },
  { base: 32, aligned: 3, weights: 'Q4_0' },
  { base: 70, aligned: 8, weights: 'Q4_0' },
  { base: 70, aligned: 8, weights: 'F16' },
  { base: 405, aligned: 8, weights: 'Q4_0' },
  { base: 405, aligned: 8, weights: 'F16' },
];

/** Of a GPU's memory, what weights may take: the rest is for caches and buffers. */
const forWeights = 0.85;
/** Not measured here: what two sums over all GPUs cost, for each layer, when all work on each layer. */
const sumsMs = 0.03;
/** Layers of a model by billions of weights: Llama 3's. */
const layersOf = (/** @type {number} */ billions) => (billions > 200 ? 126 : billions > 20 ? 80 : 32);

/** @param {Machine} machine @param {Pair} pair @returns {number} GPUs that have the room */
export function gpusFor({ memoryGb }, { base, aligned, weights }) {
  return Math.ceil(((base + aligned) * bytesPerWeight[weights]) / (memoryGb * forWeights));
}

/**
 * Milliseconds of a pass over one token of each model. The aligned model is whole on one GPU.
 *
 * @param {Machine} machine
 * @param {Pair} pair
 * @param {{ split: 'layer' | 'tensor', count: number }} how over how many GPUs the base is. By layers, they work one after the other, so
 *   that a pass takes as long as if one had all
 */
export function singles(machine, { base, aligned, weights }, { split, count }) {
  const bytes = (/** @type {number} */ billions) => billions * 1e9 * bytesPerWeight[weights];
  const whole = singlePassMs(machine, weights, bytes(base));
  const shared = singlePassMs(machine, weights, bytes(base) / count) + layersOf(base) * sumsMs;
  return { base: split === 'tensor' && count > 1 ? shared : whole, aligned: singlePassMs(machine, weights, bytes(aligned)) };
}

/**
 * Milliseconds a token of one request, with everything on one machine.
 *
 * @param {'base' | 'plain' | 'speculative' | 'agreeing'} who `agreeing`: with guesses, of a pair whose models say the same
 * @param {{ base: number, aligned: number }} single
 */
export function tokenMs(who, single) {
  // All of the base alone is single tokens, but for the prompt, which the passes of the measured row have in them.
  if (who === 'base') return passes.base.base * single.base;
  return gpuTokenMs(who, passes[who], single);
}

/**
 * Milliseconds a token with a base behind a network. Plain: a run is one call, of which the tokens stream, so it needs no guesses.
 *
 * @param {'plain' | 'naive'} who `naive`: a call for each pass of the base
 * @param {{ base: number, aligned: number }} single
 * @param {number} roundTripMs
 */
export function remoteTokenMs(who, single, roundTripMs) {
  return tokenMs('plain', single) + roundTripMs * (who === 'plain' ? callsPerToken : passes.plain.base);
}

/**
 * Tokens a second of many requests to the base alone, whose passes are shared.
 *
 * @param {{ base: number }} single
 * @param {number} requests 1 to 32
 */
export function baseAloneRate(single, requests) {
  return (1000 * requests) / (single.base * units(gpu, requests));
}

/** Nudging with guesses ÷ the base alone, in tokens a second, with lanes of their own: docs/gpu.md, H100. An input, not reproduced. */
export const manyShare = /** @type {const} */ ({ 8: 518 / 701, 32: 1348 / 2183 });
