import { readFileSync } from 'node:fs';
import path from 'node:path';
import { inRoot } from './paths.mjs';
import { pipTool } from './pip-tool.mjs';

/**
 * The path of a clang tool: versions format and warn differently, so one is pinned.
 * @param {'clang-format' | 'clang-tidy'} name
 */
export async function clangTool(name) {
  /** @type {Record<string, { version: string, sha256: string[] }>} */
  const pins = JSON.parse(readFileSync(inRoot('scripts/lib/clang-tools.json'), 'utf8'));
  const { version = '', sha256 = [] } = pins[name] ?? {};
  const folder = await pipTool('clang', { name, version, sha256 });
  return path.join(folder, name.replace('-', '_'), 'data/bin', process.platform === 'win32' ? `${name}.exe` : name);
}
