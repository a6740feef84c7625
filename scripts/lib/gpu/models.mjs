import { existsSync, mkdirSync, renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { BuildError } from '../errors.mjs';
import { inRoot } from '../paths.mjs';
import { run } from '../process.mjs';

/** @typedef {{ embd: number, layers: number, ffn: number }} Shape */
/** @typedef {'f16' | 'bf16' | 'q8_0' | 'q4_0' | 'q4_k'} Weights */

/**
 * The demo pair made big: it answers as before, in shapes whose matrices llama.cpp multiplies with the kernels of real models.
 * @type {Record<string, { base: Shape, aligned: Shape }>}
 */
export const sizes = {
  /** 1.09 B and 626 M. */
  small: { base: { embd: 2048, layers: 16, ffn: 8192 }, aligned: { embd: 1536, layers: 20, ffn: 4608 } },
  /** 0.2 B and 0.1 B, for tools that make everything ten times slower. */
  tiny: { base: { embd: 1024, layers: 8, ffn: 4096 }, aligned: { embd: 768, layers: 8, ffn: 2304 } },
  /** 7.82 B and 626 M. */
  big: { base: { embd: 4096, layers: 32, ffn: 14336 }, aligned: { embd: 1536, layers: 20, ffn: 4608 } },
};

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
  const [base, aligned] = await Promise.all([
    gpuModel('base', shapes.base, weights, places),
    gpuModel('aligned', shapes.aligned, weights, places),
  ]);
  const manifest = path.join(places.folder, `${size}-${weights}.json`);
  const settings = { gamma: 0.3, lookahead: 16, maxTokens: 96, basePrompt: '{system}Question: {question}\nAnswer:\n' };
  writeFileSync(manifest, JSON.stringify({ name: `${size} ${weights}`, base, aligned, ...settings }));
  return manifest;
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
  if (existsSync(file)) return file;
  mkdirSync(places.folder, { recursive: true });
  const incoming = `${file}.${process.pid}`;
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
  const program = path.join(places.tools, /** @type {string} */ (tool));
  const { code, output } = await run(program, [.../** @type {string[]} */ (args), '--out', incoming]);
  if (code === 127)
    throw new BuildError(`${program} is missing: node scripts/build.mjs --tests, or name the folder that has it with --tools`);
  if (code !== 0) throw new BuildError(`${tool} ended with ${code}: ${output.trim().slice(-300)}`);
  renameSync(incoming, file);
  return file;
}
