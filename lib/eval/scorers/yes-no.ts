import { finalAnswer, lastSentence, plain } from './final-answer.ts';
import { scoreOf, type Scorer } from './score.ts';

/** Words that answer a yes-or-no question; those that deny come first where one holds the other. */
const verdicts = /\b(not\s+(?:plausible|true|correct)|(?:isn't|is not)\s+plausible|implausible|untrue|false|no|plausible|true|yes)\b/gi;

/**
 * Yes or no, true or false, plausible or implausible. Stated: behind "answer is", as the first word, or alone in the last sentence.
 * Inferred: the last such word. Ambiguous: the declared line says both, or the first word and the declared line disagree.
 */
export const yesNo: Scorer = (answer, { gold }) => {
  const wanted = verdictsIn(gold)[0];
  const of = (found: Parameters<typeof scoreOf>[0], verdict: boolean | undefined) =>
    scoreOf(found, verdict === undefined ? undefined : verdict ? 'yes' : 'no', verdict !== undefined && verdict === wanted);
  const text = plain(answer).trim();
  const all = verdictsIn(text);
  if (all.length === 0) return of('missing', undefined);

  const opening = /^\W*(?:yes|no|true|false|plausible|implausible)\s*(?:[.,:;!—–-]|\n|$)/i.test(text) ? all[0] : undefined;
  const declared = verdictsIn(finalAnswer(text) ?? '');
  const closing = verdictsIn(lastSentence(text));
  const plainly = [opening, ...new Set(declared)].filter((verdict) => verdict !== undefined);
  if (new Set(plainly).size > 1) return of('ambiguous', declared.at(-1) ?? all.at(-1));
  if (plainly.length > 0) return of('stated', plainly[0]);
  if (closing.length === 1 && /^\W*[\w-]+\W*$/.test(lastSentence(text))) return of('stated', closing[0]);
  return of(new Set(all).size > 1 ? 'ambiguous' : 'inferred', all.at(-1));
};

function verdictsIn(text: string): boolean[] {
  return [...text.matchAll(verdicts)].map(([word]) => /^(?:yes|true|plausible)$/i.test(word));
}
