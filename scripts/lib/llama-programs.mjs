import { existsSync, mkdirSync } from 'node:fs';
import { constants, setPriority } from 'node:os';
import path from 'node:path';
import { ensureSource } from '../../vendor/fetch.mjs';
import { BuildError } from './errors.mjs';
import { root } from './paths.mjs';
import { run } from './process.mjs';

// llama.cpp's own defaults for speed (OpenMP, this machine's instructions); off is only what needs more libraries or a network.
const defaults = {
  CMAKE_BUILD_TYPE: 'Release',
  BUILD_SHARED_LIBS: 'OFF',
  GGML_NATIVE: process.env['NUDGING_NATIVE'] === 'OFF' ? 'OFF' : 'ON',
  LLAMA_OPENSSL: 'OFF',
  LLAMA_BUILD_UI: 'OFF',
  LLAMA_USE_PREBUILT_UI: 'OFF',
  LLAMA_BUILD_TESTS: 'OFF',
  LLAMA_BUILD_EXAMPLES: 'OFF',
  LLAMA_BUILD_APP: 'OFF',
  LLAMA_ALL_WARNINGS: 'OFF',
};

/**
 * Builds programs of llama.cpp's own from the source that the addon is built from, into `tree`/bin.
 * @param {string} tree @param {string} part what their source is in, which a pruned copy lacks @param {readonly string[]} programs
 * @param {Record<string, 'ON' | 'OFF'>} [options] CMake options beside those for speed
 */
export async function buildLlamaPrograms(tree, part, programs, options = {}) {
  const source = await ensureSource({ thorough: true });
  if (!existsSync(path.join(source, part)))
    throw new BuildError(`this llama.cpp has no ${part}: remove vendor/llama.cpp, or unset NUDGING_LLAMA_CPP_DIR, and try again`);
  mkdirSync(tree, { recursive: true });
  // It takes minutes on few cores, and nobody waits for it.
  setPriority(Math.min(10, constants.priority.PRIORITY_LOW));
  const env = { CCACHE_BASEDIR: root, CCACHE_NOHASHDIR: '1', ...process.env };
  const flags = Object.entries({ ...defaults, ...options }).map(([key, value]) => `-D${key}=${value}`);
  const steps = [
    ['-S', source, '-B', tree, '-G', 'Ninja', ...flags],
    ['--build', tree, '--target', ...programs],
  ];
  for (const args of steps) {
    const { code } = await run('cmake', args, { env, inherit: true });
    if (code === 127) throw new BuildError('cmake was not found: install CMake and Ninja');
    if (code !== 0) throw new BuildError(`cmake ended with ${code}`);
  }
}
