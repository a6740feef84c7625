import type { Fault } from './logit-bias.ts';
import { tokenRules, type TokenRule, type TokenRuleName } from './token-rules.ts';

/**
 * Who speaks where the base might (docs/semantics.md, R17 to R22). A name takes the defaults.
 *
 * - `top1` (default): the paper's rule. The base defers where the probability of its most likely token is below `gamma`, which is an option
 *   of its own.
 * - `bet`: the confidence bet ([2604.16146](https://arxiv.org/abs/2604.16146)), on words. The base defers where its next word is less
 *   probable to it than the aligned model's next word is to that one, by more than `lambda`. The aligned model follows the base all the
 *   way, which costs its passes.
 * - `hybrid`: the base defers where its most likely token has less than `low`, speaks where it has `high` or more, and in between the bet
 *   holds. The aligned model is asked only there.
 * - `margin`: the base defers where its two most likely tokens are less than `margin` apart, in probability.
 * - `entropy`: the base defers where the entropy of its distribution is over `entropy`, in nats.
 * - `adaptive`: as `top1`, with a threshold that begins at `gamma` and moves by the decisions of the answer itself, so that the base defers
 *   at about `rate` of them.
 * - {@link TokenRule}: token by token, for models of one vocabulary.
 */
export type DeferralRule =
  | RuleName
  | TokenRule
  | { readonly name: 'top1' }
  | {
      readonly name: 'bet';
      /** λ, 0 to 1. Default 0.2, the best of 0, 0.1 and 0.2 in the source. With 1 the base never defers. */
      readonly lambda?: number;
    }
  | {
      readonly name: 'hybrid';
      /** 0 to 2, at most `high`. Default 0.2. */
      readonly low?: number;
      /** 0 to 2. Default 0.6. With `low` the same it is `top1` with that `gamma`. */
      readonly high?: number;
      /** λ as of the bet. Default 0.2. */
      readonly lambda?: number;
    }
  | {
      readonly name: 'margin';
      /** 0 to 1. Default 0.2: a choice of ours, none is published. */
      readonly margin?: number;
    }
  | {
      readonly name: 'entropy';
      /** Nats, 0 to 20. Default 0.45, the limit of R2R's entropy baseline (repository thu-nics/R2R). */
      readonly entropy?: number;
    }
  | {
      readonly name: 'adaptive';
      /**
       * Share of the decisions that γ takes with which the base should defer, 0 to 1: `decisionRate` of a calibration. Default 0.1, about
       * the paper's share of nudged tokens.
       */
      readonly rate?: number;
      /** η, how far one decision moves γ, 0 to 1. Default 0.01; with 0 it is `top1`. */
      readonly step?: number;
      /** How far γ may come from `gamma`, 0 to 2. Default 0.15. */
      readonly reach?: number;
    };

/** The names of all rules. */
export type RuleName = 'top1' | 'bet' | 'hybrid' | 'margin' | 'entropy' | 'adaptive' | TokenRuleName;

/** A rule with all its parameters. */
export type ResolvedRule = { name: RuleName } & Record<string, number | string>;

interface Parameter {
  low: number;
  high: number;
  /** What it may be besides. */
  words?: readonly string[];
  default: number | string;
}

const lambda: Parameter = { low: 0, high: 1, default: 0.2 };

/** Every rule and its parameters: whoever adds one adds it here, and to `deferral_rule` in native/addon/from_js.cpp. */
export const rules: Readonly<Record<RuleName, Readonly<Record<string, Parameter>>>> = {
  top1: {},
  bet: { lambda },
  hybrid: { low: { low: 0, high: 2, default: 0.2 }, high: { low: 0, high: 2, default: 0.6 }, lambda },
  margin: { margin: { low: 0, high: 1, default: 0.2 } },
  entropy: { entropy: { low: 0, high: 20, default: 0.45 } },
  adaptive: {
    rate: { low: 0, high: 1, default: 0.1 },
    step: { low: 0, high: 1, default: 0.01 },
    reach: { low: 0, high: 2, default: 0.15 },
  },
  ...tokenRules,
};

/** What a `rule` must be, for messages. */
export const expectedRule = `one of ${Object.keys(rules)
  .map((name) => JSON.stringify(name))
  .join(', ')}, or an object with such a name and the rule's parameters`;

/** A rule as an option gives it, with its defaults, or what is wrong with it. */
export function readRule(value: unknown): ResolvedRule | Fault {
  const given = typeof value === 'string' ? { name: value } : value;
  if (typeof given !== 'object' || given === null || Array.isArray(given)) return { value, expected: expectedRule };
  const { name, ...own } = given as Record<string, unknown>;
  if (typeof name !== 'string' || !Object.hasOwn(rules, name)) return { value: name ?? value, expected: expectedRule };
  const parameters = rules[name as RuleName];
  const resolved: ResolvedRule = { name: name as RuleName };
  for (const [key, parameter] of Object.entries(parameters)) resolved[key] = parameter.default;
  for (const [key, number] of Object.entries(own)) {
    if (number === undefined) continue;
    const parameter = Object.hasOwn(parameters, key) ? parameters[key] : undefined;
    if (parameter === undefined) return { value: key, expected: expectedParameters(name as RuleName, key) };
    const { low, high, words = [] } = parameter;
    const isWord = typeof number === 'string' && words.includes(number);
    if (!isWord && !(typeof number === 'number' && number >= low && number <= high)) {
      const either = words.map((word) => `, or ${JSON.stringify(word)}`).join('');
      return { value: number, expected: `a rule whose "${key}" is a number from ${low} to ${high}${either}` };
    }
    resolved[key] = number as number | string;
  }
  if (name === 'hybrid' && (resolved['low'] as number) > (resolved['high'] as number))
    return { value: resolved['low'], expected: `a rule whose "low" is at most its "high" (${resolved['high']})` };
  return resolved;
}

function expectedParameters(name: RuleName, key: string): string {
  const known = Object.keys(rules[name]);
  if ((name === 'top1' || name === 'adaptive') && key === 'gamma') return 'a rule without "gamma", which is an option of its own beside it';
  return known.length === 0
    ? `a rule without parameters where its name is "${name}"`
    : `a rule with no other parameters than ${known.join(', ')} where its name is "${name}"`;
}

/** `bet`, or `bet:lambda=0.1`, or `hybrid:low=0.2,high=0.6`, as the command line has it: what `readRule` takes. Numbers may be wrong. */
export function ruleIn(text: string): unknown {
  const [name = '', parameters] = text.split(/:(.*)/s, 2);
  if (parameters === undefined) return name;
  const pairs = parameters.split(',').map((part) => {
    const [key = '', number = ''] = part.split('=', 2);
    return [key.trim(), /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(number.trim()) ? Number(number) : number] as const;
  });
  return { ...Object.fromEntries(pairs), name };
}

export function isRuleFault(read: ResolvedRule | Fault): read is Fault {
  return 'expected' in read;
}

/** The same of an option that was checked before. */
export function resolvedRule(value: DeferralRule | undefined): ResolvedRule {
  return readRule(value ?? 'top1') as ResolvedRule;
}
