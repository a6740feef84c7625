import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { longLines } from '../scripts/lib/long-lines.mjs';
import { inRoot } from '../scripts/lib/paths.mjs';
import { run } from '../scripts/lib/process.mjs';
import { refill } from '../scripts/lib/refill.mjs';
import { refillComments } from '../scripts/lib/refill-comments.mjs';

const wrapped = (text: string, width = 30) => refill(text.split('\n'), width).join('\n');
/** What wrapping must not do: change words, leave a line that could be shorter, or want to wrap again what it has wrapped. */
function comments(text: string, width = 40): string {
  const once = refillComments(text, width);
  expect(refillComments(once, width)).toBe(once);
  return once;
}

describe('prose in Markdown', () => {
  test('is filled anew only where a line is too long', () => {
    const short = 'One short line.\nAnd another one, as it was.\n\n';
    expect(wrapped(`${short}This line is longer than thirty columns.\nEnd.`)).toBe(
      `${short}This line is longer than\nthirty columns. End.`,
    );
  });

  test('keeps the indentation of lists, and each item by itself', () => {
    expect(wrapped('- one item that is too long for a line\n- short\n  1. nested and also too long for it')).toBe(
      '- one item that is too long\n  for a line\n- short\n  1. nested and also too long\n     for it',
    );
  });

  test.each([
    ['a table', `| ${'cell '.repeat(10)}|`],
    ['a heading', `## ${'word '.repeat(10)}end`],
    ['code', `\`\`\`sh\n${'word '.repeat(10)}end\n\`\`\``],
    ['code by indentation', `Text.\n\n    ${'word '.repeat(10)}end`],
    ['HTML', `<img alt="${'word '.repeat(10)}end">`],
  ])('leaves %s alone', (_, text) => {
    expect(wrapped(text)).toBe(text);
  });

  test('goes on behind a fence', () => {
    expect(wrapped(`\`\`\`\ncode\n\`\`\`\n${'word '.repeat(7)}end`).split('\n')).toHaveLength(5);
  });

  test('does not tear code, nor begin a line with what would begin a list or a heading', () => {
    expect(wrapped('It says that `npm run this-one` is it.')).toBe('It says that\n`npm run this-one` is it.');
    for (const mark of ['-', '+', '*', '#', '1.', '>', '=']) {
      const text = wrapped(`Twenty-seven columns, then ${mark} something else.`, 28);
      expect(text.replaceAll('\n', ' ')).toBe(`Twenty-seven columns, then ${mark} something else.`);
      expect(text).not.toMatch(new RegExp(`^\\${mark}`, 'm'));
    }
  });

  test('keeps line breaks that are meant', () => {
    const text = 'A line that breaks here:  \nthen one that is too long for the width.';
    expect(wrapped(text).split('\n')[0]).toBe('A line that breaks here:  ');
  });

  test('counts characters, not UTF-16 units', () => {
    const text = `${'🙂'.repeat(14)} ${'🙂'.repeat(15)}`;
    expect(wrapped(text)).toBe(text);
  });
});

describe('comments', () => {
  test('of one line become several', () => {
    expect(comments('  /// What this is, said at some length here.\nint x;')).toBe(
      '  /// What this is, said at some length\n  /// here.\nint x;',
    );
    expect(comments('/** What this is, said at some length. */')).toBe('/**\n * What this is, said at some length.\n */');
  });

  test('have tags in lines of their own once they need several', () => {
    expect(comments('/** What it does. @param {string} text @returns {number} */')).toBe(
      '/**\n * What it does.\n * @param {string} text\n * @returns {number}\n */',
    );
  });

  test('do not mix paragraphs, tags and lists', () => {
    const text =
      '/**\n * A paragraph that is too long for the width of it.\n *\n * Short.\n * @throws Error if it is wrong, and so on and on\n */';
    const paragraph = ' * A paragraph that is too long for the\n * width of it.';
    const tag = ' * @throws Error if it is wrong, and so\n *   on and on';
    expect(comments(text)).toBe(`/**\n${paragraph}\n *\n * Short.\n${tag}\n */`);
  });

  test('that tools read stay as they are', () => {
    for (const text of ['// biome-ignore lint/suspicious/noExplicitAny: whatever', '// NOLINTNEXTLINE(bugprone-something-long-here)']) {
      expect(comments(text)).toBe(text);
    }
  });

  test('are all that changes', () => {
    const code = `const long = 'a string that is much longer than the width';\n/* ${'x '.repeat(30)}*/\nf(); // ${'y '.repeat(30)}end`;
    expect(comments(code)).toBe(code);
  });
});

test('lines are too long from one column more on, unless they cannot be wrapped', () => {
  const at = 'a '.repeat(70);
  expect(longLines(`${at}\n${at}a\n`, false)).toEqual([2]);
  expect(longLines(`| ${at}|`, true)).toEqual([]);
  expect(longLines('a'.repeat(200), true)).toEqual([]);
  expect(longLines(`| ${at}|`, false)).toEqual([1]);
});

test('a linter that cannot fetch what it needs says so, and does not pass', { timeout: 60_000 }, async () => {
  const empty = mkdtempSync(path.join(os.tmpdir(), 'nudging-style-'));
  try {
    const env = { ...process.env, NUDGING_CACHE_DIR: empty, PYTHON: '/no/python' };
    const { code, output } = await run(process.execPath, [inRoot('scripts/lint.mjs')], { env });
    expect([code, output]).toEqual([1, 'nudging: /no/python was not found; its pip fetches clang-format. PYTHON names another one.\n']);
  } finally {
    rmSync(empty, { recursive: true, force: true });
  }
});
