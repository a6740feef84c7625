import type { Choice, Question } from '../task.ts';
import { finalAnswer, plain } from './final-answer.ts';
import { scoreOf, type Score, type Scorer } from './score.ts';

/**
 * Multiple choice. Stated: behind "answer is" or "answer:", or at the very beginning, stands an option's label or its text. Inferred: the
 * last label that stands by itself, or else the one option whose text occurs. Ambiguous: several were named and none was declared; the
 * lenient reading takes the last.
 */
export const choice: Scorer = (answer, question) => {
  const choices = question.choices ?? [];
  const wanted = question.gold.slice(0, question.gold.indexOf('.'));
  const of = (found: Score['found'], label: string | undefined) => scoreOf(found, label, label === wanted);
  const text = plain(answer).trim();

  const declared = finalAnswer(text);
  if (declared !== undefined) {
    const other = alternative(declared, question);
    if (other !== undefined) return of('ambiguous', other);
    const named = labelled(declared, choices) ?? spelledOut(declared, choices);
    if (named !== undefined) return of('stated', named);
  }
  const first = text.split('\n', 1)[0] ?? '';
  const labels = [...new Set(labelsIn(text, choices))];
  const opening = labelled(first, choices) ?? choices.find((each) => same(first, each.text))?.label;
  // A text that begins with one label and goes on to others lists the options.
  if (declared === undefined && opening !== undefined && labels.every((label) => label === opening)) return of('stated', opening);
  const last = labelsIn(text, choices).at(-1);
  if (last !== undefined) return of(labels.length > 1 ? 'ambiguous' : 'inferred', last);
  const spelled = choices.filter((each) => holds(text, each.text));
  const latest = spelled.sort((one, other) => position(text, one.text) - position(text, other.text)).at(-1);
  if (latest === undefined) return of('missing', undefined);
  return of(spelled.length > 1 ? 'ambiguous' : 'inferred', latest.label);
};

const escaped = (text: string) => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
const position = (text: string, part: string) => text.toLowerCase().lastIndexOf(part.toLowerCase());

function holds(text: string, part: string): boolean {
  return new RegExp(`(?<![\\p{L}\\p{N}])${escaped(part.trim())}(?![\\p{L}\\p{N}])`, 'iu').test(text);
}

const same = (line: string, text: string) => line.replace(/[\s.!]+$/, '').toLowerCase() === text.trim().toLowerCase();
const opened = (line: string) => line.replace(/^(?:option|choice|letter|indeed)\s+/i, '').replace(/^["'“‘([\s]+/, '');

/** The option whose label a line begins with: "B", "(B)", "option B.", or "B" with its text. */
function labelled(line: string, choices: readonly Choice[]): string | undefined {
  const said = opened(line);
  return choices.find(({ label, text }) => {
    if (!said.startsWith(label)) return false;
    const rest = said.slice(label.length);
    // "A bank" begins with an article, "A." and "A) bank" with a label.
    return /^["'”’)\]]*(?:[.):,;!?]|$)/.test(rest) || holds(rest.slice(0, text.length + 4), text);
  })?.label;
}

/** The option whose text a line begins with, perhaps behind an article; the longest, where one text begins another. */
function spelledOut(line: string, choices: readonly Choice[]): string | undefined {
  const begins = ({ text }: Choice) =>
    new RegExp(`^(?:(?:an?|the)\\s+)?${escaped(text.trim())}(?![\\p{L}\\p{N}])`, 'iu').test(opened(line));
  return choices.filter(begins).sort((one, other) => other.text.length - one.text.length)[0]?.label;
}

/** Another option that a line offers beside its first one: "A or B". */
function alternative(line: string, { choices = [] }: Question): string | undefined {
  const labels = choices.map(({ label }) => escaped(label)).join('|');
  return new RegExp(`^\\W*(?:${labels})\\)?\\s*(?:or|and|/|,)\\s*\\(?(${labels})(?![\\p{L}\\p{N}])`, 'u').exec(line)?.[1];
}

/** Labels that stand by themselves, closed by a mark or the end of a line, so that articles and "I" are none. */
function labelsIn(text: string, choices: readonly Choice[]): string[] {
  const labels = choices.map(({ label }) => escaped(label)).join('|');
  const pattern = new RegExp(`(?<![\\p{L}\\p{N}'’.,])\\(?(${labels})(?=\\)|[.:;!?,](?:\\s|$)|\\s*$)`, 'gmu');
  return [...text.matchAll(pattern)].map(([, label]) => label as string);
}
