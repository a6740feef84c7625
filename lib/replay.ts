import { check, generateRules, reject } from './options.ts';
import { BetReplay } from './replay-words.ts';
import { resolvedRule, type DeferralRule, type ResolvedRule } from './rule.ts';
import type { Answer, Decision } from './types.ts';

/** One decision of an answer, and what another rule would have made of it. */
export interface ReplayedDecision {
  /** Which of `answer.decisions`. */
  index: number;
  /** Bytes of text before it, as in the trace. */
  position: number;
  /** Who spoke in the answer. */
  spoke: 'base' | 'aligned';
  /** Who would have; `unknown` where that needs a number that the answer's run did not ask for. */
  would: 'base' | 'aligned' | 'unknown';
  /** Which number is missing. */
  why?: string;
}

/** An answer, judged by another rule. */
export interface Replayed {
  /** The rule, with its parameters, and γ if it is `top1`. */
  rule: ResolvedRule;
  /**
   * Every decision of the base, in order, each judged by itself: those behind `parting` as if the text had come to be as it did. Where no
   * rule is asked, `would` is what happened: at a boundary the base's agreement (R7b) or its wish to end (R7a), in a run its end (R10).
   */
  decisions: ReplayedDecision[];
  /** How many of them would be other ones, and of how many that is unknown. */
  changed: number;
  unknown: number;
  /**
   * The first decision that would be another one: up to its `position` the other run would have given the same text, and of what follows
   * nothing is known. Missing if there is none. `certain: false`: a decision before it is unknown, so the texts may part there already.
   */
  parting?: { index: number; position: number; certain: boolean };
}

const optionRules = Object.fromEntries(Object.entries(generateRules).filter(([name]) => name === 'rule' || name === 'gamma'));

/** Asks the rule about decisions in order. */
export interface RuleReplay {
  /** A round begins with this draft. */
  begin?(drafts: readonly Decision[]): void;
  /** The base at a boundary, or in the run behind the last one. `next`: the trace behind it. */
  judge(decision: Decision, next: readonly Decision[]): Would;
}
export type Would = boolean | { missing: string };

/**
 * What another γ or rule would have decided in an answer, from its trace alone: no model is asked. One answer with `trace: 'full'` so shows
 * where γ 0.3 or the bet would have gone another way.
 *
 * Exact where it says anything: a real run with that rule, and else the same settings, decides the same up to `parting`, and there
 * otherwise.
 *
 * @param options `rule` and `gamma` as for generating; what is left out is the answer's own
 * @throws NudgingError ERR_INVALID_OPTION: a wrong rule or γ, or an answer without a full trace of both models
 */
export function replay(answer: Answer, options: { rule?: DeferralRule; gamma?: number } = {}): Replayed {
  check(options, optionRules);
  const { decisions, decidedBy } = answer;
  if (decidedBy === undefined) reject('answer', answer, "an answer of both models, generated with trace: 'full'");
  const rule = options.rule === undefined ? decidedBy.rule : resolvedRule(options.rule);
  const gamma = options.gamma ?? decidedBy.gamma;
  const judge = judgeFor(rule, gamma, answer);
  const replayed: ReplayedDecision[] = [];
  for (const [round, first] of roundsOf(decisions ?? [])) {
    judge.begin?.(round.filter(({ kind }) => kind === 'draft'));
    for (const [at, decision] of round.entries()) {
      if (decision.kind === 'draft') continue;
      const { position } = decision;
      const spoke = decision.speaks ?? (decision.ends || decision.bytes.length === 0 ? 'aligned' : 'base');
      const would = judge.judge(decision, round.slice(at + 1));
      const asked = decision.speaks === undefined ? spoke : typeof would === 'object' ? 'unknown' : would ? 'base' : 'aligned';
      const why = asked === 'unknown' ? { why: (would as { missing: string }).missing } : {};
      replayed.push({ index: first + at, position, spoke, would: asked, ...why });
    }
  }
  const other = replayed.findIndex(({ spoke, would }) => would !== 'unknown' && would !== spoke);
  const certain = !replayed.slice(0, other).some(({ would }) => would === 'unknown');
  const { index, position } = replayed[other] ?? {};
  return {
    rule: rule.name === 'top1' ? { ...rule, gamma } : rule,
    decisions: replayed,
    changed: replayed.filter(({ spoke, would }) => would !== 'unknown' && would !== spoke).length,
    unknown: replayed.filter(({ would }) => would === 'unknown').length,
    ...(index === undefined || position === undefined ? {} : { parting: { index, position, certain } }),
  };
}

/** The decisions of each round, and how many there are before it: a round begins with the first draft behind something else. */
function roundsOf(decisions: readonly Decision[]): [Decision[], number][] {
  const rounds: [Decision[], number][] = [];
  for (const [index, decision] of decisions.entries()) {
    if (decision.kind === 'draft' && decisions[index - 1]?.kind !== 'draft') rounds.push([[], index]);
    rounds.at(-1)?.[0].push(decision);
  }
  return rounds;
}

/** In the engine all numbers of rules are of single precision. */
function judgeFor(rule: ResolvedRule, gamma: number, answer: Answer): RuleReplay {
  const number = (name: string) => Math.fround(rule[name] as number);
  const byToken = (speaks: (decision: Decision) => Would): RuleReplay => ({ judge: speaks });
  switch (rule.name) {
    case 'top1':
      return byToken(({ probability }) => probability >= Math.fround(gamma));
    case 'margin':
      return byToken((decision) => {
        const runnerUp = runnerUpOf(decision, answer.seed === undefined);
        if (runnerUp === undefined) return { missing: 'the probability of the second best token, where tokens are sampled' };
        return Math.fround(decision.probability - runnerUp) >= number('margin');
      });
    case 'entropy':
      return byToken(({ entropy, probability }) => {
        if (entropy !== undefined) return entropy <= number('entropy');
        // It is at least that of as many equally likely tokens as the best one allows. The engine's has rounding errors.
        if (-Math.log(probability) > number('entropy') + 1e-4) return false;
        return { missing: 'the entropy: generate with `rule: "entropy"` to have it measured' };
      });
    case 'bet':
      return new BetReplay({ low: 0, high: Number.POSITIVE_INFINITY, lambda: number('lambda') }, answer);
    case 'hybrid':
      return new BetReplay({ low: number('low'), high: number('high'), lambda: number('lambda') }, answer);
  }
}

/** Without sampling the margin is that of the two best logits, which says how their probabilities are to each other. */
function runnerUpOf({ runnerUp, probability, margin }: Decision, greedy: boolean): number | undefined {
  return runnerUp ?? (greedy ? Math.fround(probability * Math.fround(Math.exp(-margin))) : undefined);
}
