import { llamaBench } from '../rivals/llama-bench.mjs';
import { sum } from './statistics.mjs';

/** Batches that nudging makes: single tokens, drafts and re-tokenised tails, prompts. */
export const batches = [1, 2, 3, 4, 6, 8, 12, 16, 32];
export const depths = [0, 128, 256, 384];

/**
 * @typedef {{ batch: Map<number, number>, token: Map<number, number> }} Forward milliseconds: of a batch by its size, of one token by the
 *   length of its context
 */

/** @param {string} model @param {number} threads @param {number} repetitions @returns {Promise<Forward>} */
export async function measureForward(model, threads, repetitions) {
  const prompts = await llamaBench(model, threads, { prompts: batches, repetitions });
  const deep = await llamaBench(model, threads, { generate: 32, depths, repetitions });
  return {
    batch: new Map(prompts.map(({ prompt, ms }) => [prompt, ms])),
    token: new Map(deep.map(({ depth, ms }) => [depth, ms])),
  };
}

/** t(n), linear between measured sizes. @param {Forward} forward @param {number} size */
export function timeOf({ batch }, size) {
  const sizes = [...batch.keys()].toSorted((a, b) => a - b);
  const upper = sizes.find((each) => each >= size) ?? sizes.at(-1) ?? 1;
  const lower = sizes.findLast((each) => each <= size) ?? upper;
  const [low, high] = [batch.get(lower) ?? 0, batch.get(upper) ?? 0];
  if (size > upper) return (high * size) / upper;
  return upper === lower ? high : low + ((high - low) * (size - lower)) / (upper - lower);
}

/**
 * What the same forward passes would take at llama-bench's speed: each answer's prompt as one batch, the rest as batches of average size.
 * @param {Forward} forward
 * @param {readonly import('../../dist/index.js').LaneStats[]} lanes one lane's statistics of all answers
 */
export function atBenchSpeed(forward, lanes) {
  return sum(
    lanes.map(({ decodes, decodedTokens, promptTokens, cachedPromptTokens }) => {
      if (decodes === 0) return 0;
      const prompt = Math.max(1, promptTokens - cachedPromptTokens);
      const others = decodes - 1;
      const rest = others === 0 ? 0 : others * timeOf(forward, Math.max(1, (decodedTokens - prompt) / others));
      return timeOf(forward, prompt) + rest;
    }),
  );
}
