import type { Answer, Input, Inspected, Nudging } from '../../lib/index.ts';
import { samplingOf, type Choosing } from './replay.ts';

/** What the rules of several models together determine of an answer. */
export type MixedAnswer = Pick<Answer, 'text' | 'stopReason'> & { used: number };

/** Whom a mixture asks, and what it makes of what they say: a score for each token, the highest of which is said. */
export interface Mixing {
  lanes: readonly string[];
  score: (probabilities: readonly number[]) => number;
}

/** R31: Σ wᵢ pᵢ, with weights that need not sum up to 1. */
export function ensemble(weights: Record<string, number>): Mixing {
  const lanes = Object.keys(weights).filter((lane) => weights[lane] !== 0);
  return { lanes, score: (probabilities) => lanes.reduce((sum, lane, i) => sum + (weights[lane] ?? 0) * (probabilities[i] ?? 0), 0) };
}

/** R32, as a product of probabilities: logits differ from their logarithms by what is the same for every token. */
export function proxyTuning(alpha: number): Mixing {
  return {
    lanes: ['base', 'aligned', 'reference'],
    score: ([base = 0, aligned = 0, reference = 0]) =>
      base === 0 || aligned === 0 || reference === 0 ? 0 : base * (aligned / reference) ** alpha,
  };
}

/**
 * R31 and R32 a second time, without any state between questions: every model is asked from nothing, for everything that it could say.
 * Greedy, for vocabularies that can be listed.
 */
export async function mixtureReference(
  engine: Nudging,
  input: Input,
  { lanes, score }: Mixing,
  options: { maxTokens: number } & Choosing,
): Promise<MixedAnswer> {
  const sampling = samplingOf({ ...options, temperature: 0 });
  const tokens: number[] = [];
  const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
  let text = '';
  for (;;) {
    const said: Inspected[] = [];
    for (const lane of lanes) said.push(await engine.inspect({ lane, input, tokens, sampling, candidates: 1000 }));
    const size = Math.min(...lanes.map((lane) => engine.models[lane]?.vocabulary ?? 0));
    const tables = said.map(({ candidates }) => new Map(candidates.map((one) => [one.token, one])));
    const scores = Array.from({ length: size }, (_, token) => score(tables.map((table) => table.get(token)?.probability ?? 0)));
    const token = scores.indexOf(Math.max(...scores));
    if (await endsWith(engine, lanes, input, tokens, token)) return { text, stopReason: 'end', used: tokens.length };
    tokens.push(token);
    text += decoder.decode(tables[0]?.get(token)?.bytes ?? new Uint8Array(), { stream: true });
    if (tokens.length === options.maxTokens) return { text, stopReason: 'length', used: tokens.length };
  }
}

/** Whether one of the models takes a token for an end: candidates do not say so, but a token that has nothing beside it does. */
async function endsWith(engine: Nudging, lanes: readonly string[], input: Input, tokens: number[], token: number): Promise<boolean> {
  for (const lane of lanes) {
    const own = lane === 'base' || lane === 'aligned' ? lane : undefined;
    if (own === undefined) continue;
    const { token: forced, ends } = await engine.inspect({ lane, input, tokens, sampling: { logitBias: { [own]: { [token]: 100 } } } });
    if (forced !== token) throw new Error(`${token} could not be forced`);
    if (ends) return true;
  }
  return false;
}
