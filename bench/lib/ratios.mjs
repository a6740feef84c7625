import { spread, sum } from './statistics.mjs';

/** @param {readonly import('../rivals/index.mjs').Outcome[]} outcomes */
const msPerLaterToken = (outcomes) => sum(outcomes.map(({ ms, firstMs }) => ms - firstMs)) / sum(outcomes.map(({ tokens }) => tokens - 1));

/** Which ratios are reported, and what was aimed at with the inflated demo pair (1.09 B and 124 M, Q4_0, 2 cores). */
const wanted = [
  { over: 'base', under: 'llama-bench base', label: 'base alone, after its first token ÷ llama-bench tg', atMost: 1 / 0.97 },
  { over: 'plain', under: 'base', label: 'nudging, plain ÷ base alone', atMost: 1.35 },
  { over: 'speculative', under: 'base', label: 'nudging ÷ base alone', atMost: 1.15 },
  { over: 'speculative', under: 'plain', label: 'nudging ÷ plain', atMost: 1.02 },
  { over: 'http', under: 'speculative', label: 'naive over HTTP, one token a call ÷ nudging', atLeast: 1.25 },
  { over: 'http16', under: 'speculative', label: 'naive over HTTP, 16 tokens a call ÷ nudging', atLeast: 2 },
  { over: 'node-llama-cpp', under: 'speculative', label: 'naive over node-llama-cpp ÷ nudging', atLeast: 2.4 },
];

/**
 * Ratios of times per token, each of two passes of the same round; the median of those.
 * @param {import('./rounds.mjs').Samples} samples
 */
export function ratios(samples) {
  return wanted.flatMap(({ over, under, label, ...target }) => {
    const measured = samples.get(over);
    // llama-bench generates without a prompt, so ours is left out too.
    const a = (under.startsWith('llama-bench') ? measured?.outcomes.map(msPerLaterToken) : measured?.msPerToken) ?? [];
    const b = samples.get(under)?.msPerToken ?? [];
    if (a.length === 0 || b.length === 0) return [];
    return [{ label, over, under, ...spread(a.map((value, round) => value / (b[round] ?? Number.NaN))), ...target }];
  });
}
