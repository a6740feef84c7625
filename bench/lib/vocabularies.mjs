import { conditions, show } from './cost-report.mjs';
import { markdownTable } from './markdown.mjs';
import { shape } from './random-models.mjs';
import { median } from './statistics.mjs';

/** Tokenizers in vendor/llama.cpp/models, by the size of their vocabularies: 32,000 to 262,144 tokens. */
export const vocabularies = ['llama-spm', 'gpt-2', 'llama-bpe', 'qwen2', 'gemma-4'];

/** How tokens can be chosen, each with the name of its figure. */
const ways = /** @type {const} */ ([
  ['greedy', {}],
  ['sampled', { temperature: 1, seed: 1 }],
  ['sampledOf40', { temperature: 1, topK: 40, seed: 1 }],
]);

/** @typedef {Record<'greedy' | 'sampled' | 'sampledOf40', number>} Micros µs for one question, by how its token is chosen */
/**
 * @typedef {{ tokens: number, decodeMs: number, top1: Micros }} VocabularyCost tokens: in the vocabulary; decodeMs: of a pass over one
 *   token; medians
 */

/**
 * What one pass and one choice of a token cost.
 * @param {Pick<import('../../dist/index.js').Nudging, 'generate' | 'models'>} engine with one request at a time: another one's cache would
 *   hold answers from before
 * @param {readonly string[]} questions at least 2: one that is asked again is remembered
 * @param {{ rounds: number, maxTokens: number }} amount
 * @returns {Promise<VocabularyCost>}
 */
export async function measureVocabulary(engine, questions, { rounds, maxTokens }) {
  /** @type {number[]} */
  const decodes = [];
  /** @type {Record<keyof Micros, number[]>} */
  const micros = { greedy: [], sampled: [], sampledOf40: [] };
  for (let round = -1; round < rounds; round += 1) {
    for (const [way, sampling] of ways) {
      for (const question of questions) {
        const { spans, stats } = await engine.generate(question, { mode: 'base', stop: [], maxTokens, trace: 'full', ...sampling });
        const answered = stats.base.questions - stats.base.remembered;
        // The first round warms up.
        if (round < 0 || answered === 0) continue;
        micros[way].push((1000 * stats.base.top1Ms) / answered);
        // The prompt is another matter.
        decodes.push(...(spans ?? []).filter(({ tokens }) => tokens === 1).map(({ begin, end }) => end - begin));
      }
    }
  }
  return {
    tokens: engine.models.base.vocabulary,
    decodeMs: median(decodes),
    top1: { greedy: median(micros.greedy), sampled: median(micros.sampled), sampledOf40: median(micros.sampledOf40) },
  };
}

/**
 * @typedef {object} Measured
 * @property {string} command
 * @property {ReturnType<typeof import('./machine.mjs').machine>} machine
 * @property {{ before: number, after: number }} load
 * @property {number} questions
 * @property {number} rounds
 * @property {number} maxTokens
 * @property {readonly (VocabularyCost & { name: string })[]} costs
 */

/** @param {Measured} measured */
export function vocabularyReport({ costs, questions, rounds, maxTokens, ...where }) {
  const micros = (/** @type {number} */ value) => value.toFixed(1);
  const rows = costs.map(({ name, tokens, decodeMs, top1 }) => [
    name,
    tokens.toLocaleString('en'),
    show(decodeMs),
    micros(top1.greedy),
    show((1000 * top1.greedy) / tokens),
    micros(top1.sampled),
    micros(top1.sampledOf40),
  ]);
  const head = ['', 'tokens in the vocabulary', 'a pass over one token, ms', 'top-1, µs', '÷ tokens, ns', 'sampled, µs'];
  head.push('sampled of the 40 likeliest, µs');
  return `## Vocabularies

${conditions(where)} Models with random weights in F32, width ${shape.embd}, ${shape.layers} layers,
around the tokenizers of other models; the base alone; ${questions} questions, ${rounds} rounds, ${maxTokens} tokens each; medians. Most of
these small models is vocabulary: at the size of a real model a pass takes far longer, and choosing a token as long as here.

${markdownTable(head, rows)}`;
}
