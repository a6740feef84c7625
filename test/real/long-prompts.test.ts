// A prompt of three of Gemma's sliding windows (512 tokens), read in other pieces and beside others.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Answer, GenerateOptions, LoadOptions, Nudging } from '../../lib/index.ts';
import { kept } from './support/kept.ts';
import { Report } from './support/report.ts';
import { allTheSame, sameness } from './support/sameness.ts';
import { load, prose, setup } from './support/setup.ts';

// The short run makes do with more than one window.
const copies = setup.quick ? [1, 2] : [1, 2, 3, 4];
const story = copies.map((number) => `Copy ${number}.\n\n${prose}`).join('\n\n');
const about = (question: string) => `${story}\n\n${question}`;
const question = about('What is at the end of the wall?');
const other = about('How many boats are there today?');
const options: GenerateOptions = { gamma: 0.4, maxTokens: 32, trace: 'full', speculation: false };
const report = new Report('A long prompt, against plain, alone, 1 thread, all of it at once');

const engineFor = (loading: LoadOptions = {}) => load({ context: 2560, batch: 2560, ...loading });

let expected: Answer;
let expectedOther: Answer;
beforeAll(async () => {
  const fresh = async (input: string) => {
    await using engine = await engineFor();
    return await engine.generate(input, options);
  };
  expected = await fresh(question);
  expectedOther = await fresh(other);
});
afterAll(() => report.print());

async function judge(
  name: string,
  loading: LoadOptions,
  run: (engine: Nudging) => Promise<Answer[]>,
  wanted: Answer[] = [expected],
): Promise<Answer[]> {
  await using engine = await engineFor(loading);
  const begin = performance.now();
  const got = await run(engine);
  const same = sameness(wanted, got);
  report.add(name, same, performance.now() - begin);
  expect(same).toMatchObject(allTheSame(same));
  return got;
}

test('is longer than a sliding window', () => {
  expect(expected.stats.base.promptTokens).toBeGreaterThan(setup.quick ? 700 : 1500);
  expect(kept(expected)).toEqual([0, 0]);
  expect(expected.stats.tokens).toBeGreaterThan(5);
});

describe('read in pieces', () => {
  test.each(setup.quick ? [100] : [2560, 512, 100, 64, 16])('of at most %i tokens', async (batch) => {
    await judge(`batches of ${batch}`, { batch }, async (engine) => [await engine.generate(question, options)]);
  });
});

test('is not read again by who asks something else about it', async () => {
  const [answer] = await judge('after another question about it, 2 threads', { threads: 2 }, async (engine) => {
    await engine.generate(other, options);
    return [await engine.generate(question, options)];
  });
  for (const part of kept(answer as Answer)) expect(part).toBeGreaterThan(0.9);
});

test.skipIf(setup.quick)('is not read again by the same question, with guesses', async () => {
  const [answer] = await judge('again, speculative', {}, async (engine) => {
    await engine.generate(question, options);
    await engine.generate('What is a harbor?', options);
    return [await engine.generate(question, { ...options, speculation: true })];
  });
  expect(answer?.stats.tokens).toBe(expected.stats.tokens);
});

test('is read once for two who ask at the same time', async () => {
  const run = (engine: Nudging) => Promise.all([question, other].map((input) => engine.generate(input, { ...options, speculation: 4 })));
  const answers = await judge('two together, 4 guesses', { parallel: 2, batch: 256 }, run, [expected, expectedOther]);
  // Gemma's sequences have a buffer each, because of its window, and share nothing; which of the two comes second is open.
  expect(Math.max(...answers.map((answer) => kept(answer)[1] ?? 0))).toBeGreaterThan(0.9);
});
