import { markdownTable } from '../lib/markdown.mjs';

/** @typedef {import('../../scripts/lib/gpu/stress.mjs').Ran} Ran */

const number = (/** @type {number} */ value, digits = 2) => (Number.isFinite(value) ? value.toFixed(digits) : '–');

/** @param {Ran} ran */
export function speedRow({ setting, outcome, died }) {
  if (!outcome) return [setting.name, `died: ${died}`, ...Array.from({ length: 9 }, () => '')];
  const { tokens, ms, firstMs, passes, wrong } = outcome;
  // A pass is counted by each request that has tokens in it, and its time is divided among them. Only where all have the same model are
  // they the engine's passes.
  const alone = setting.ask?.['mode'] === 'base';
  const between = alone ? (ms - passes.baseMs) / (passes.baseDecodes / setting.streams) : Number.NaN;
  return [
    setting.name,
    number((1000 * tokens) / ms, 0),
    number((ms * setting.streams) / tokens),
    number(firstMs, 1),
    number(passes.baseDecodes / tokens),
    number(passes.alignedDecodes / tokens),
    number(passes.baseMs / passes.baseDecodes),
    number(passes.alignedMs / passes.alignedDecodes),
    number(between),
    String(wrong.length),
    died,
  ];
}

/** All runs in one. @param {readonly Ran[]} ran */
export function speedTable(ran) {
  const columns = ['tokens a second', 'ms a token of one stream', 'first text, ms', 'base passes a token', 'aligned'];
  return markdownTable(['', ...columns, 'ms a pass: base', 'aligned', 'ms between passes', 'wrong', ''], ran.map(speedRow));
}
