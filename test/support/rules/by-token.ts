import type { Inspected } from '../../../lib/index.ts';
import type { ResolvedRule } from '../../../lib/rule.ts';

/** The rules that look at the base's next token alone: R7c and R9 as they are, R20, R21. Numbers are single precision, as the engine's. */
export function byToken(rule: ResolvedRule, gamma: number): (next: Inspected) => boolean {
  switch (rule.name) {
    case 'top1':
      return ({ probability }) => probability >= gamma;
    case 'margin':
      return ({ probability, runnerUp }) => Math.fround(probability - runnerUp) >= Math.fround(rule['margin'] as number);
    case 'entropy':
      return ({ entropy }) => entropy <= Math.fround(rule['entropy'] as number);
    default:
      throw new Error(`no rule of one token: ${rule.name}`);
  }
}
