import { explanationHtml } from '../../explain/html.js';

/**
 * An answer to be taken away.
 *
 * @typedef {object} Taken
 * @property {import('../../explain/explanation.ts').Explanation} explanation
 * @property {object | undefined} answer as the server sent it; missing where it did not come to its end
 * @property {string} model
 */

/** @type {Record<string, (taken: Taken) => string>} */
export const forms = {
  text: ({ explanation }) =>
    explanation.words
      .filter(({ thinking }) => !thinking)
      .map(({ text }) => text)
      .join(''),
  // What `nudging explain FILE` reads.
  json: ({ explanation, answer, model }) => {
    const { question, mode, words, stopReason } = explanation;
    const pieces = words.map(({ text, source, base, thinking }) => ({
      text,
      source,
      ...(base ? { topProbability: base.probability } : {}),
      ...(thinking ? { thinking } : {}),
    }));
    return JSON.stringify(
      { question, model, mode, ...(answer ?? { text: forms['text']?.({ explanation, answer, model }), stopReason, pieces }) },
      null,
      2,
    );
  },
  html: ({ explanation }) => explanationHtml(explanation),
};

/**
 * Puts a text into the clipboard, also where the page is not trusted with it (http of another machine).
 *
 * @param {string} text @throws where the browser refuses
 */
export async function copyText(text) {
  if (navigator.clipboard) return navigator.clipboard.writeText(text);
  const listener = (/** @type {ClipboardEvent} */ event) => {
    event.clipboardData?.setData('text/plain', text);
    event.preventDefault();
  };
  document.addEventListener('copy', listener, { once: true });
  const done = document.execCommand('copy');
  document.removeEventListener('copy', listener);
  if (!done) throw new Error('the browser does not let this page write to the clipboard');
}
