import { existsSync, mkdirSync, renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { BuildError } from '../errors.mjs';
import { inRoot } from '../paths.mjs';
import { run } from '../process.mjs';

/** @typedef {{ embd: number, layers: number, ffn: number }} Shape */
/** @typedef {'f16' | 'bf16' | 'q8_0' | 'q4_0' | 'q4_k'} Weights */

/**
 * The demo pair made big: it answers as before, in shapes whose matrices llama.cpp multiplies with the kernels of real models. `weights`:
 * other than F16 by themselves; `baseOf`: the model of the demo pair that the base is made of, if not its base; `prompt`: for both models.
 * @typedef {{ base: Shape, aligned: Shape, weights?: Weights, baseOf?: 'aligned', prompt?: string }} Size
 * @type {Record<string, Size>}
 */
export const sizes = {
  /** 1.09 B and 626 M. */
  small: { base: { embd: 2048, layers: 16, ffn: 8192 }, aligned: { embd: 1536, layers: 20, ffn: 4608 } },
  /** 0.2 B and 0.1 B, for tools that make everything ten times slower. */
  tiny: { base: { embd: 1024, layers: 8, ffn: 4096 }, aligned: { embd: 768, layers: 8, ffn: 2304 } },
  /** 7.82 B and 626 M. */
  big: { base: { embd: 4096, layers: 32, ffn: 14336 }, aligned: { embd: 1536, layers: 20, ffn: 4608 } },
  /** 77.9 B and 6.5 B, 44 GB and 3.7 GB: making them takes longer than measuring. */
  '70b': {
    base: { embd: 8192, layers: 80, ffn: 28672 },
    aligned: { embd: 4096, layers: 26, ffn: 14336 },
    weights: 'q4_0',
  },
  /** The base is the aligned model, inflated: both say the same. */
  agreeing: {
    base: { embd: 4096, layers: 32, ffn: 14336 },
    aligned: { embd: 1536, layers: 20, ffn: 4608 },
    baseOf: 'aligned',
    prompt: '<|im_start|>user\n{question}<|im_end|>\n<|im_start|>assistant\n',
  },
  /** Random weights around the vocabulary of Llama 3, 128,256 tokens: of all that a pass takes, choosing a token is most. */
  vocabulary: { base: { embd: 256, layers: 4, ffn: 0 }, aligned: { embd: 256, layers: 4, ffn: 0 } },
};

/** In which weights a pair is measured. @param {string} size @returns {Weights} */
export const weightsOf = (size) => sizes[size]?.weights ?? 'f16';

/** Whether a pair's answers are the demo pair's. @param {string} size */
export const answersAsTheDemoPair = (size) => size !== 'vocabulary' && sizes[size]?.baseOf === undefined;

/** Which of these bench/inflate writes by itself; the others are made of F16. @type {ReadonlySet<Weights>} */
const inflatable = new Set(['f16', 'q8_0', 'q4_0']);

/**
 * Makes a pair, unless it is there, and returns its manifest.
 * @param {string} size of `sizes` @param {Weights} weights
 * @param {{ tools: string, folder: string }} places tools: where the programs inflate and quantise are
 */
export async function gpuPair(size, weights, places) {
  const shapes = sizes[size];
  if (!shapes) throw new BuildError(`there is no size "${size}"`);
  const [base, aligned] = await (size === 'vocabulary'
    ? vocabularyPair(shapes.base, places)
    : Promise.all([gpuModel(shapes.baseOf ?? 'base', shapes.base, weights, places), gpuModel('aligned', shapes.aligned, weights, places)]));
  const manifest = path.join(places.folder, `${size}-${weights}.json`);
  const settings = { gamma: 0.3, lookahead: 16, maxTokens: 96, basePrompt: '{system}Question: {question}\nAnswer:\n' };
  writeFileSync(manifest, JSON.stringify({ name: `${size} ${weights}`, base, aligned, ...settings }));
  return manifest;
}

/**
 * One model with random weights for both.
 * @param {Shape} shape @param {{ tools: string, folder: string }} places @returns {Promise<[string, string]>}
 */
async function vocabularyPair({ embd, layers }, places) {
  const file = path.join(places.folder, `vocabulary-${embd}-${layers}.gguf`);
  // Nothing ends its texts, or there would be too little of them to measure.
  const args = ['--arch', 'llama', '--embd', String(embd), '--layers', String(layers), '--eos-bias', '0'];
  const source = inRoot('vendor/llama.cpp/models/ggml-vocab-llama-bpe.gguf');
  const made = making.get(file) ?? makeWith('random_model', ['--vocab', source, ...args], file, places);
  making.set(file, made);
  const model = await made;
  return [model, model];
}

/** Files that are being made. @type {Map<string, Promise<string>>} */
const making = new Map();

/**
 * @param {'base' | 'aligned'} lane
 * @param {Shape} shape
 * @param {Weights} weights
 * @param {{ tools: string, folder: string }} places
 * @returns {Promise<string>}
 */
function gpuModel(lane, shape, weights, places) {
  const file = path.join(places.folder, `${lane}-${Object.values(shape).join('-')}-${weights}.gguf`);
  const made = making.get(file) ?? makeModel(file, lane, shape, weights, places);
  making.set(file, made);
  return made;
}

/**
 * @param {string} file
 * @param {'base' | 'aligned'} lane
 * @param {Shape} shape
 * @param {Weights} weights
 * @param {{ tools: string, folder: string }} places
 */
async function makeModel(file, lane, shape, weights, places) {
  const [tool, args] = inflatable.has(weights)
    ? [
        'inflate',
        [
          '--model',
          inRoot(`models/demo/${lane}.gguf`),
          '--type',
          weights,
          ...Object.entries(shape).flatMap(([name, value]) => [`--${name}`, String(value)]),
        ],
      ]
    : ['quantise', ['--model', await gpuModel(lane, shape, 'f16', places), '--type', weights, '--threads', '8']];
  return makeWith(/** @type {string} */ (tool), /** @type {string[]} */ (args), file, places);
}

/**
 * Has a program make a file, unless it is there.
 * @param {string} tool @param {readonly string[]} args @param {string} file @param {{ tools: string, folder: string }} places
 */
async function makeWith(tool, args, file, places) {
  if (existsSync(file)) return file;
  mkdirSync(places.folder, { recursive: true });
  const incoming = `${file}.${process.pid}`;
  const program = path.join(places.tools, tool);
  const { code, output } = await run(program, [...args, '--out', incoming]);
  if (code === 127)
    throw new BuildError(`${program} is missing: node scripts/build.mjs --tests, or name the folder that has it with --tools`);
  if (code !== 0) throw new BuildError(`${tool} ended with ${code}: ${output.trim().slice(-300)}`);
  renameSync(incoming, file);
  return file;
}
