// Wraps prose. Only a paragraph with a line that is too long is filled anew: all others stay as their author broke them, so that a changed
// word moves no line that it need not move.

/** What would begin something else than a word if it stood first in a line: a list, a heading, a quotation, a table, a rule, a doc tag. */
const beginsBlock = /^(?:[-+*=]|#{1,6}|\d+[.)]|>.*|\|.*|```.*|~~~.*|[-=*_]{3,}|@\w+)$/;
const listItem = /^(\s*)([-+*]|\d+[.)])(\s+)(?=\S)/;
const docTag = /^(\s*)@\w+/;
const fence = /^\s*(```|~~~)/;
/** Left as it is: headings, tables, HTML, link definitions, rules. */
const verbatim = /^\s*(?:#{1,6}\s|\||<[a-zA-Z!/]|\[[^\]]+\]:\s|[-=*_]{3,}\s*$)/;

/** Columns, as far as text here needs them: characters, not UTF-16 units. @param {string} text */
export const columns = (text) => [...text].length;

/**
 * @param {readonly string[]} lines Markdown, or what stands in a comment
 * @param {number} width in columns
 * @returns {string[]}
 */
export function refill(lines, width) {
  /** @type {string[]} */
  const out = [];
  /** @type {string[]} */
  let paragraph = [];
  const flush = () => {
    out.push(...(paragraph.some((line) => columns(line) > width) ? fill(paragraph, width) : paragraph));
    paragraph = [];
  };
  let fenced = '';
  for (const line of lines) {
    const [, mark = ''] = fence.exec(line) ?? [];
    if (fenced !== '' || mark !== '' || line.trim() === '' || verbatim.test(line) || isIndentedCode(line, paragraph)) {
      flush();
      out.push(line);
      if (mark !== '' && (fenced === '' || fenced === mark)) fenced = fenced === '' ? mark : '';
      continue;
    }
    if (!continues(line, paragraph)) flush();
    paragraph.push(line);
    // Two spaces at the end of a line are a line break in Markdown.
    if (/ {2}$|\\$/.test(line)) flush();
  }
  flush();
  return out;
}

/** @param {string} line @param {readonly string[]} paragraph */
const isIndentedCode = (line, paragraph) => paragraph.length === 0 && /^ {4,}\S/.test(line) && !listItem.test(line);

/** @param {string} text */
const indentOf = (text) => columns(/^\s*/.exec(text)?.[0] ?? '');

/** @param {string} line @param {readonly string[]} paragraph */
function continues(line, paragraph) {
  const [first, second] = paragraph;
  if (first === undefined || listItem.test(line) || docTag.test(line)) return false;
  if (second !== undefined) return indentOf(line) === indentOf(second);
  return listItem.test(first) || docTag.test(first) ? indentOf(line) >= indentOf(first) : indentOf(line) === indentOf(first);
}

/** @param {readonly string[]} paragraph @param {number} width */
function fill(paragraph, width) {
  const [first = '', second] = paragraph;
  const [item = ''] = listItem.exec(first) ?? [];
  const lead = item || (/^\s*/.exec(first)?.[0] ?? '');
  const hanging = second !== undefined ? indentOf(second) : docTag.test(first) ? indentOf(first) + 2 : columns(lead);
  /** @type {string[]} */
  const out = [];
  let line = lead;
  let isEmpty = true;
  for (const word of wordsOf([first.slice(lead.length), ...paragraph.slice(1)].join(' '))) {
    if (!isEmpty && columns(line) + 1 + columns(word) > width) {
      out.push(line);
      line = ' '.repeat(hanging);
      isEmpty = true;
    }
    line += isEmpty ? word : ` ${word}`;
    isEmpty = false;
  }
  return [...out, line];
}

/**
 * Words, and what must not be torn: code between backticks, types between braces, and a word together with the one before it that would
 * begin a list or the like. @param {string} text
 */
function wordsOf(text) {
  /** @type {string[]} */
  const words = [];
  for (const part of text.match(/(?:`+[^`]*`+|\{(?:[^{}]|\{[^{}]*\})*\}|\S)+/g) ?? []) {
    if (words.length > 0 && beginsBlock.test(part)) words.push(`${words.pop()} ${part}`);
    else words.push(part);
  }
  return words;
}
