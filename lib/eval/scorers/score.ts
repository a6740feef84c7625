import type { Question } from '../task.ts';

/**
 * How plainly an answer says what it comes to. `stated`: unmistakably. `inferred`: only the last fitting words were taken for it.
 * `ambiguous`: it says several things. `missing`: nothing of the kind is there.
 */
export type Found = 'stated' | 'inferred' | 'ambiguous' | 'missing';

/** What a scorer says of one answer. */
export interface Score {
  /** Right, and said unmistakably. For numbers: right by the authors' rule. */
  strict: boolean;
  /** Right in the most favourable reading that looks at the end of the answer. Never false where `strict` is true, except for numbers. */
  lenient: boolean;
  found: Found;
  /** What was taken for the answer; missing if nothing was. */
  read?: string;
  /** Only for numbers: the right one is there, but another one comes after it. */
  buried?: boolean;
}

/** Scores an answer by its text alone: no model, no network. */
export type Scorer = (answer: string, question: Question) => Score;

/** A score from what was read and how plainly it stood there. Only what is stated counts in the strict reading. */
export function scoreOf(found: Found, read: string | undefined, right: boolean): Score {
  return { strict: found === 'stated' && right, lenient: right, found, ...(read === undefined ? {} : { read }) };
}
