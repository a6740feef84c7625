import type { Inspected, LaneName } from '../../../lib/index.ts';
import type { ResolvedRule } from '../../../lib/rule.ts';
import { byToken } from './by-token.ts';
import { byWords } from './by-words.ts';

/** Asks one model from nothing: what comes after its prompt, this text and these tokens of its own? */
export type Ask = (lane: LaneName, text: string, tokens?: readonly number[]) => Promise<Inspected>;

/** The aligned model's tokens behind `text`. */
export interface Drafted {
  text: string;
  tokens: Inspected[];
}

/** Where a rule is asked: the base says `next` behind the text `start` and its own tokens `run`. */
export interface Place {
  start: string;
  run: readonly Inspected[];
  next: Inspected;
}

/** R17 to R21, a second time. */
export interface Judge {
  /** A round begins with this draft. */
  follow(draft: Drafted): void;
  speaks(place: Place): Promise<boolean>;
}

export function judgeOf(rule: ResolvedRule, gamma: number, lookahead: number, ask: Ask): Judge {
  const number = (name: string) => Math.fround(rule[name] as number);
  if (rule.name === 'bet') return byWords({ low: 0, high: Infinity, lambda: number('lambda') }, lookahead, ask);
  if (rule.name === 'hybrid') return byWords({ low: number('low'), high: number('high'), lambda: number('lambda') }, lookahead, ask);
  const speaks = byToken(rule, Math.fround(gamma));
  return { follow: () => {}, speaks: async ({ next }) => speaks(next) };
}
