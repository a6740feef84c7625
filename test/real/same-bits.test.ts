// Whatever else an engine does, an answer is the same to the bit.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Answer, GenerateOptions, Input, LoadOptions } from '../../lib/index.ts';
import { inGroups, type Asking } from './support/asking.ts';
import { Report } from './support/report.ts';
import { allTheSame, sameness } from './support/sameness.ts';
import { families } from './support/settings.ts';
import { load, questions, setup } from './support/setup.ts';

/** An engine of its own for each: what another setting has left in the caches would answer for this one. */
async function answers(loading: LoadOptions, asking: Asking, inputs: readonly Input[], options: GenerateOptions): Promise<Answer[]> {
  await using engine = await load(loading);
  return await asking(engine, inputs, { ...options, gamma: 0.4, maxTokens: setup.maxTokens, trace: 'full' });
}

const secondTurns = (first: readonly Answer[]): Input[] =>
  questions.map((question, index) => [
    { role: 'user', content: question },
    { role: 'assistant', content: first[index]?.text ?? '' },
    { role: 'user', content: 'Say the same in fewer words.' },
  ]);

describe.each(families)('$name', ({ name, load: loading, options, inputs: kind, settings }) => {
  const plain = { load: { ...loading, threads: 1, parallel: 1 }, options: { ...options, speculation: false } };
  const report = new Report(`${name}; ${questions.length} questions, at most ${setup.maxTokens} tokens, against plain, alone, 1 thread`);
  let inputs: readonly Input[] = questions;
  let expected: Answer[] = [];

  beforeAll(async () => {
    if (kind === 'second turns') inputs = secondTurns(await answers(plain.load, inGroups(1), questions, plain.options));
    expected = await answers(plain.load, inGroups(1), inputs, plain.options);
  });
  afterAll(() => report.print());

  test('both models have their say', () => {
    const counts = expected.map(({ stats }) => stats);
    expect(counts.reduce((sum, { baseTokens }) => sum + baseTokens, 0)).toBeGreaterThan(questions.length);
    expect(counts.reduce((sum, { nudgedTokens }) => sum + nudgedTokens, 0)).toBeGreaterThan(questions.length);
  });

  test.each(settings.filter(({ quick }) => quick || !setup.quick))('$name', async (setting) => {
    const begin = performance.now();
    const got = await answers({ ...loading, ...setting.load }, setting.asking, inputs, { ...options, ...setting.options });
    const same = sameness(expected, got);
    report.add(setting.name, same, performance.now() - begin);
    expect(same).toMatchObject(allTheSame(same));
  });
});
