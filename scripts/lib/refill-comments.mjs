import { columns, refill } from './refill.mjs';

const lineComment = /^(\s*)(\/\/\/?<?|#)(?: (.*))?$/;
const oneLiner = /^(\s*)\/\*\* (.*?) ?\*\/$/;
const blockBegin = /^(\s*)\/\*\*?(?: (.*))?$/;
/** What tools read must stand where they look for it. */
const directive = /^(?:@ts-|biome-|clang-format |NOLINT|eslint-|prettier-|#!|<reference )/;
/** Several tags may stand in one line as long as it is short. */
const nextTag = /\s+(?=@(?:param|returns?|throws|typedef|property|template|type|override)\b)/;

/**
 * Wraps comments that have lines of their own; code, and comments behind code, are left alone.
 * @param {string} text @param {number} width
 */
export function refillComments(text, width) {
  const lines = text.split('\n');
  /** @type {string[]} */
  const out = [];
  for (let at = 0; at < lines.length; ) {
    const found = lineComments(lines, at, width) ?? blockComment(lines, at, width);
    out.push(...(found?.lines ?? [lines[at] ?? '']));
    at += found?.taken ?? 1;
  }
  return out.join('\n');
}

/** @typedef {{ lines: string[], taken: number } | undefined} Found */

/** @param {readonly string[]} lines @param {number} at @param {number} width @returns {Found} */
function lineComments(lines, at, width) {
  const [, indent, mark] = lineComment.exec(lines[at] ?? '') ?? [];
  if (indent === undefined || mark === undefined) return undefined;
  /** @type {string[]} */
  const content = [];
  for (let i = at; i < lines.length; ++i) {
    const [, indentHere, markHere, text = ''] = lineComment.exec(lines[i] ?? '') ?? [];
    if (indentHere !== indent || markHere !== mark || directive.test(text)) break;
    content.push(text);
  }
  if (content.length === 0) return undefined;
  const prefix = `${indent}${mark}`;
  return { lines: refill(content, width - columns(prefix) - 1).map((line) => `${prefix} ${line}`.trimEnd()), taken: content.length };
}

/** @param {readonly string[]} lines @param {number} at @param {number} width @returns {Found} */
function blockComment(lines, at, width) {
  const first = lines[at] ?? '';
  const [, indentOfOne, whole] = oneLiner.exec(first) ?? [];
  if (indentOfOne !== undefined && whole !== undefined) {
    return columns(first) <= width ? undefined : { lines: blockOf(indentOfOne, whole.split(nextTag), width), taken: 1 };
  }
  const [, indent, begun = ''] = blockBegin.exec(first) ?? [];
  if (indent === undefined || first.includes('*/')) return undefined;
  const end = lines.findIndex((line, index) => index > at && line.includes('*/'));
  const body = end < 0 ? [] : lines.slice(at + 1, end + 1);
  if (end < 0 || ![first, ...body].some((line) => columns(line) > width) || !body.every((line) => /^\s*\*/.test(line))) return undefined;
  const content = body.map((line) => line.replace(/^\s*\*\/?(?!\/) ?/, '').replace(/ ?\*\/$/, ''));
  if (begun !== '') content.unshift(begun);
  if (content.at(-1) === '') content.pop();
  return { lines: blockOf(indent, content, width), taken: end - at + 1 };
}

/** @param {string} indent @param {readonly string[]} content @param {number} width */
function blockOf(indent, content, width) {
  const room = width - columns(indent) - 3;
  const split = content.flatMap((line) => (columns(line) > room ? line.split(nextTag) : [line]));
  return [`${indent}/**`, ...refill(split, room).map((line) => `${indent} * ${line}`.trimEnd()), `${indent} */`];
}
