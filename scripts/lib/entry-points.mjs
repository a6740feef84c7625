import { readFileSync } from 'node:fs';
import { inRoot } from './paths.mjs';

/**
 * @typedef {object} EntryPoint
 * @property {string} name         as somebody imports it
 * @property {string} source       absolute paths, as the next one
 * @property {string} declaration  what it compiles to
 */

/** What package.json exports and is code, the main entry first. @returns {EntryPoint[]} */
export function entryPoints() {
  /** @type {{ name: string, exports: Record<string, string | Record<string, string>> }} */
  const { name, exports } = JSON.parse(readFileSync(inRoot('package.json'), 'utf8'));
  return Object.entries(exports).flatMap(([key, target]) => {
    const file = typeof target === 'string' ? target : (target.default ?? '');
    if (!file.endsWith('.js')) return [];
    return {
      name: key.replace(/^\./, name),
      source: inRoot(file.replace('./dist/', 'lib/').replace(/\.js$/, '.ts')),
      declaration: inRoot(file.replace(/\.js$/, '.d.ts')),
    };
  });
}
