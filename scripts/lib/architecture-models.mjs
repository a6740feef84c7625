import { existsSync, mkdirSync, readdirSync, renameSync } from 'node:fs';
import path from 'node:path';
import { BuildError } from './errors.mjs';
import { buildLlamaPrograms } from './llama-programs.mjs';
import { inRoot } from './paths.mjs';
import { run } from './process.mjs';

const tree = inRoot('.native/architectures');

/**
 * A small model of every architecture that llama.cpp's own tests can make one of; made once.
 * @returns {Promise<{ name: string, file: string }[]>}
 */
export async function architectureModels() {
  const models = path.join(tree, 'models');
  mkdirSync(models, { recursive: true });
  await buildLlamaPrograms(tree, 'tests', ['test-llama-archs'], { LLAMA_BUILD_TESTS: 'ON' });
  if (readdirSync(models).length === 0) {
    const { code, output } = await run(path.join(tree, 'bin/test-llama-archs'), ['--seed', '1', '--out', models]);
    if (code !== 0) throw new BuildError(`test-llama-archs ended with ${code}:\n${output.slice(-2000)}`);
  }
  const files = readdirSync(models)
    .filter((file) => file.endsWith('.gguf'))
    .sort();
  return files.map((file) => ({ name: file.replace(/-(dense|moe)\.gguf$/, ''), file: path.join(models, file) }));
}

/**
 * The same model with its weights in another type; made once.
 * @param {string} tool the built `quantise`
 * @param {string} file
 * @param {string} type
 * @returns {Promise<string | undefined>} nothing where llama.cpp cannot
 */
export async function quantisedCopy(tool, file, type) {
  const folder = path.join(tree, `models-${type}`);
  mkdirSync(folder, { recursive: true });
  const copy = path.join(folder, path.basename(file));
  if (existsSync(copy)) return copy;
  const { code } = await run(tool, ['--model', file, '--out', `${copy}.part`, '--type', type]);
  if (code !== 0) return undefined;
  renameSync(`${copy}.part`, copy);
  return copy;
}
