import { createHash } from 'node:crypto';
import { readdirSync, realpathSync, statSync } from 'node:fs';
import path from 'node:path';
import { pinned } from '../../vendor/fetch.mjs';
import { describeCpu } from './cpu.mjs';
import { root } from './paths.mjs';
import { findCompilers } from './requirements.mjs';

/**
 * Names, sizes and times of all files below some paths of a folder.
 * @param {readonly string[]} parts
 * @param {(file: string) => boolean} [wanted]
 * @param {string} [base]
 */
export function listing(parts, wanted = () => true, base = root) {
  /** @type {string[]} */
  const lines = [];
  const add = (/** @type {string} */ file) => {
    const found = statSync(path.join(base, file), { throwIfNoEntry: false });
    if (found?.isDirectory()) for (const name of readdirSync(path.join(base, file)).sort()) add(`${file}/${name}`);
    else if (found && wanted(file)) lines.push(`${file} ${found.size} ${found.mtimeMs}`);
  };
  for (const part of parts) add(part);
  return lines;
}

const ours = {
  addon: ['native'],
  tests: ['native', 'test/native', 'test/engine', 'test/hostile'],
  tools: ['native', 'test/probe', 'test/tools', 'test/engine', 'test/hostile', 'test/weights', 'bench/inflate'],
};
// Whole folders: another release than the pinned one may read other files in them.
const theirs = [...new Set(pinned.build.map((rule) => rule.split('/')[0] ?? rule))];

const digest = (/** @type {readonly string[]} */ facts) => createHash('sha256').update(facts.join('\n')).digest('hex');

/**
 * The sources of a part of a build, llama.cpp's included: somebody may work on those, too.
 * @param {import('./configs.mjs').Part} part
 * @param {string} llama
 */
export function sourcesKey(part, llama) {
  const compiled = (/** @type {string} */ file) => /\.(cpp|h|hpp|c|cc|inc|txt|cmake|map)$/.test(file);
  return digest([...listing([...ours[part], 'CMakeLists.txt', 'cmake'], compiled), ...listing(theirs, undefined, llama)]);
}

/**
 * What a part of a build depends on. Node's version is not in it: the addon speaks Node-API.
 * @param {import('./configs.mjs').Plan} plan
 * @param {import('./configs.mjs').Part} part
 * @param {string} llama
 */
export function fingerprint(plan, part, llama) {
  const cxx = findCompilers()?.cxx;
  const compiler = cxx ? realpathSync(cxx) : '';
  return digest([
    sourcesKey(part, llama),
    llama,
    JSON.stringify(plan.cmake),
    plan.buildType,
    ...['CC', 'CXX', 'CFLAGS', 'CXXFLAGS', 'LDFLAGS', 'CUDACXX', 'CUDAARCHS'].map((name) => process.env[name] ?? ''),
    compiler ? `${compiler} ${statSync(compiler).size} ${statSync(compiler).mtimeMs}` : '',
    // Built for this machine's CPU: a tree that moved to another one must not be trusted.
    plan.cmake.NUDGING_NATIVE === 'ON' ? describeCpu() : '',
    process.arch,
  ]);
}
