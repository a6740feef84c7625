import { readFileSync, writeFileSync } from 'node:fs';
import { tasks } from './eval-questions.mjs';

const begin = '<!-- eval:begin -->';
const end = '<!-- eval:end -->';

/**
 * @param {import('./eval-systems.mjs').Result[]} results
 * @returns {string} Markdown
 */
export function table(results) {
  const lines = [
    '| system | gamma | define % | last letters % | nudge share % (define / letters) | tokens per answer |',
    '|---|---|---|---|---|---|',
  ];
  for (const { name, alone, gamma, scores } of results) {
    const of = (/** @type {'right' | 'nudgedTokens'} */ part, /** @type {'rows' | 'tokens'} */ whole) =>
      tasks.map((task) => ((100 * scores[task][part]) / Math.max(1, scores[task][whole])).toFixed(1));
    const [define, letters] = of('right', 'rows');
    const share = alone ? '–' : of('nudgedTokens', 'tokens').join(' / ');
    const sum = (/** @type {'tokens' | 'rows'} */ key) => tasks.reduce((total, task) => total + scores[task][key], 0);
    lines.push(
      `| ${name} | ${gamma ?? '–'} | ${define} | ${letters} | ${share} | ${(sum('tokens') / Math.max(1, sum('rows'))).toFixed(1)} |`,
    );
  }
  const rows = tasks.map((task) => results[0]?.scores[task].rows ?? 0);
  const asked = `${rows[0]} definitions and ${rows[1]} pairs of last letters for each system`;
  return `${lines.join('\n')}\n\n${asked}; at most 96 tokens an answer, 64 for the base alone.`;
}

/**
 * Replaces what stands between the two marks of a file.
 * @param {string} path
 * @param {string} text
 */
export function writeBetweenMarks(path, text) {
  const content = readFileSync(path, 'utf8');
  const [from, to] = [content.indexOf(begin), content.indexOf(end)];
  if (from === -1 || to < from) throw new Error(`${path} has no "${begin}" with "${end}" behind it: put both back`);
  writeFileSync(path, `${content.slice(0, from + begin.length)}\n${text}\n${content.slice(to)}`);
}
