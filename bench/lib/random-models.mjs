import { inRoot } from '../../scripts/lib/paths.mjs';
import { madeModel } from './made-models.mjs';

/**
 * The same for every vocabulary, so that only that differs. Weights are F32. Nothing ends a text, or there would be too little of it to
 * measure: with a factor of 0 the logit of the end is 0.
 */
export const shape = { arch: 'llama', embd: 256, layers: 4, 'eos-bias': 0 };

/**
 * The path of a model with random weights around a tokenizer.
 * @param {string} vocabulary one of vendor/llama.cpp/models/ggml-vocab-*.gguf
 */
export function randomModel(vocabulary) {
  return madeModel('random_model', {
    stem: `random-${vocabulary}`,
    source: ['vocab', inRoot(`vendor/llama.cpp/models/ggml-vocab-${vocabulary}.gguf`)],
    options: shape,
  });
}
