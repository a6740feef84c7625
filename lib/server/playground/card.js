import { p, quoted, saying, whyWord } from '../../explain/sentences.js';
import { wouldBe } from './along.js';
import { element } from './dom.js';

/** @typedef {import('../../explain/explanation.ts').Explanation} Explanation */

const sources = { base: 'the base', nudge: 'the aligned model', mix: 'the models together' };

/**
 * What is known of one word.
 *
 * @param {HTMLElement} card @param {Explanation} explanation @param {number} index
 * @param {{ whole: boolean, gamma: number | undefined }} about `whole`: whether the answer came to its end, with all reasons; `gamma`: the
 * one to which the line was moved
 */
export function showCard(card, explanation, index, { whole, gamma }) {
  const word = explanation.words[index];
  card.hidden = !word;
  if (!word) return;
  const { text, source, base, round } = word;
  const nudged = explanation.mode === 'nudge' && source === 'nudge';
  const would = gamma === undefined || gamma === explanation.gamma ? source : wouldBe(word, gamma);
  /** @type {[name: string, value: string][]} */
  const rows = [
    ['word', quoted(text)],
    ['from', sources[source]],
    ...(base && nudged ? [/** @type {[string, string]} */ (['the base would have said', saying(base)])] : []),
    ...(base ? [/** @type {[string, string]} */ (['sure of it', sureness(base)])] : []),
    ...(whole ? [/** @type {[string, string]} */ (['round', `${round + 1} of ${explanation.rounds.length}`])] : []),
    ...(would === source ? [] : [/** @type {[string, string]} */ ([`at γ ${gamma?.toFixed(2)}`, `${sources[would]}'s`])]),
  ];
  const why = whole ? whyWord(word, explanation) : whyUnknown(word);
  card.replaceChildren(
    element('p', { id: 'why' }, why),
    element('dl', {}, ...rows.map(([name, value]) => element('div', {}, element('dt', {}, name), element('dd', { dir: 'auto' }, value)))),
  );
}

/** How to get one. @param {HTMLElement} card */
export function showHint(card) {
  card.hidden = false;
  card.replaceChildren(
    element('p', { class: 'dim' }, 'Point at a word, or move to one with the Tab and arrow keys, to see why it is there.'),
  );
}

/** @param {import('../../explain/explanation.ts').BaseSays} base */
function sureness({ probability, margin }) {
  return `${p(probability)}${margin === undefined || !Number.isFinite(margin) ? '' : `, margin ${margin.toFixed(2)}`}`;
}

/** @param {import('../../explain/explanation.ts').ExplainedWord} word */
function whyUnknown({ source }) {
  return `${source === 'nudge' ? "The aligned model's word" : source === 'base' ? "The base's word" : 'Chosen together'}. \
The reasons come with the end of an answer, and this one has none yet.`;
}
