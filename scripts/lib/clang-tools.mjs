import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import path from 'node:path';
import { cacheDir } from './cache-dir.mjs';
import { inRoot } from './paths.mjs';
import { pipInstall } from './pip.mjs';

/**
 * The path of a clang tool. Versions format and warn differently, so one is pinned and fetched with pip into the cache, once; what the
 * system has does not count.
 * @param {'clang-format' | 'clang-tidy'} name
 */
export async function clangTool(name) {
  /** @type {Record<string, { version: string, sha256: string[] }>} */
  const pins = JSON.parse(readFileSync(inRoot('scripts/lib/clang-tools.json'), 'utf8'));
  const { version = '', sha256 = [] } = pins[name] ?? {};
  const folder = path.join(cacheDir(), 'clang', `${name}-${version}-${process.platform}-${process.arch}`);
  const program = path.join(folder, name.replace('-', '_'), 'data/bin', process.platform === 'win32' ? `${name}.exe` : name);
  if (existsSync(program)) return program;
  // Under another name first: one that was interrupted is not taken for whole.
  const incoming = `${folder}.${process.pid}`;
  mkdirSync(path.dirname(folder), { recursive: true });
  try {
    await pipInstall({ name, version, sha256 }, incoming, name);
    if (!existsSync(program)) renameSync(incoming, folder);
  } finally {
    rmSync(incoming, { recursive: true, force: true });
  }
  return program;
}
