import { element } from './dom.js';

/** Where a sentence ends for sure: something follows it. */
const ends = /(?<=[.!?。！？]["')\]]?)\s+|\n+/;

/** Tells screen readers an answer sentence by sentence, and not word by word. The same is the answer as plain text. */
export class Aloud {
  #log;
  #rest = '';

  /** @param {HTMLElement} log a live region */
  constructor(log) {
    this.#log = log;
  }

  clear() {
    this.#rest = '';
    this.#log.replaceChildren();
  }

  /** @param {string} text */
  add(text) {
    const sentences = (this.#rest + text).split(ends);
    this.#rest = sentences.pop() ?? '';
    for (const sentence of sentences) this.#say(sentence);
  }

  end() {
    this.#say(this.#rest);
    this.#rest = '';
  }

  /** @param {string} sentence */
  #say(sentence) {
    if (sentence.trim() !== '') this.#log.append(element('p', {}, sentence.trim()));
  }
}
