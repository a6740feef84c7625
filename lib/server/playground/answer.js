import { explanationOf } from '../../explain/explanation.js';
import { savedAnswer } from '../../explain/saved.js';
import { meaningOf, summary } from '../../explain/sentences.js';
import { alongAt, alongText } from './along.js';
import { Aloud } from './aloud.js';
import { showCard, showHint } from './card.js';
import { byId } from './dom.js';
import { showFigures, showSoFar } from './figures.js';
import { showRounds } from './rounds.js';
import { Strip } from './strip.js';
import { Words } from './words.js';

/** @typedef {import('../../explain/explanation.ts').Explanation} Explanation */

/** The answer that is shown: first as it comes, then with its reasons. */
export class AnswerView {
  #aloud = new Aloud(byId('said'));
  #words = new Words(byId('words'), (index) => this.#show(index));
  #strip = new Strip(byId('strip'), {
    onShow: (index, go) => (go ? this.#words.go(index) : this.#words.show(index)),
    onGamma: (gamma) => this.moveGamma(gamma),
  });
  #again = byId('again', HTMLButtonElement);
  /** With thinking. @type {Explanation | undefined} */
  #whole;
  /** What stands in the list of words: without it. @type {Explanation} */
  #shown = nothing('');
  /** @type {import('../../types.ts').Piece[]} */
  #pieces = [];
  #question = '';
  #model = '';
  #began = 0;
  /** @type {number | undefined} */
  #firstMs;
  /** @type {object | undefined} */
  #answer;
  /** Where the line is. @type {number | undefined} */
  #gamma;

  /** @param {(gamma: number) => void} onAgain called when the answer is wanted with another γ */
  constructor(onAgain) {
    this.#again.addEventListener('click', () => this.#gamma !== undefined && onAgain(this.#gamma));
    let wide = 0;
    new ResizeObserver(([entry]) => {
      const { width = 0 } = entry?.contentRect ?? {};
      // Drawn anew the line would be lost to who drags it, and other heights come of its dragging.
      if (width !== wide) this.#drawStrip();
      wide = width;
    }).observe(byId('shown'));
  }

  /** @param {string} question @param {string} model */
  begin(question, model) {
    this.#pieces = [];
    this.#question = question;
    this.#model = model;
    this.#began = performance.now();
    this.#firstMs = undefined;
    this.#answer = undefined;
    this.#whole = undefined;
    this.#gamma = undefined;
    this.#shown = nothing(question);
    this.#words.clear();
    this.#aloud.clear();
    byId('thinking').replaceChildren();
    for (const id of ['empty', 'strip', 'along', 'card', 'rounds', 'copies', 'thinking-part']) byId(id).hidden = true;
    byId('shown').hidden = false;
    this.#tell();
  }

  /** @param {import('../../types.ts').Piece} piece */
  add(piece) {
    this.#firstMs ??= performance.now() - this.#began;
    this.#pieces.push(piece);
    if (piece.thinking) {
      byId('thinking-part').hidden = false;
      byId('thinking').append(piece.text);
    } else {
      const { words } = explanationOf({ pieces: [piece], rounds: [], stopReason: 'aborted' });
      this.#shown.words.push(...words);
      for (const word of words) this.#words.add(word);
      this.#aloud.add(piece.text);
    }
    this.#tell();
  }

  /** The answer's end. @param {any} answer as the server sent it */
  end(answer) {
    const { answer: explainable, asked } = savedAnswer(answer);
    this.#answer = answer;
    this.#finish(explanationOf(explainable, { ...asked, question: this.#question, mode: 'nudge' }));
    showFigures(byId('figures'), answer.stats, this.#firstMs);
    showRounds(byId('rounds'), this.#shown);
    byId('state').textContent = summary(this.#shown);
  }

  /** It does not come to its end: what is there stays. @param {boolean} wanted */
  breakOff(wanted) {
    const nothing = this.#pieces.length === 0;
    byId('state').textContent = wanted ? 'Stopped.' : nothing ? 'No answer.' : 'Broken off.';
    if (nothing) return;
    this.#finish(explanationOf({ pieces: this.#pieces, rounds: [], stopReason: 'aborted' }, { question: this.#question }));
    this.#tell();
  }

  /** @returns {import('./copy.js').Taken | undefined} */
  taken() {
    return this.#whole && { explanation: this.#whole, answer: this.#answer, model: this.#model };
  }

  /** @param {number} gamma to which the line goes */
  moveGamma(gamma) {
    const own = this.#shown.gamma;
    if (own === undefined) return;
    this.#gamma = gamma;
    const { nudged, based } = alongAt(this.#shown.words, gamma);
    const text = alongText(this.#shown.words, gamma, own);
    this.#words.mark(nudged, based);
    this.#strip.move(gamma, `${gamma}. ${text}`);
    byId('along-text').textContent = text;
    byId('along-legend').hidden = nudged.length + based.length === 0;
    this.#again.disabled = gamma === own;
    this.#again.textContent = `Ask again with γ ${gamma.toFixed(2)}`;
    if (this.#words.shown !== undefined) this.#show(this.#words.shown);
  }

  /** @param {Explanation} explanation */
  #finish(explanation) {
    this.#aloud.end();
    this.#whole = explanation;
    this.#shown = { ...explanation, words: explanation.words.filter(({ thinking }) => !thinking) };
    showHint(byId('card'));
    this.#words.replace(this.#shown.words);
    this.#drawStrip();
    byId('copies').hidden = false;
  }

  #drawStrip() {
    if (!this.#whole) return;
    const about = this.#answer
      ? meaningOf(this.#shown).replace(', in tenths of its probability', '')
      : 'how sure the base was of its words';
    this.#strip.draw(
      this.#shown,
      `At each word: ${about}. Filled bars: the base's words; outlined: the aligned model's; dots: nobody asked.`,
    );
    const { gamma } = this.#shown;
    const isDragged = this.#answer !== undefined && gamma !== undefined && gamma <= 1;
    byId('along').hidden = !isDragged;
    if (isDragged) this.moveGamma(this.#gamma ?? gamma);
    if (this.#words.shown !== undefined) this.#strip.show(this.#words.shown);
  }

  /** @param {number} index */
  #show(index) {
    this.#strip.show(index);
    showCard(byId('card'), this.#shown, index, { whole: this.#answer !== undefined, gamma: this.#gamma });
  }

  #tell() {
    const words = this.#pieces.filter(({ text }) => text.trim() !== '');
    const nudged = words.filter(({ source }) => source === 'nudge').length;
    showSoFar(byId('figures'), { words: words.length, nudged, ms: performance.now() - this.#began, firstMs: this.#firstMs });
  }
}

/** @param {string} question @returns {Explanation} */
function nothing(question) {
  return explanationOf({ pieces: [], rounds: [], stopReason: 'aborted' }, { question });
}
