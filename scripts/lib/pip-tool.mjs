import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import path from 'node:path';
import { cacheDir } from './cache-dir.mjs';
import { pipInstall } from './pip.mjs';

/**
 * The folder with a program of a pinned version, which pip fetches into the cache, once; what the system has does not count.
 * @param {string} kind the part of the cache that it lies in
 * @param {import('./pip.mjs').Package} pin
 * @returns {Promise<string>}
 */
export async function pipTool(kind, pin) {
  const folder = path.join(cacheDir(), kind, `${pin.name}-${pin.version}-${pin.platform ?? `${process.platform}-${process.arch}`}`);
  if (existsSync(folder)) return folder;
  // Under another name first: one that was interrupted is not taken for whole.
  const incoming = `${folder}.${process.pid}`;
  mkdirSync(path.dirname(folder), { recursive: true });
  try {
    await pipInstall(pin, incoming, pin.name);
    if (!existsSync(folder)) renameSync(incoming, folder);
  } finally {
    rmSync(incoming, { recursive: true, force: true });
  }
  return folder;
}
