#!/usr/bin/env node
// Draws what happened to one answer: `node scripts/answer-svg.mjs > docs/answer.svg`.
import { Nudging } from '../dist/index.js';

const question = process.argv[2] ?? 'Take the last letters of "Edith" and "Liam" and concatenate them.';
const nudging = await Nudging.load();
const { pieces, stats, stopReason } = await nudging.generate(question);
await nudging.close();

const character = 8.43;
const lineHeight = 26;
const perLine = 92;
const escaped = (/** @type {string} */ text) => text.replace(/[&<>]/g, (one) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;' })[one] ?? one);

/** @type {string[]} */
const shapes = [];
let column = 0;
let row = 0;
for (const { text, source, topProbability } of pieces) {
  if (column + text.length > perLine) {
    column = 0;
    row += 1;
  }
  const x = 24 + column * character;
  const y = 96 + row * lineHeight;
  const title =
    source === 'base'
      ? `base, p = ${topProbability?.toFixed(2)}`
      : topProbability === undefined
        ? 'nudge'
        : `nudge: the base was at p = ${topProbability.toFixed(2)}`;
  const box =
    source === 'nudge'
      ? `<rect x="${x.toFixed(1)}" y="${y - 16}" width="${(text.length * character).toFixed(1)}" height="22" rx="4" class="nudge"/>`
      : '';
  shapes.push(
    `<g><title>${escaped(title)}</title>${box}<text x="${x.toFixed(1)}" y="${y}" xml:space="preserve">${escaped(text)}</text></g>`,
  );
  column += text.length;
}
const height = 96 + row * lineHeight + 56;
const share = Math.round(stats.nudgeRatio * 100);

const size = `viewBox="0 0 820 ${height}" width="820" height="${height}"`;
const summary = `${stats.tokens} tokens, ${share} % nudged in ${stats.nudges} rounds, ended by: ${stopReason}`;
console.log(`<svg xmlns="http://www.w3.org/2000/svg" ${size} role="img" aria-label="One answer: words from the aligned model are marked">
<style>
  text { font: 14px ui-monospace, Menlo, Consolas, monospace; fill: #e6edf3 }
  .dim { fill: #8b949e } .nudge { fill: #9e6a03 }
</style>
<rect width="100%" height="100%" rx="8" fill="#0d1117"/>
<text x="24" y="36" class="dim">$ npx nudging '${escaped(question)}'</text>
<text x="24" y="62" class="dim">marked: the aligned model (1.1 M parameters); plain: the base (4.3 M)</text>
${shapes.join('\n')}
<text x="24" y="${height - 22}" class="dim">${summary}</text>
</svg>`);
