import { Nudging } from '../../dist/index.js';
import { segments } from '../rivals/prompts.mjs';
import { sum } from './statistics.mjs';

/** @typedef {import('../../dist/index.js').AnswerStats} Stats */
/**
 * @typedef {{ tokens: number, ms: number, phases: Record<typeof phases[number], number>, stats: Stats[] }} Cost milliseconds per output
 *   token
 */

export const phases = /** @type {const} */ (['baseDecode', 'alignedDecode', 'top1', 'tokenize', 'other']);

/**
 * Where a token's milliseconds go, by the engine's own stopwatches. Variants take turns, so that what disturbs one disturbs all, and never
 * answer the question that was answered just before: the engine would remember it. One request at a time for the same reason: the places of
 * others hold older answers.
 * @param {import('../rivals/index.mjs').Setup} setup
 * @param {readonly import('../../dist/index.js').GenerateOptions[]} variants
 * @param {readonly string[]} questions
 * @param {number} rounds
 * @returns {Promise<Cost[]>} one for each variant
 */
export async function measurePhases({ pair, prompt, settings, context, threads }, variants, questions, rounds) {
  const { name, description, ...manifest } = pair;
  const engine = await Nudging.load({
    ...manifest,
    ...settings,
    context,
    parallel: 1,
    ...(threads.forced ? { threads: threads.base } : {}),
  });
  /** @type {Stats[][]} */
  const stats = variants.map(() => []);
  for (let round = -1; round < rounds; round += 1) {
    for (const [index, variant] of variants.entries()) {
      for (const question of questions) {
        const answer = await engine.generate(
          prompt === undefined ? question : { base: segments(prompt, question), aligned: segments(prompt, question) },
          variant,
        );
        // The first round warms up.
        if (round >= 0) stats[index]?.push(answer.stats);
      }
    }
  }
  await engine.close();
  return stats.map((all) => {
    const tokens = sum(all.map((one) => one.tokens));
    const per = (/** @type {'total' | typeof phases[number]} */ phase) => sum(all.map(({ times }) => times[phase])) / tokens;
    return {
      tokens,
      ms: per('total'),
      phases: /** @type {Cost['phases']} */ (Object.fromEntries(phases.map((phase) => [phase, per(phase)]))),
      stats: all,
    };
  });
}
