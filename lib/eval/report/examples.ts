import type { AnswerRow } from '../rows.ts';
import { isRight, type Summary } from '../summary.ts';
import { escaped } from '../../explain/escape.ts';
import { disagreements } from './disagreements.ts';
import { systemLabel } from './numbers.ts';

const mostExamples = 8;
/** An answer that went in circles to its limit would fill the page. */
const mostCharacters = 1600;

/** Questions on which the systems differ, with the words of the aligned model marked. Empty if they do not differ. */
export function examplesHtml(summary: Summary): string {
  const groups = disagreements(summary, mostExamples);
  if (groups.length === 0) return '';
  const alone = new Set(summary.systems.filter(({ mode }) => ['base', 'aligned', 'large'].includes(mode)).map(({ name }) => name));
  const about =
    'Questions that some systems got right and others did not. In answers of both models, what the aligned model wrote is ' +
    '<mark>marked like this</mark>, with a dotted line below.';
  return `<h2>Where they differ</h2><p class="about">${about}</p>${groups.map((rows) => exampleHtml(rows, alone)).join('')}`;
}

function exampleHtml(rows: readonly AnswerRow[], alone: ReadonlySet<string>): string {
  const [{ task = '', question = '', gold = '' } = {}] = rows;
  const answers = rows.map((row) => answerHtml(row, alone.has(row.system))).join('');
  return `<div class="example"><h3>${escaped(task)}</h3><div class="question" dir="auto">${escaped(shortened(question))}</div>
<p class="about">Expected: ${escaped(shortened(gold))}</p>${answers}</div>`;
}

function answerHtml(row: AnswerRow, alone: boolean): string {
  const verdict = isRight(row) ? '<b class="right">✓ right</b>' : '<b class="wrong">✗ wrong</b>';
  const read = row.score?.read === undefined ? '' : `<span>read as ${escaped(row.score.read)}</span>`;
  const ended = row.stopReason === 'end' ? '' : `<span>ended by ${escaped(row.stopReason)}</span>`;
  return `<div class="of"><div class="who">${escaped(systemLabel(row.system))} ${verdict}${read}${ended}</div>
<div class="answer" dir="auto">${piecesHtml(row.pieces, alone)}</div></div>`;
}

function piecesHtml(pieces: AnswerRow['pieces'], alone: boolean): string {
  let left = mostCharacters;
  const parts: string[] = [];
  for (const [source, text] of pieces) {
    if (left <= 0) break;
    const shown = text.slice(0, left);
    left -= shown.length;
    // White space at the ends would be marked as if it were a word.
    const [, before = '', words = '', after = ''] = /^(\s*)(.*?)(\s*)$/s.exec(shown) ?? [];
    parts.push(source === 'n' && !alone && words !== '' ? `${before}<mark>${escaped(words)}</mark>${after}` : escaped(shown));
  }
  return parts.join('') + (left <= 0 ? ' …' : '') || '<span class="about">(empty)</span>';
}

const shortened = (text: string) => (text.length > mostCharacters ? `${text.slice(0, mostCharacters)} …` : text);
