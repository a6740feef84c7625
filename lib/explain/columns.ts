/** How wide texts are where every letter has the same width: on terminals and in pictures. */

const none = /^[\p{Mn}\p{Me}\p{Cf}]$/u;
/** East Asian wide and full-width letters, and emoji. */
const two = new RegExp(
  `^[${[
    ['1100', '115f'],
    ['2e80', '303e'],
    ['3041', 'a4cf'],
    ['ac00', 'd7a3'],
    ['f900', 'faff'],
    ['fe30', 'fe4f'],
    ['ff00', 'ff60'],
    ['ffe0', 'ffe6'],
    ['1f300', '1faff'],
    ['20000', '3fffd'],
  ]
    .map(([from, to]) => `\\u{${from}}-\\u{${to}}`)
    .join('')}]$`,
  'u',
);

/** Columns of one code point: 0, 1 or 2. */
export function columnsOfCharacter(character: string): number {
  return none.test(character) ? 0 : two.test(character) ? 2 : 1;
}

export function columnsOfText(text: string): number {
  let columns = 0;
  for (const character of text) columns += columnsOfCharacter(character);
  return columns;
}

/** A part of a text on one line. */
export interface Stretch {
  /** Which of the texts it is of. */
  index: number;
  text: string;
  /** Columns in front of it on its line. */
  column: number;
}

/**
 * Sets texts one behind the other into lines of at most so many columns. Lines end at new lines, before a word that does not fit, and
 * inside words that are longer than a line. A space at the end of a line is left out.
 */
export function layout(texts: readonly string[], columns: number): Stretch[][] {
  const lines: Stretch[][] = [[]];
  let column = 0;
  const begin = () => {
    lines.push([]);
    column = 0;
  };
  const put = (index: number, text: string) => {
    const line = lines[lines.length - 1] as Stretch[];
    const last = line[line.length - 1];
    if (last?.index === index) last.text += text;
    else line.push({ index, text, column });
    column += columnsOfText(text);
  };
  /** Columns of what follows up to the next space, over the ends of texts. */
  const restOfWord = (from: number, rest: string): number => {
    let width = 0;
    for (let index = from; index < texts.length && width <= columns; index += 1) {
      const text = index === from ? rest : (texts[index] as string);
      const end = text.search(/\s/);
      width += columnsOfText(end === -1 ? text : text.slice(0, end));
      if (end !== -1) break;
    }
    return width;
  };
  for (const [index, text] of texts.entries()) {
    for (const { 0: part, index: at } of text.matchAll(/\r?\n|[^\S\n]|[^\s]+/g)) {
      if (part.endsWith('\n')) begin();
      else if (/^\s/.test(part)) {
        const word = restOfWord(index, text.slice(at + part.length));
        if (column + 1 + word > columns && word > 0 && column > 0) begin();
        else if (column < columns) put(index, ' ');
      } else {
        for (const character of part) {
          if (column + columnsOfCharacter(character) > columns) begin();
          put(index, character);
        }
      }
    }
  }
  return lines;
}
