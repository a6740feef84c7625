import { describe, expect, test } from 'vitest';
import { Nudging, type Answer, type Decision } from '../lib/index.ts';

const question = 'What is a harbor?';
const full = { trace: 'full', speculation: false } as const;

/** Decisions of which γ is sure to have made something: the base's, with a token that shows something, where it does not just agree. */
function undecided({ decisions = [] }: Answer): Decision {
  const found = decisions.find(({ kind, ends, bytes, probability }) => kind === 'run' && !ends && bytes.length > 0 && probability > 0.45 && probability < 0.95);
  if (!found) throw new Error('the question is no good for this test');
  return found;
}

describe.each([{ isolate: false }, { isolate: true }])('isolate: $isolate', ({ isolate }) => {
  test('γ exactly at a probability is a tie without `deterministic`', async () => {
    await using fast = await Nudging.load({ deterministic: false, isolate, threads: 1 });
    const free = await fast.generate(question, full);
    const { probability, position } = undecided(free);
    const there = await fast.generate(question, { ...full, gamma: probability });
    const asked = there.decisions?.find((decision) => decision.kind === 'run' && decision.position === position);
    // The same decision, and this time γ is there.
    expect(Math.abs((asked?.probability ?? 0) - probability)).toBeLessThan(0.005);
    expect(there.ties).toBeGreaterThanOrEqual(1);
    // Nothing is near a γ that no probability reaches.
    const far = await fast.generate(question, { ...full, gamma: 1.5 });
    const close = far.decisions?.filter(({ margin }) => margin < 0.05).length ?? 0;
    expect(far.ties).toBeLessThanOrEqual(close);
  });

  test('and none with it: nothing can go otherwise there', async () => {
    await using engine = await Nudging.load({ deterministic: true, isolate, threads: 1 });
    const { probability } = undecided(await engine.generate(question, full));
    const answer = await engine.generate(question, { ...full, gamma: probability });
    expect(answer.decisions?.filter((decision) => decision.probability === probability)).not.toEqual([]);
    expect(answer.ties).toBe(0);
  });
});

test('an answer that never began has none', async () => {
  await using engine = await Nudging.load({ deterministic: false, threads: 1 });
  expect(await engine.generate(question, { signal: AbortSignal.abort() })).toMatchObject({ text: '', ties: 0 });
});

test('one model alone counts the tokens that were close', async () => {
  await using fast = await Nudging.load({ deterministic: false, threads: 1 });
  // Sampled at random among about equal scores: margins are of every size.
  let ties = 0;
  for (let seed = 0; seed < 10; seed += 1) ties += (await fast.generate(question, { mode: 'aligned', temperature: 1, topK: 0, seed, maxTokens: 24 })).ties;
  expect(ties).toBeGreaterThan(0);
  expect(ties).toBeLessThan(120);
});
