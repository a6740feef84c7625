import type { AnswerStats, Mode } from '../types.ts';
import { percent } from './terminal.ts';

/** Who spoke, in modes where nobody nudges. */
export const unnudged: Partial<Record<Mode, string>> = {
  base: 'base model alone',
  aligned: 'aligned model alone',
  'in-context': 'base model with examples',
  ensemble: 'an ensemble',
  'proxy-tuning': 'proxy-tuned',
};

/** How much of an answer is the guest's, in the others. */
export function guestsShare({ tokens, nudgeRatio }: Pick<AnswerStats, 'tokens' | 'nudgeRatio'>, mode: Mode): string {
  return mode === 'reverse' ? `${percent(tokens === 0 ? 0 : 1 - nudgeRatio)} by the base` : `${percent(nudgeRatio)} nudged`;
}
