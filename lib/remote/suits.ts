import type { LaneLogits } from '../logits.ts';
import { reject } from '../options.ts';
import type { GenerateOptions } from '../types.ts';
import { isTokenRule } from '../token-rules.ts';
import type { ResolvedRule } from '../rule.ts';

/** What a generation asks of its models, as far as it matters to one on another machine. */
interface Wanted {
  settings: Omit<GenerateOptions, 'signal'>;
  rule: ResolvedRule;
  temperature: number;
  logits: Readonly<Record<'base' | 'aligned', LaneLogits>>;
}

/**
 * Throws ERR_INVALID_OPTION for what cannot be had of a model on another machine: its server says what is likeliest and how likely, and not
 * the whole distribution.
 *
 * @param remote the lanes that are there, of those that the generation asks
 */
export function mustSuitRemote(remote: readonly string[], { settings, rule, temperature, logits }: Wanted): void {
  if (remote.length === 0) return;
  const far = `with a model on another machine (${remote.map((lane) => `\`${lane}\``).join(', ')})`;
  const { mode } = settings;
  if (mode === 'ensemble' || mode === 'proxy-tuning') reject('mode', mode, `a mode that does not mix whole distributions, ${far}`);
  if (isTokenRule(rule)) reject('rule', settings.rule, `a rule that joins words, not tokens, ${far}`);
  if (rule.name === 'entropy' && remote.includes('base'))
    reject(
      'rule',
      settings.rule,
      `another one than "entropy", which takes whole distributions, ${far}; "margin" needs the two likeliest tokens`,
    );
  if (temperature > 0) reject('temperature', temperature, `0 ${far}: sampling takes whole distributions`);
  for (const lane of remote) {
    const { biases, repeat } = logits[lane as 'base' | 'aligned'];
    if (biases) reject('logitBias', settings.logitBias, `left out for \`${lane}\`, ${far}: its probabilities come from logits without it`);
    if (repeat) reject('repeatPenalty', settings.repeatPenalty, `1 ${far}: its probabilities come from logits without it`);
  }
}
