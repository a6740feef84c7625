import { columnsOfText, layout } from './columns.ts';
import type { ExplainedWord, Explanation } from './explanation.ts';
import { hasMarks, meaningOf, p, quoted, saying, summary, whyRound, whyRunEnded } from './sentences.ts';

/** What an explanation for a terminal looks like. */
export interface TextOptions {
  /** Columns of the terminal. Default 80. */
  columns?: number;
  /** Styles, where they may be used. Sources are marked without them too. */
  nudged?: (text: string) => string;
  /** What is beside the point. */
  dim?: (text: string) => string;
}

/** An explanation for a terminal: the answer with marks below its words, then round by round. Models' texts are made harmless. */
export function explanationText(explanation: Explanation, { columns = 80, nudged = plain, dim = plain }: TextOptions = {}): string {
  const { question, mode } = explanation;
  const key = [...(hasMarks(mode) ? ["~ the aligned model's words"] : []), `0 to 9: ${meaningOf(explanation)}`];
  const lines = [
    ...(question === undefined ? [] : [...wrapped(question, columns), '']),
    ...answerLines(explanation, columns, nudged, dim),
    '',
    ...[...key, summary(explanation)].flatMap((line) => wrapped(line, columns).map(dim)),
    ...roundLines(explanation, columns, nudged, dim),
  ];
  return `${lines.join('\n')}\n`;
}

const plain = (text: string) => text;

/** Escape codes of a model's must not act on a terminal. */
function harmless(text: string): string {
  return text.replace(/[\x00-\x09\x0b-\x1f\x7f-\x9f]/g, (character) => (character === '\t' ? ' ' : '\ufffd'));
}

function wrapped(text: string, columns: number, indent = ''): string[] {
  const lines = layout([harmless(text)], Math.max(10, columns - indent.length));
  return lines.map((line) => indent + line.map((stretch) => stretch.text).join(''));
}

function answerLines({ words }: Explanation, columns: number, nudged: TextOptions['nudged'] = plain, dim = plain): string[] {
  const shown = words.filter((word) => !word.thinking);
  const begun = new Set<number>();
  return layout(
    shown.map(({ text }) => harmless(text)),
    Math.max(10, columns),
  ).flatMap((line) => {
    let [text, marks, sure] = ['', '', ''];
    for (const { index, text: part, column } of line) {
      const word = shown[index] as ExplainedWord;
      text += word.source === 'nudge' ? nudged(part) : part;
      const start = column + (part.length - part.trimStart().length);
      if (word.source === 'nudge') marks = marks.padEnd(start) + '~'.repeat(columnsOfText(part.trimStart()));
      // The place of a word is where it begins, also if it goes on in the next line.
      if (part.trim() === '' || begun.has(index)) continue;
      begun.add(index);
      if (word.base) sure = sure.padEnd(start) + Math.min(9, Math.floor(word.base.probability * 10));
    }
    return [text, ...[marks, sure].filter(Boolean).map(dim)];
  });
}

function roundLines(explanation: Explanation, columns: number, nudged: TextOptions['nudged'] = plain, dim = plain): string[] {
  const { rounds, words, mode } = explanation;
  if (mode !== 'nudge') return [];
  return rounds.flatMap((round, index) => {
    const ended = whyRunEnded(round, explanation);
    const own = grouped(words.filter((word) => word.round === index));
    return [
      '',
      ...wrapped(`Round ${index + 1}: ${whyRound(round)}${ended === undefined ? '' : `; ${ended}`}.`, columns).map(dim),
      ...own.flatMap((group) => {
        const first = group[0] as ExplainedWord;
        const is = first.source === 'nudge';
        const text = quoted(group.map((word) => word.text).join(''));
        return wrapped(`${is ? '~' : ' '} ${text}  ${noteOf(group)}`, columns, '  ').map(is ? nudged : plain);
      }),
    ];
  });
}

/** The base's words of a run belong together; each of the aligned model's stands alone. */
function grouped(words: readonly ExplainedWord[]): ExplainedWord[][] {
  const groups: ExplainedWord[][] = [];
  for (const word of words) {
    const last = groups[groups.length - 1];
    if (word.source === 'base' && last?.[0]?.source === 'base') last.push(word);
    else groups.push([word]);
  }
  return groups;
}

function noteOf(group: readonly ExplainedWord[]): string {
  const [{ source, reason, base }] = group as [ExplainedWord];
  const thinking = group[0]?.thinking ? ' (thinking)' : '';
  if (source === 'nudge') {
    if (base) return `the base would have said ${saying(base)}, ${p(base.probability)}${thinking}`;
    const why = reason === 'first' ? 'the first word' : reason === 'draft-end' ? 'in front of its end of text' : 'here';
    return `the base was not asked: ${why}${thinking}`;
  }
  const sure = group.flatMap((word) => (word.base ? [word.base.probability] : []));
  if (sure.length === 0) return `the base${thinking}`;
  const [least, most] = [Math.min(...sure), Math.max(...sure)];
  return `the base, ${p(least)}${most === least ? '' : ` to ${most.toFixed(2)}`}${thinking}`;
}
