import { finalAnswer } from './final-answer.ts';
import type { Scorer } from './score.ts';

/**
 * All numbers of a text as the authors find them: digits, commas between groups of three, a decimal part that may be empty. Signs,
 * fractions and percent signs are not seen, so "-5" is 5 (dataset_utils.py of fywalter/nudging, `find_numbers`).
 */
export function numbersIn(text: string): number[] {
  return (text.match(/\d+(?:,\d{3})*(?:\.\d*)?/g) ?? []).map((number) => Number(number.replaceAll(',', '').replace(/\.$/, '')));
}

/**
 * The authors' rule, exactly: right if the last number of the answer is the last number of the gold text; wrong without a number. It reads
 * the whole answer, so that a number in a trailing remark turns it; `buried` says where the right one came earlier. The lenient reading
 * takes the first number of the line that the answer declares to be its outcome, where there is one.
 */
export const lastNumber: Scorer = (answer, { gold }) => {
  const wanted = numbersIn(gold).at(-1);
  const numbers = numbersIn(answer);
  const last = numbers.at(-1);
  if (last === undefined || wanted === undefined) return { strict: false, lenient: false, found: 'missing' };
  const declared = numbersIn(finalAnswer(answer) ?? '')[0];
  const strict = last === wanted;
  return {
    strict,
    lenient: (declared ?? last) === wanted,
    found: declared === undefined ? 'inferred' : declared === last ? 'stated' : 'ambiguous',
    read: String(last),
    buried: !strict && numbers.includes(wanted),
  };
};
