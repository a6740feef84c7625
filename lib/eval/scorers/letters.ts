import { finalAnswer, plain } from './final-answer.ts';
import { scoreOf, type Scorer } from './score.ts';

/**
 * Letters put together, upper and lower case alike. Stated: the declared line holds them in quotes, or begins with them; or they are the
 * whole answer. Inferred: the last quoted word, letters spelled one by one ("y-a-j-o"), or the last word. Ambiguous: the declared line
 * quotes several words.
 */
export const letters: Scorer = (answer, { gold }) => {
  const wanted = gold.trim().toLowerCase();
  const of = (found: Parameters<typeof scoreOf>[0], read: string | undefined) => scoreOf(found, read, read === wanted);
  const text = plain(answer).trim();
  const declared = finalAnswer(text);
  if (declared !== undefined) {
    const quoted = quotedIn(declared);
    if (new Set(quoted).size > 1) return of('ambiguous', quoted.at(-1));
    if (quoted[0] !== undefined) return of('stated', quoted[0]);
    const spelled = spelledIn(declared);
    if (spelled !== undefined) return of('inferred', spelled);
    const [first = '', ...others] = wordsIn(declared);
    // "yajo." is the answer itself; "the letters yajo" only ends with it.
    return others.length === 0 ? of('stated', first) : of('inferred', first === wanted ? first : others.at(-1));
  }
  const words = wordsIn(text);
  if (words.length === 1) return of('stated', words[0]);
  const read = quotedIn(text).at(-1) ?? spelledIn(text) ?? words.at(-1);
  return read === undefined ? of('missing', undefined) : of('inferred', read);
};

function quotedIn(text: string): string[] {
  const quoted = [...text.matchAll(/["“]([^"”\n]+)["”]|(?<![\p{L}])['‘]([^'’\n]+)['’](?![\p{L}])/gu)];
  return quoted.flatMap(([, double, single]) => {
    const inside = (double ?? single ?? '')
      .trim()
      .toLowerCase()
      .replace(/[.,!?]+$/, '');
    const joined = spelledIn(inside) ?? inside;
    return /^\p{L}+$/u.test(joined) ? [joined] : [];
  });
}

/** Three or more single letters with commas, dashes, plus signs or spaces between them, the last such run. */
function spelledIn(text: string): string | undefined {
  const run = [...text.matchAll(/(?<![\p{L}\p{N}'’])(?:\p{L}["']?(?:\s*[,+-]\s*|\s+)["']?){2,}\p{L}(?![\p{L}\p{N}'’])/gu)].at(-1)?.[0];
  return run?.replace(/[^\p{L}]/gu, '').toLowerCase();
}

function wordsIn(text: string): string[] {
  return (text.match(/\p{L}+/gu) ?? []).map((word) => word.toLowerCase());
}
