import type { Input, Nudging, Piece } from '../../lib/index.ts';
import type { ResolvedRule } from '../../lib/rule.ts';

/** What both models say in one context: the probability of every token, and of the likeliest. */
export interface Said {
  base: readonly number[];
  aligned: readonly number[];
}

const highest = (probabilities: readonly number[]) => Math.max(...probabilities);
const likeliest = (probabilities: readonly number[]) => probabilities.indexOf(highest(probabilities));

/** R34: the distribution that the next token comes from. */
export function blended(rule: ResolvedRule, { base, aligned }: Said): readonly number[] {
  const [p, q] = [highest(base), highest(aligned)];
  if (p >= Number(rule['tau'])) return base;
  const there = base[likeliest(aligned)] as number;
  const { weight } = rule;
  const shares: Record<string, number> = { ratio: q / (p + q) + 0.1 * there, product: (1 - p) * q * (1 + there) };
  const share = typeof weight === 'number' ? weight : Math.min(1, Math.max(0, shares[weight as string] as number));
  return base.map((one, token) => share * (aligned[token] as number) + (1 - share) * one);
}

/** R35 to R37: whether the base's token is rejected. */
export function rejects(rule: ResolvedRule, { base, aligned }: Said, token: number): boolean {
  const own = base[token] as number;
  if (rule.name === 'kad-dual') return own < Number(rule['alpha']);
  if (rule.name === 'bet-token') return own < highest(aligned) - Number(rule['lambda']);
  // Least likely first, as long as it is no more than α together: a tail is what is left when all likelier ones are kept.
  const tail = base.filter((one) => one <= own).reduce((sum, one) => sum + one, 0);
  return tail <= Number(rule['alpha']);
}

/** r(v) = p_v (1 − μ_v) + q_v Σ_w p_w μ_w, and how much of it is the base's. */
export function distribution(rule: ResolvedRule, said: Said): { all: readonly number[]; ofBase: number } {
  if (rule.name === 'blend') return { all: blended(rule, said), ofBase: highest(said.base) >= Number(rule['tau']) ? 1 : 0 };
  const rejected = said.base.map((_, token) => rejects(rule, said, token));
  const given = said.base.reduce((sum, one, token) => sum + (rejected[token] ? one : 0), 0);
  const all = said.base.map((one, token) => (rejected[token] ? 0 : one) + (said.aligned[token] as number) * given);
  return { all, ofBase: 1 - given };
}

/** What both models say after their prompts and these tokens, asked from nothing. For vocabularies that can be listed. */
export async function asked(
  engine: Nudging,
  input: Input,
  tokens: readonly number[],
  sampling = {},
): Promise<Said & { bytes: Uint8Array[] }> {
  const size = Math.min(engine.models.base.vocabulary, engine.models.aligned.vocabulary);
  const bytes: Uint8Array[] = [];
  const list = async (lane: 'base' | 'aligned') => {
    const { candidates } = await engine.inspect({ lane, input, tokens, sampling, candidates: 1000 });
    const probabilities = new Array<number>(size).fill(0);
    for (const { token, probability, bytes: own } of candidates) {
      if (token >= size) continue;
      probabilities[token] = probability;
      bytes[token] = own;
    }
    return probabilities;
  };
  return { base: await list('base'), aligned: await list('aligned'), bytes };
}

/**
 * R34 to R37, greedy, without any state between questions. Pieces as far as the rules determine them. `ends`: the ids that end an answer.
 */
export async function tokenRuleReference(
  engine: Nudging,
  input: Input,
  rule: ResolvedRule,
  { maxTokens, ends }: { maxTokens: number; ends: readonly number[] },
): Promise<Pick<Piece, 'text' | 'source'>[]> {
  const pieces: Pick<Piece, 'text' | 'source'>[] = [];
  const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
  const tokens: number[] = [];
  while (tokens.length < maxTokens) {
    const said = await asked(engine, input, tokens);
    const own = likeliest(said.base);
    let token = own;
    let source: Piece['source'] = 'base';
    if (rule.name === 'blend') {
      token = likeliest(blended(rule, said));
      if (highest(said.base) < Number(rule['tau'])) source = 'mix';
    } else if (rejects(rule, said, own)) {
      token = likeliest(said.aligned);
      source = 'nudge';
    }
    if (ends.includes(token)) break;
    tokens.push(token);
    const text = decoder.decode(said.bytes[token], { stream: true });
    if (text !== '') pieces.push({ text, source });
  }
  return pieces;
}
