import type { Fault } from './logit-bias.ts';
import type { GuardOptions } from './types.ts';

/**
 * What a model says that would not answer. Words of our own; a phrase counts wherever it begins a word among the first tokens that the
 * aligned model says in a check, whatever the case.
 */
export const refusalPhrases: readonly string[] = [
  "I can't",
  'I cannot',
  'I can not',
  "I won't",
  'I will not',
  'I must decline',
  'I must refuse',
  'I have to decline',
  'I would rather not',
  "I'd rather not",
  "I'm sorry, but",
  'I am sorry, but',
  "I'm not able to",
  'I am not able to',
  "I'm unable to",
  'I am unable to',
  'I am not allowed to',
  "I'm not allowed to",
  "I don't feel comfortable",
  'I do not feel comfortable',
  'Sorry, but I',
  "Sorry, I can't",
  'Sorry, I cannot',
];

/** How the guard looks unless its options say otherwise: the numbers of ADA-RK (arXiv 2510.18081), of its two intervals the shorter one. */
export const guardDefaults = { every: 25, tokens: 20 } as const;

/** A guard with its defaults. */
export interface ResolvedGuard {
  every: number;
  tokens: number;
  phrases: readonly string[];
  ask: string;
}

export const expectedGuard = 'true or false, or an object with every, tokens, phrases and ask';

const mostPhrases = 1000;
const longestPhrase = 200;
const longestAsk = 10_000;

const isCount = (value: unknown, most: number): boolean => Number.isInteger(value) && (value as number) >= 1 && (value as number) <= most;
const isPhrase = (value: unknown): boolean => typeof value === 'string' && value.trim() !== '' && value.length <= longestPhrase;

const parts: Readonly<Record<keyof ResolvedGuard, { check: (value: unknown) => boolean; expected: string }>> = {
  every: { check: (value) => isCount(value, 1_000_000), expected: 'an integer from 1 to 1000000' },
  tokens: { check: (value) => isCount(value, 1024), expected: 'an integer from 1 to 1024' },
  phrases: {
    check: (value) => Array.isArray(value) && value.length >= 1 && value.length <= mostPhrases && value.every(isPhrase) && !hasHoles(value),
    expected: `an array of 1 to ${mostPhrases} texts, none of them blank or over ${longestPhrase} characters`,
  },
  ask: {
    check: (value) => typeof value === 'string' && value.trim() !== '' && value.length <= longestAsk,
    expected: `a text of at most ${longestAsk} characters that is not blank`,
  },
};

const hasHoles = (values: readonly unknown[]): boolean => Object.keys(values).length !== values.length;

/** A guard as an option gives it, with its defaults, or what is wrong with it; undefined: none. */
export function readGuard(value: unknown): ResolvedGuard | Fault | undefined {
  if (value === false || value === undefined) return undefined;
  const resolved: ResolvedGuard = { ...guardDefaults, phrases: refusalPhrases, ask: '' };
  if (value === true) return resolved;
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return { value, expected: expectedGuard };
  for (const [name, given] of Object.entries(value)) {
    if (given === undefined) continue;
    if (!Object.hasOwn(parts, name))
      return { value: name, expected: 'a guard with no other properties than every, tokens, phrases and ask' };
    const { check, expected } = parts[name as keyof ResolvedGuard];
    if (!check(given)) return { value: given, expected: `a guard whose \`${name}\` is ${expected}` };
    Object.assign(resolved, { [name]: Array.isArray(given) ? [...given] : given });
  }
  return resolved;
}

export function isGuardFault(read: ResolvedGuard | Fault | undefined): read is Fault {
  return read !== undefined && 'expected' in read;
}

/** `on`, `off`, or `every=16,tokens=20`, as the command line has it: what `readGuard` takes. Numbers may be wrong. */
export function guardIn(text: string): unknown {
  if (text === 'on' || text === 'off') return text === 'on';
  if (!text.includes('=')) return text;
  return Object.fromEntries(
    text.split(',').map((part) => {
      const [name = '', number = ''] = part.split('=', 2);
      return [name.trim(), /^\d+$/.test(number.trim()) ? Number(number) : number] as const;
    }),
  );
}

export const isGuarded = ({ guard }: { guard?: boolean | GuardOptions }): boolean => guard !== undefined && guard !== false;
