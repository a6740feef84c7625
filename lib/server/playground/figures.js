import { howEnded } from '../../explain/sentences.js';
import { element } from './dom.js';

/** @param {number} ms */
const seconds = (ms) => (ms < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`);
/** @param {number} share */
const percent = (share) => `${Math.round(share * 100)} %`;

/** @param {HTMLElement} list @param {readonly [name: string, value: string][]} rows */
function show(list, rows) {
  list.replaceChildren(...rows.map(([name, value]) => element('div', {}, element('dt', {}, name), element('dd', {}, value))));
}

/**
 * An answer on its way.
 * @param {HTMLElement} list
 * @param {{ words: number, nudged: number, ms: number, firstMs: number | undefined }} so
 */
export function showSoFar(list, { words, nudged, ms, firstMs }) {
  show(list, [
    ['Nudged', words === 0 ? '–' : `${percent(nudged / words)} so far`],
    ['Speed', '–'],
    ['First word', firstMs === undefined ? '–' : `after ${seconds(firstMs)}`],
    ['Time', seconds(ms)],
  ]);
}

/** An answer that is whole. @param {HTMLElement} list @param {any} stats @param {number | undefined} firstMs as seen from here */
export function showFigures(list, stats, firstMs) {
  show(list, [
    ['Nudged', `${percent(stats.nudgeRatio)} of ${stats.tokens} tokens`],
    ['Speed', speedOf(stats)],
    ['First word', firstMs === undefined ? '–' : `after ${seconds(firstMs)}`],
    ['Time', seconds(stats.times.total)],
  ]);
}

/** What the engine remembers of the same question it need not decode, and that is no speed. @param {any} stats */
function speedOf({ tokens, times, base, aligned }) {
  if (tokens > 0 && base.decodes + aligned.decodes === 0) return 'from memory';
  return times.total > 0 ? `${Math.round((tokens * 1000) / times.total)} tokens/s` : '–';
}

/** The same in a line, for a column. @param {any} answer @param {boolean} nudge */
export function lineOf({ stats, stopReason }, nudge) {
  const parts = [`${stats.tokens} tokens`, speedOf(stats), ...(nudge ? [`${percent(stats.nudgeRatio)} nudged`] : [])];
  return `${parts.join(', ')}${stopReason === 'end' ? '' : `, ${howEnded(stopReason)}`}`;
}
