import { isRight, tasks } from './eval-questions.mjs';

/** @typedef {import('./eval-questions.mjs').Question} Question */
/** @typedef {import('../../lib/types.ts').GenerateOptions} GenerateOptions */
/** @typedef {{ rows: number, right: number, tokens: number, nudgedTokens: number }} Score */
/** @typedef {{ name: string, pair: 'pair' | 'pair-cross', alone?: 'base' | 'aligned', gamma?: number, options: GenerateOptions }} System */
/** @typedef {System & { scores: Record<'define' | 'lastletter', Score> }} Result */

/**
 * What is compared. The base is the same file in both pairs, so it runs alone only once.
 * @param {number[]} gammas
 * @returns {System[]}
 */
export function systems(gammas) {
  const maxTokens = 96;
  /** @type {System[]} */
  const all = [{ name: 'base alone', pair: 'pair', alone: 'base', options: { mode: 'base', stop: [], maxTokens: 64 } }];
  for (const pair of /** @type {const} */ (['pair', 'pair-cross'])) {
    const aligned = pair === 'pair' ? 'aligned' : 'aligned-cross';
    all.push({ name: `${aligned} alone`, pair, alone: 'aligned', options: { mode: 'aligned', maxTokens } });
    for (const gamma of gammas) all.push({ name: `base nudged by ${aligned}`, pair, gamma, options: { mode: 'nudge', gamma, maxTokens } });
  }
  return all;
}

/**
 * Asks one system all questions, one after the other: answers that are decoded together could differ from run to run.
 * @param {import('../../lib/index.ts').Nudging} nudging
 * @param {System} system
 * @param {Question[]} questions
 * @param {() => void} step called after each answer
 * @returns {Promise<Result>}
 */
export async function measure(nudging, system, questions, step) {
  const none = () => ({ rows: 0, right: 0, tokens: 0, nudgedTokens: 0 });
  const scores = { define: none(), lastletter: none() };
  for (const question of questions) {
    const { text, stats } = await nudging.generate(question.question, system.options);
    const score = scores[question.task];
    score.rows += 1;
    score.right += Number(isRight(question, text));
    score.tokens += stats.tokens;
    score.nudgedTokens += stats.nudgedTokens;
    step();
  }
  return { ...system, scores };
}

/**
 * Where nudging did not pay: nudged systems that are not above the base alone and above their own aligned model alone, in both tasks.
 * @param {Result[]} results
 * @returns {string[]}
 */
export function shortfalls(results) {
  const base = results.find((result) => result.alone === 'base');
  return results
    .filter((result) => !result.alone)
    .flatMap((nudged) => {
      const aligned = results.find((result) => result.alone === 'aligned' && result.pair === nudged.pair);
      return [base, aligned].flatMap((alone) =>
        tasks
          .filter((task) => !alone || nudged.scores[task].right <= alone.scores[task].right)
          .map((task) => `${nudged.name} at gamma ${nudged.gamma} is not above ${alone?.name ?? 'a model alone'} in ${task}`),
      );
    });
}
