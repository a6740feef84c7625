import { columns } from './refill.mjs';

export const mostColumns = 140;

/**
 * Numbers of the lines that are too long, from 1. A table's rows cannot be wrapped, nor a line that is one word.
 * @param {string} text @param {boolean} isMarkdown
 */
export function longLines(text, isMarkdown) {
  const canBeWrapped = (/** @type {string} */ line) => !(isMarkdown && (/^\s*\|/.test(line) || !/\S\s+\S/.test(line)));
  return text.split('\n').flatMap((line, index) => (columns(line) > mostColumns && canBeWrapped(line) ? [index + 1] : []));
}
