import { describe, expect, test } from 'vitest';
import { Nudging, type Answer } from '../lib/index.ts';

const question = 'What is a harbor?';
const full = { trace: 'full', speculation: false } as const;

/**
 * What the base said where its last run broke off. It is far from all other probabilities of that answer, so that γ can be moved there
 * without changing anything before.
 */
function lastOfRun({ decisions = [] }: Answer): number {
  const asked = decisions.filter(({ kind }) => kind !== 'draft').map(({ probability }) => probability);
  const last = decisions.findLast(({ kind }) => kind === 'run')?.probability ?? 1;
  expect(last).toBeLessThan(0.35);
  expect(asked.filter((probability) => Math.abs(probability - last) < 0.1)).toEqual([last]);
  return last;
}

describe.each([{ isolate: false }, { isolate: true }])('isolate: $isolate', ({ isolate }) => {
  test('γ at a probability of the base is a tie without `deterministic`, whichever side it falls on', async () => {
    await using fast = await Nudging.load({ deterministic: false, isolate, threads: 1 });
    const far = await fast.generate(question, full);
    const probability = lastOfRun(far);
    const there = await fast.generate(question, { ...full, gamma: probability });
    expect(there.ties).toBeGreaterThanOrEqual(1);
    // A little over it the answer is as before, and one more decision is close.
    const near = await fast.generate(question, { ...full, gamma: probability + 0.004 });
    expect(near.rounds).toEqual(far.rounds);
    expect(near.ties).toBe(far.ties + 1);
  });

  test('and none with it: nothing can go otherwise there', async () => {
    await using engine = await Nudging.load({ deterministic: true, isolate, threads: 1 });
    const probability = lastOfRun(await engine.generate(question, full));
    const answer = await engine.generate(question, { ...full, gamma: probability });
    expect(answer.decisions?.map((decision) => decision.probability)).toContain(probability);
    expect(answer.ties).toBe(0);
  });
});

test('an answer that never began has none', async () => {
  await using engine = await Nudging.load({ deterministic: false, threads: 1 });
  expect(await engine.generate(question, { signal: AbortSignal.abort() })).toMatchObject({ text: '', ties: 0 });
});

test('one model alone counts the tokens that were close', async () => {
  await using fast = await Nudging.load({ deterministic: false, threads: 1 });
  // Sampled without filters: the margins between the best scores are of every size.
  let [ties, tokens] = [0, 0];
  for (let seed = 0; seed < 10; seed += 1) {
    const answer = await fast.generate(question, { mode: 'aligned', temperature: 1, seed, maxTokens: 24 });
    ties += answer.ties;
    tokens += answer.stats.tokens;
  }
  expect(ties).toBeGreaterThan(0);
  expect(ties).toBeLessThan(tokens / 2);
});
