import { stripVTControlCharacters } from 'node:util';

/** Texts for a terminal of some width. */

/** Wider lines are hard to read. */
const widest = 100;
const narrowest = 32;

/** Columns to write for: those of a terminal, and 100 elsewhere. */
export function columnsOf({ isTTY, columns }: { isTTY?: boolean; columns?: number }): number {
  return isTTY && columns ? Math.min(widest, Math.max(narrowest, columns)) : widest;
}

/** Words in lines of at most so many columns; longer words stand alone. Colours take no room. */
export function wrap(text: string, columns: number): string[] {
  const lines: string[] = [];
  let line = '';
  const room = (part: string) => stripVTControlCharacters(part).length;
  for (const word of text.split(' ')) {
    if (line !== '' && room(line) + 1 + room(word) > columns) {
      lines.push(line);
      line = word;
    } else {
      line = line === '' ? word : `${line} ${word}`;
    }
  }
  return [...lines, line];
}

/** Wraps prose. Lines that are indented stay as they are, and empty lines separate paragraphs. Ends with a newline. */
export function prose(text: string, columns: number): string {
  const blocks: string[] = [];
  let paragraph: string[] = [];
  const flush = () => {
    if (paragraph.length > 0) blocks.push(...wrap(paragraph.join(' '), columns));
    paragraph = [];
  };
  for (const line of text.trimEnd().split('\n')) {
    if (line !== '' && !line.startsWith(' ')) paragraph.push(line);
    else {
      flush();
      blocks.push(line);
    }
  }
  flush();
  return `${blocks.join('\n')}\n`;
}

/**
 * A line of a list: what it is about, and from column `indent` on what is said of it. On a narrow terminal the text stands below. Ends with
 * a newline.
 */
export function entry(head: string, text: string, indent: number, columns: number): string {
  const below = columns < indent + 34;
  const start = below ? 6 : indent;
  const lines = text === '' ? [] : wrap(text, columns - start);
  const begun = `  ${head}`;
  if (!below && begun.length < indent) {
    return [`${begun.padEnd(indent)}${lines[0] ?? ''}`.trimEnd(), ...lines.slice(1).map((line) => ' '.repeat(start) + line), ''].join('\n');
  }
  return [...(head === '' ? [] : [begun]), ...lines.map((line) => ' '.repeat(start) + line), ''].join('\n');
}
