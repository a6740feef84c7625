import { bars } from '../../explain/strip.js';
import { element, shape } from './dom.js';

/** @typedef {import('../../explain/explanation.ts').Explanation} Explanation */

const height = 96;
const widest = 20;
const narrowest = 3;

/**
 * The probability strip: a bar for each word, and γ as a line to be dragged, or moved with the arrow keys.
 */
export class Strip {
  #figure;
  #onShow;
  #onGamma;
  /** @type {HTMLElement | undefined} */
  #line;
  /** @type {HTMLElement | undefined} */
  #grip;
  /** @type {Map<number, Element>} */
  #bars = new Map();

  /**
   * @param {HTMLElement} figure
   * @param {{ onShow: (word: number, go: boolean) => void, onGamma: (gamma: number) => void }} listeners
   */
  constructor(figure, { onShow, onGamma }) {
    this.#figure = figure;
    this.#onShow = onShow;
    this.#onGamma = onGamma;
  }

  /** @param {Explanation} explanation @param {string} caption */
  draw(explanation, caption) {
    const all = bars(explanation);
    const { gamma } = explanation;
    this.#figure.hidden = all.length === 0;
    const room = Math.max(200, this.#figure.clientWidth - 72);
    const step = Math.min(widest, Math.max(narrowest, Math.floor((room / Math.max(1, all.length)) * 10) / 10));
    const gap = Math.min(2, step / 4);
    this.#bars = new Map(all.map((bar) => [bar.word, barShape(bar, step, gap)]));
    const width = Math.ceil(all.length * step);
    const size = { width, height, viewBox: `0 0 ${width} ${height}` };
    const picture = shape('svg', { ...size, class: 'bars', role: 'img', 'aria-label': caption }, ...this.#bars.values());
    for (const event of ['pointerover', 'click']) picture.addEventListener(event, (happened) => this.#pointed(happened));
    const wide = width > room ? { tabindex: 0, role: 'group', 'aria-label': 'Probability strip, which can be scrolled sideways' } : {};
    const scale = element('div', { class: 'scale dim', 'aria-hidden': 'true' }, ...['1', '0'].map((mark) => element('span', {}, mark)));
    const plot = element('div', { class: 'plot' }, scale, element('div', { class: 'scroll', ...wide }, picture));
    this.#line = undefined;
    if (gamma !== undefined && gamma <= 1) plot.append(this.#ownLine(gamma), this.#dragged(plot, gamma));
    this.#figure.replaceChildren(plot, element('figcaption', { class: 'dim' }, caption));
  }

  /** @param {number} word */
  show(word) {
    for (const bar of this.#figure.querySelectorAll('.on')) bar.classList.remove('on');
    this.#bars.get(word)?.classList.add('on');
  }

  /** @param {number} gamma @param {string} [text] what it means */
  move(gamma, text) {
    place(this.#line, gamma);
    if (this.#grip) this.#grip.textContent = `γ ${gamma.toFixed(2)}`;
    this.#line?.setAttribute('aria-valuenow', String(gamma));
    this.#line?.setAttribute('aria-valuetext', text ?? gamma.toFixed(2));
  }

  /** @param {Event} event */
  #pointed(event) {
    const bar = event.target instanceof Element ? event.target.closest('[data-word]') : null;
    if (bar) this.#onShow(Number(bar.getAttribute('data-word')), event.type === 'click');
  }

  /** Where γ was. @param {number} gamma */
  #ownLine(gamma) {
    const line = element('div', { class: 'own-gamma', 'aria-hidden': 'true' });
    place(line, gamma);
    return line;
  }

  /** @param {HTMLElement} plot @param {number} own */
  #dragged(plot, own) {
    const grip = element('span', { class: 'grip' });
    const line = element(
      'div',
      {
        class: 'gamma-line',
        role: 'slider',
        tabindex: 0,
        'aria-label': 'γ along this answer',
        'aria-orientation': 'vertical',
        'aria-valuemin': 0,
        'aria-valuemax': 1,
      },
      grip,
    );
    this.#line = line;
    this.#grip = grip;
    this.move(own);
    const set = (/** @type {number} */ gamma) => this.#onGamma(Math.round(Math.min(1, Math.max(0, gamma)) * 100) / 100);
    let grabbed = 0;
    const at = (/** @type {PointerEvent} */ event) => 1 - (event.clientY - grabbed - plot.getBoundingClientRect().top) / height;
    line.addEventListener('pointerdown', (event) => {
      // Where on the line it is grabbed must not make it jump.
      const { top, height: tall } = line.getBoundingClientRect();
      grabbed = event.clientY - (top + tall / 2);
      line.setPointerCapture(event.pointerId);
      line.classList.add('dragged');
      line.focus({ preventScroll: true });
      event.preventDefault();
    });
    line.addEventListener('pointermove', (event) => {
      if (line.hasPointerCapture(event.pointerId)) set(at(event));
    });
    line.addEventListener('lostpointercapture', () => line.classList.remove('dragged'));
    line.addEventListener('keydown', (event) => {
      const now = Number(line.getAttribute('aria-valuenow'));
      /** @type {Record<string, number>} */
      const steps = { ArrowUp: 0.01, ArrowRight: 0.01, ArrowDown: -0.01, ArrowLeft: -0.01, PageUp: 0.1, PageDown: -0.1, Home: -1, End: 1 };
      const by = steps[event.key];
      if (by === undefined || event.ctrlKey || event.altKey || event.metaKey) return;
      event.preventDefault();
      set(now + by);
    });
    return line;
  }
}

/** @param {HTMLElement | undefined} line @param {number} gamma */
function place(line, gamma) {
  line?.style.setProperty('top', `${(1 - gamma) * height}px`);
}

/** @param {import('../../explain/strip.ts').Bar} bar @param {number} step @param {number} gap */
function barShape({ word, source, probability }, step, gap) {
  const left = word * step + gap / 2;
  if (probability === undefined)
    return shape('circle', {
      class: 'bar none',
      'data-word': word,
      cx: left + (step - gap) / 2,
      cy: height - 3.5,
      r: Math.min(2.5, step / 3),
    });
  const tall = Math.max(1, probability * height);
  const kind = source === 'nudge' ? 'bar nudged' : 'bar';
  return shape('rect', { class: kind, 'data-word': word, x: left, y: height - tall, width: step - gap, height: tall });
}
