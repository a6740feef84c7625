import { finalAnswer, plain } from './final-answer.ts';
import { scoreOf, type Scorer } from './score.ts';

/**
 * A date. The gold one is MM/DD/YYYY. Stated: the declared line, or else the whole answer, holds one date and it is written so. Inferred:
 * it is written in another way (5/1/2021, May 1, 2021, 1 May 2021, 2021-05-01). Ambiguous: there are several; the lenient reading takes the
 * last.
 */
export const date: Scorer = (answer, { gold }) => {
  const text = plain(answer);
  const declared = finalAnswer(text);
  const inLine = datesIn(declared ?? '');
  const dates = inLine.length > 0 ? inLine : datesIn(text);
  const last = dates.at(-1);
  if (last === undefined) return scoreOf('missing', undefined, false);
  const several = new Set(dates.map(({ day }) => day)).size > 1;
  return scoreOf(several ? 'ambiguous' : last.asAsked ? 'stated' : 'inferred', last.day, last.day === gold.trim());
};

interface FoundDate {
  /** MM/DD/YYYY. */
  day: string;
  asAsked: boolean;
}

const months = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];
const monthName = '(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\\.?';
const patterns: { pattern: RegExp; order: readonly [month: number, day: number, year: number] }[] = [
  { pattern: /\b(\d{1,2})\/(\d{1,2})\/(\d{4})\b/g, order: [1, 2, 3] },
  { pattern: /\b(\d{4})-(\d{2})-(\d{2})\b/g, order: [2, 3, 1] },
  { pattern: new RegExp(`\\b${monthName} (\\d{1,2})(?:st|nd|rd|th)?,? (\\d{4})\\b`, 'gi'), order: [1, 2, 3] },
  { pattern: new RegExp(`\\b(\\d{1,2})(?:st|nd|rd|th)? (?:of )?${monthName},? (\\d{4})\\b`, 'gi'), order: [2, 1, 3] },
];

function datesIn(text: string): FoundDate[] {
  const found = patterns.flatMap(({ pattern, order: [month, day, year] }) =>
    [...text.matchAll(pattern)].map((match) => {
      const part = (group: number) => match[group] as string;
      const named = months.indexOf(part(month).slice(0, 3).toLowerCase());
      const two = (number: string) => number.padStart(2, '0');
      return {
        at: match.index,
        day: `${two(named === -1 ? part(month) : String(named + 1))}/${two(part(day))}/${part(year)}`,
        asAsked: /^\d{2}\/\d{2}\/\d{4}$/.test(match[0]),
      };
    }),
  );
  return found.sort((one, other) => one.at - other.at);
}
