import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { BuildError } from './errors.mjs';
import { tryGit } from './git.mjs';

/**
 * @typedef {object} Patch one file of vendor/patches, see vendor/README.md
 * @property {string} name
 * @property {string} file
 * @property {string} text
 */

/** All patches of a folder, in the order in which they are applied. @param {string} folder @returns {Patch[]} */
export function readPatches(folder) {
  if (!existsSync(folder)) return [];
  const names = readdirSync(folder)
    .filter((name) => name.endsWith('.patch'))
    .sort();
  return names.map((name) => {
    if (!/^\d{4}-[\w.-]+\.patch$/.test(name)) {
      throw new BuildError(`vendor/patches/${name}: patches are called NNNN-what.patch; their numbers are their order.`);
    }
    const file = path.join(folder, name);
    return { name, file, text: readFileSync(file, 'utf8') };
  });
}

/** @param {string} tree @param {readonly Patch[]} patches @param {string} release what the tree holds, for the message */
export async function applyPatches(tree, patches, release) {
  for (const { name, file } of patches) {
    const { code, output } = await tryGit(tree, 'apply', '--whitespace=nowarn', file);
    if (code !== 0) throw new BuildError(`vendor/patches/${name} does not apply to ${release}: ${output.trim().split('\n')[0]}`);
  }
}

/**
 * Which patches a source tree lacks. Later patches may change what earlier ones wrote, so they are taken back from the
 * last to the first, in a copy of the files that they name; a patch that cannot be taken back is not in there.
 * @param {string} tree
 * @param {readonly Patch[]} patches
 */
export async function findMissingPatches(tree, patches) {
  const copy = mkdtempSync(path.join(realpathSync(os.tmpdir()), 'nudging-patches-'));
  try {
    for (const file of new Set(patches.flatMap(({ text }) => filesIn(text)))) {
      if (existsSync(path.join(tree, file))) cpSync(path.join(tree, file), path.join(copy, file));
    }
    /** @type {Patch[]} */
    const missing = [];
    for (const patch of patches.toReversed()) {
      // A checkout is not always of the pinned release: one line of context on each side is enough.
      const { code } = await tryGit(copy, 'apply', '--reverse', '-C1', '--whitespace=nowarn', patch.file);
      if (code !== 0) missing.unshift(patch);
    }
    return missing;
  } finally {
    rmSync(copy, { recursive: true, force: true });
  }
}

/** @param {string} text */
const filesIn = (text) => [...text.matchAll(/^(?:---|\+\+\+) [ab]\/(.+?)\r?$/gm)].map(([, file = '']) => file);
