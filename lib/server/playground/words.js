import { element } from './dom.js';

/** @typedef {import('../../explain/explanation.ts').ExplainedWord} ExplainedWord */

/** What a word without letters is called. @param {string} text */
function nameOfBlank(text) {
  return text.includes('\n') ? 'new line' : text === '' ? 'nothing' : 'space';
}

/** Whose a word is, and how sure the base was, as classes. @param {Pick<ExplainedWord, 'text' | 'source' | 'base'>} word */
export function classOf({ text, source, base }) {
  const sure = source !== 'nudge' && base ? ` s${Math.min(4, Math.floor(base.probability * 5))}` : '';
  return `word ${source}${sure}${text.trim() === '' ? ' blank' : ''}`;
}

/**
 * An answer's words, one of which is shown in more detail. Only one is a stop of the Tab key; arrow keys move among them, Home and End go
 * to the first and the last.
 */
export class Words {
  /** @type {HTMLElement[]} */
  #words = [];
  #list;
  #onShow;
  /** @type {number | undefined} */
  shown;

  /** @param {HTMLElement} list @param {(index: number) => void} onShow called when a word is pointed at or moved to */
  constructor(list, onShow) {
    this.#list = list;
    this.#onShow = onShow;
    const indexOf = (/** @type {Event} */ event) => {
      const word = event.target instanceof Element ? event.target.closest('[role=option]') : null;
      return word instanceof HTMLElement ? Number(word.dataset['word']) : undefined;
    };
    const show = (/** @type {Event} */ event) => {
      const index = indexOf(event);
      if (index !== undefined) this.show(index);
    };
    list.addEventListener('focusin', show);
    list.addEventListener('pointerover', show);
    list.addEventListener('click', (event) => {
      const index = indexOf(event);
      if (index !== undefined) this.go(index);
    });
    list.addEventListener('keydown', (event) => {
      const index = indexOf(event);
      if (index === undefined || event.ctrlKey || event.altKey || event.metaKey) return;
      const [next, last] = [index + 1, index - 1];
      /** @type {Record<string, number>} */
      const places = { ArrowRight: next, ArrowDown: next, ArrowLeft: last, ArrowUp: last, Home: 0, End: this.#words.length - 1 };
      const to = places[event.key];
      if (to === undefined) return;
      event.preventDefault();
      this.go(to);
    });
  }

  clear() {
    this.#words = [];
    this.shown = undefined;
    this.#list.replaceChildren();
  }

  /** @param {ExplainedWord} word which comes behind the others */
  add(word) {
    const index = this.#words.length;
    const group = this.#list.lastElementChild;
    const round = String(word.round + 1);
    const into =
      group instanceof HTMLElement && group.dataset['round'] === round
        ? group
        : element('span', { class: 'round', role: 'group', 'aria-label': `round ${round}`, 'data-round': round });
    if (into !== group) this.#list.append(into);
    const made = element('span', {
      class: classOf(word),
      role: 'option',
      id: `w${index}`,
      'data-word': index,
      tabindex: index === 0 ? 0 : -1,
      'aria-label': word.text.trim() === '' ? nameOfBlank(word.text) : undefined,
    });
    made.append(word.text);
    into.append(made);
    this.#words.push(made);
  }

  /** All words anew. Whoever was at one of them stays there. @param {readonly ExplainedWord[]} words */
  replace(words) {
    const { shown } = this;
    const focused = this.#list.contains(document.activeElement);
    this.clear();
    for (const word of words) this.add(word);
    if (shown !== undefined && focused) this.go(shown);
    else if (shown !== undefined) this.show(shown);
  }

  /** @param {number} index */
  show(index) {
    const word = this.#words[index];
    if (!word) return;
    const before = this.shown === undefined ? undefined : this.#words[this.shown];
    before?.removeAttribute('aria-selected');
    before?.classList.remove('on');
    this.shown = index;
    word.setAttribute('aria-selected', 'true');
    word.setAttribute('aria-describedby', 'why');
    word.classList.add('on');
    this.#onShow(index);
  }

  /** Moves to a word. @param {number} index */
  go(index) {
    const word = this.#words[index];
    if (!word) return;
    for (const other of this.#words) other.tabIndex = -1;
    word.tabIndex = 0;
    word.focus({ preventScroll: false });
  }

  /** Marks whose words would be others'. @param {readonly number[]} nudged @param {readonly number[]} based */
  mark(nudged, based) {
    for (const word of this.#list.querySelectorAll('.would-nudge, .would-base')) word.classList.remove('would-nudge', 'would-base');
    for (const index of nudged) this.#words[index]?.classList.add('would-nudge');
    for (const index of based) this.#words[index]?.classList.add('would-base');
  }
}
