import { readFileSync } from 'node:fs';
import { BuildError } from '../../scripts/lib/errors.mjs';
import { inRoot } from '../../scripts/lib/paths.mjs';
import { madeModel } from './made-models.mjs';

/**
 * @typedef {{ embd: number, layers: number, ffn: number, type: 'f16' | 'q8_0' | 'q4_0', rotate?: number }} Shape all widths multiples of
 *   64, the larger head size of the demo pair's models, so that heads fill them
 */

/** 1.09 B parameters, and 124 M; the same as in test/support/inflated.ts. @satisfies {Shape} */
const big = /** @type {const} */ ({ embd: 2048, layers: 16, ffn: 8192, type: 'q4_0' });
/** @satisfies {Shape} */
const small = /** @type {const} */ ({ embd: 576, layers: 30, ffn: 1536, type: 'q4_0' });

/**
 * Pairs that are made when they are asked for, out of the demo pair. `prompt`: one raw prompt for both models.
 * @type {Record<string, { base: [string, Shape], aligned: [string, Shape], gamma: number, prompt?: string }>}
 */
const pairs = {
  /** Answers as the demo pair does. */
  inflated: { base: ['base', big], aligned: ['aligned', small], gamma: 0.3 },
  'inflated-q8_0': { base: ['base', { ...big, type: 'q8_0' }], aligned: ['aligned', { ...small, type: 'q8_0' }], gamma: 0.3 },
  'inflated-f16': { base: ['base', { ...big, type: 'f16' }], aligned: ['aligned', { ...small, type: 'f16' }], gamma: 0.3 },
  /** 2.97 B and 281 M: 10.6 to 1; 1.7 GB and 0.2 GB. */
  'inflated-3b': {
    base: ['base', { embd: 3072, layers: 26, ffn: 8192, type: 'q4_0' }],
    aligned: ['aligned', { embd: 1024, layers: 20, ffn: 3072, type: 'q4_0' }],
    gamma: 0.3,
  },
  /** 7.82 B and 626 M: 12.5 to 1; 4.4 GB and 0.4 GB. */
  'inflated-8b': {
    base: ['base', { embd: 4096, layers: 32, ffn: 14336, type: 'q4_0' }],
    aligned: ['aligned', { embd: 1536, layers: 20, ffn: 4608, type: 'q4_0' }],
    gamma: 0.3,
  },
  /** The base is the aligned model, inflated. */
  agreeing: {
    base: ['aligned', big],
    aligned: ['aligned', small],
    gamma: 0.3,
    prompt: '<|im_start|>user\n{question}<|im_end|>\n<|im_start|>assistant\n',
  },
  /** The aligned model is the base with every logit moved to another token, so it always expects something else. */
  disagreeing: { base: ['base', big], aligned: ['base', { ...small, rotate: 1237 }], gamma: 0.1, prompt: '{question}\n' },
};

export const namedPairs = Object.keys(pairs);

/** One line for each pair, for help texts. @param {string} indent */
export function describeNamedPairs(indent) {
  const width = Math.max(...namedPairs.map((name) => name.length));
  return Object.entries(pairs)
    .map(
      ([
        name,
        {
          base: [, base],
          aligned: [, aligned],
        },
      ]) => {
        const sizes = `${amount(parameters(base))} and ${amount(parameters(aligned))} parameters`;
        return `${indent}${name.padEnd(width)}  ${sizes} in ${base.type.toUpperCase()}`;
      },
    )
    .join('\n');
}

/** Tokens of the demo pair's vocabulary. */
const vocabulary = 4096;

/**
 * What bench/inflate/inflate.cpp writes: two matrices over the vocabulary, and in each layer two norms, four square matrices (heads do not
 * share keys) and three of the feed-forward.
 * @param {Shape} shape
 */
const parameters = ({ embd, layers, ffn }) => 2 * vocabulary * embd + embd + layers * (2 * embd + 4 * embd * embd + 3 * embd * ffn);

/** @param {number} count */
const amount = (count) => (count >= 1e9 ? `${(count / 1e9).toFixed(2)} B` : `${(count / 1e6).toFixed(0)} M`);

/** @param {string} name one of namedPairs */
export async function makePair(name) {
  const found = pairs[name];
  if (!found) throw new BuildError(`there is no pair "${name}"`);
  const { lookahead, maxTokens, basePrompt } = JSON.parse(readFileSync(inRoot('models/demo/pair.json'), 'utf8'));
  const pair = {
    name,
    base: await inflate(...found.base),
    aligned: await inflate(...found.aligned),
    gamma: found.gamma,
    lookahead,
    maxTokens,
    basePrompt,
  };
  return { pair, prompt: found.prompt };
}

/** @param {string} model of the demo pair @param {Shape} shape */
function inflate(model, shape) {
  return madeModel('inflate', {
    stem: `${model}-${Object.values(shape).join('-')}`,
    source: ['model', inRoot(`models/demo/${model}.gguf`)],
    options: shape,
  });
}
