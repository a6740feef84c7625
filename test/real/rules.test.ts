// The engine's rounds are those of the stateless reference (test/support/reference.ts), which is allowed no tie here.
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Nudging } from '../../lib/index.ts';
import { reference } from '../support/reference.ts';
import { load, questions, setup } from './support/setup.ts';

let engine: Nudging;
beforeAll(async () => {
  engine = await load();
});
afterAll(() => engine.close());

const asked = setup.quick ? questions.slice(3, 4) : questions.filter((_, index) => index % 4 === 3);

test.each(asked)('%s', async (question) => {
  const options = { gamma: 0.4, lookahead: 16, maxTokens: setup.quick ? 24 : 32 };
  const slow = await reference(engine, question, options);
  expect(slow.rounds.length).toBeGreaterThan(1);
  for (const speculation of [false, true, 4]) {
    const { text, rounds, stopReason, stats } = await engine.generate(question, { ...options, speculation });
    expect({ text, rounds, stopReason, used: stats.tokens }, `speculation ${speculation}`).toEqual(slow);
  }
});
