// What keeps the sources in shape. Each formatter writes; each also says which files it would change.
import { readFileSync, writeFileSync } from 'node:fs';
import { clangTool } from './clang-tools.mjs';
import { BuildError } from './errors.mjs';
import { mostColumns } from './long-lines.mjs';
import { inRoot, root } from './paths.mjs';
import { run } from './process.mjs';
import { refill } from './refill.mjs';
import { refillComments } from './refill-comments.mjs';
import { hasComments, isCpp, isMarkdown, sourceFiles } from './source-files.mjs';

/** JavaScript, TypeScript and JSON. @param {readonly string[]} args */
export const biome = (...args) => run(process.execPath, [inRoot('node_modules/@biomejs/biome/bin/biome'), ...args], { cwd: root });

/**
 * Wraps prose in Markdown and in comments.
 * @param {{ write: boolean }} options
 * @returns {Promise<string[]>} the files with prose to wrap
 */
export async function wrapProse({ write }) {
  const files = await sourceFiles(/./);
  return files.filter((file) => {
    const wrap = isMarkdown.test(file) ? wrapMarkdown : hasComments.test(file) ? refillComments : undefined;
    if (wrap === undefined) return false;
    const text = readFileSync(inRoot(file), 'utf8');
    const wrapped = wrap(text, mostColumns);
    if (wrapped !== text && write) writeFileSync(inRoot(file), wrapped);
    return wrapped !== text;
  });
}

/** @param {string} text @param {number} width */
const wrapMarkdown = (text, width) => refill(text.split('\n'), width).join('\n');

/** @param {{ write: boolean }} options @returns {Promise<string[]>} the files that are not formatted */
export async function formatCpp({ write }) {
  const files = await sourceFiles(isCpp);
  const mode = write ? ['-i'] : ['--dry-run', '-Werror', '-ferror-limit=1'];
  const { code, output } = await run(await clangTool('clang-format'), [...mode, ...files], { cwd: root });
  if (code === 0) return [];
  const named = [...output.matchAll(/^(\S[^:\n]*):\d+:\d+: error: code should be clang-formatted/gm)].map(([, file = '']) => file);
  if (write || named.length === 0) throw new BuildError(`clang-format failed:\n${output.trim()}`);
  return [...new Set(named)];
}
