import { plain } from './final-answer.ts';
import { scoreOf, type Scorer } from './score.ts';
import { yesNo } from './yes-no.ts';

/** Which side is up, said without yes or no; what denies comes first where one holds the other. */
const sides = /\b(not (?:still |now )?heads|no longer heads|tails|heads)\b/gi;

/** Yes or no as {@link yesNo} reads it; where an answer says neither, the last side of the coin that it names, as inferred. */
export const coin: Scorer = (answer, question) => {
  const score = yesNo(answer, question);
  if (score.found !== 'missing') return score;
  const last = [...plain(answer).matchAll(sides)].at(-1)?.[0].toLowerCase();
  if (last === undefined) return score;
  const read = last === 'heads' ? 'yes' : 'no';
  return scoreOf('inferred', read, read === question.gold.trim().toLowerCase());
};
