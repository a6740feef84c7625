import { aligned, wordsIn } from './diff.js';
import { element } from './dom.js';

/** @typedef {{ mode: 'base' | 'nudge' | 'aligned', title: string }} Column */

/** @type {readonly Column[]} */
export const columns = [
  { mode: 'base', title: 'Base alone' },
  { mode: 'nudge', title: 'Nudged' },
  { mode: 'aligned', title: 'Aligned alone' },
];

/** Three answers to one question: as they come, and then with the words that they share beside each other. */
export class Columns {
  #table;
  /** @type {HTMLElement[]} */
  #figures = [];
  /** @type {HTMLElement[]} */
  #texts = [];

  /** @param {HTMLElement} table */
  constructor(table) {
    this.#table = table;
  }

  begin() {
    this.#figures = columns.map(() => element('span', { class: 'dim' }));
    this.#texts = columns.map(({ title }) => element('div', { role: 'cell', class: 'cell', 'data-title': title, dir: 'auto' }));
    const heads = columns.map(({ title }, index) =>
      element('div', { role: 'columnheader', class: 'cell' }, title, /** @type {HTMLElement} */ (this.#figures[index])),
    );
    this.#table.replaceChildren(
      element('div', { role: 'row', class: 'row heads' }, ...heads),
      element('div', { role: 'row', class: 'row' }, ...this.#texts),
    );
  }

  /** @param {number} column @param {import('../../types.ts').Piece} piece */
  add(column, { text, source }) {
    this.#texts[column]?.append(column === 1 && source === 'nudge' ? element('span', { class: 'word nudge' }, text) : text);
  }

  /** @param {number} column @param {string} text figures, or what went wrong */
  tell(column, text) {
    const figures = this.#figures[column];
    if (figures) figures.textContent = text;
  }

  /**
   * All three are there.
   *
   * @param {readonly { pieces: import('../../types.ts').Piece[] }[]} answers in the order of the columns
   * @returns {{ same: number, words: number }} words of the nudged answer that both others have at that place, and all of them
   */
  align(answers) {
    const texts = answers.map(({ pieces }) => pieces.filter(({ thinking }) => !thinking));
    const words = texts.map((pieces) => wordsIn(pieces.map(({ text }) => text).join('')));
    const [left = [], middle = [], right = []] = words.map((own) => own.map((word) => word.trim()));
    const { rows, shared } = aligned(left, middle, right);
    const nudged = nudgedIn(texts[1] ?? [], words[1] ?? []);
    let same = 0;
    const made = rows.map(({ in: inside, ranges }) => {
      const all = inside.length === 3;
      if (all)
        same += /** @type {{ from: number, to: number }} */ (ranges[1]).to - /** @type {{ from: number, to: number }} */ (ranges[1]).from;
      const cells = ranges.map(({ from, to }, column) => {
        const title = all ? 'All three' : columns[column]?.title;
        const cell = element('div', { role: 'cell', class: 'cell', 'data-title': title, dir: 'auto' });
        for (let index = from; index < to; index += 1) {
          const text = words[column]?.[index] ?? '';
          const space = text.slice(0, text.length - text.trimStart().length);
          const whose = column === 1 && nudged.has(index) ? 'word nudge' : undefined;
          const isShared = inside.includes(column) || shared[column]?.has(index);
          cell.append(index === from ? '' : space, element(isShared ? 'span' : 'mark', { class: whose }, text.trim()));
        }
        if (from === to) cell.append(element('span', { class: 'dim' }, '–'));
        return cell;
      });
      return element('div', { role: 'row', class: all ? 'row same' : 'row' }, ...cells);
    });
    this.#table.replaceChildren(/** @type {Element} */ (this.#table.firstElementChild), ...made);
    return { same, words: middle.length };
  }
}

/**
 * Which words begin in a piece of the aligned model's.
 * @param {readonly import('../../types.ts').Piece[]} pieces
 * @param {readonly string[]} words
 */
function nudgedIn(pieces, words) {
  /** @type {Set<number>} */
  const nudged = new Set();
  let piece = 0;
  let end = pieces[0]?.text.length ?? 0;
  let at = 0;
  for (const [index, word] of words.entries()) {
    const start = at + word.length - word.trimStart().length;
    while (start >= end && piece + 1 < pieces.length) {
      piece += 1;
      end += pieces[piece]?.text.length ?? 0;
    }
    if (pieces[piece]?.source === 'nudge') nudged.add(index);
    at += word.length;
  }
  return nudged;
}
