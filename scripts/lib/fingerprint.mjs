import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, realpathSync, statSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { inRoot, root } from './paths.mjs';
import { findCompilers } from './requirements.mjs';

/**
 * Names, sizes and times of all files below some paths of the package.
 * @param {readonly string[]} parts
 * @param {(file: string) => boolean} [wanted]
 */
export function listing(parts, wanted = () => true) {
  /** @type {string[]} */
  const lines = [];
  const add = (/** @type {string} */ file) => {
    const found = statSync(path.join(root, file), { throwIfNoEntry: false });
    if (found?.isDirectory()) for (const name of readdirSync(path.join(root, file)).sort()) add(`${file}/${name}`);
    else if (found && wanted(file)) lines.push(`${file} ${found.size} ${found.mtimeMs}`);
  };
  for (const part of parts) add(part);
  return lines;
}

const sources = { addon: ['native'], tests: ['native', 'test/native', 'test/engine', 'test/hostile'], tools: ['native', 'test/probe', 'test/tools', 'test/engine', 'test/hostile', 'test/real/dequantise', 'bench/inflate'] };

/**
 * What a part of a build depends on. Node's version is not in it: the addon speaks Node-API.
 * @param {import('./configs.mjs').Plan} plan
 * @param {import('./configs.mjs').Part} part
 * @param {string} llama
 */
export function fingerprint(plan, part, llama) {
  const cxx = findCompilers()?.cxx;
  const compiler = cxx ? realpathSync(cxx) : '';
  const facts = [
    ...listing([...sources[part], 'CMakeLists.txt', 'cmake'], (file) => /\.(cpp|h|hpp|c|cc|inc|txt|cmake|map)$/.test(file)),
    readFileSync(inRoot('vendor/llama.cpp.json'), 'utf8'),
    llama,
    JSON.stringify(plan.cmake),
    plan.buildType,
    ...['CC', 'CXX', 'CFLAGS', 'CXXFLAGS', 'LDFLAGS', 'CUDACXX', 'CUDAARCHS'].map((name) => process.env[name] ?? ''),
    compiler ? `${compiler} ${statSync(compiler).size} ${statSync(compiler).mtimeMs}` : '',
    // Built for this machine's CPU: a tree that moved to another one must not be trusted.
    plan.cmake.NUDGING_NATIVE === 'ON' ? (os.cpus()[0]?.model ?? '') : '',
    process.arch,
  ];
  return createHash('sha256').update(facts.join('\n')).digest('hex');
}
