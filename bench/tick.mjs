#!/usr/bin/env node
// What the scheduler itself costs: `node bench/tick.mjs [SEQUENCES]`, by default 32. The time between two forward passes of the base, of
// which top-1 is given apart: for whole answers, and for streams, of which every piece is handed to JavaScript at once. Medians of ticks,
// and of rounds.
import { Nudging } from '../dist/index.js';
import { readQuestions } from './lib/setup.mjs';
import { median, sum } from './lib/statistics.mjs';

const sequences = Number(process.argv[2] ?? 32);
if (!Number.isInteger(sequences) || sequences < 1 || sequences > 256)
  throw new Error(`"${process.argv[2]}" is no number of sequences: give an integer from 1 to 256`);
const engine = await Nudging.load({ parallel: sequences, context: 256, mode: 'base', stop: [], trace: 'full' });

/** @param {(question: string) => Promise<import('../dist/index.js').Answer>} ask */
async function measure(ask) {
  const answers = await Promise.all(readQuestions(sequences).map(ask));
  // Passes in which everybody took part: all prompts are done, and nobody is.
  const spans = answers[0]?.spans ?? [];
  const gaps = spans.slice(1).flatMap(({ begin, tokens }, at) => {
    const before = spans[at];
    return before && tokens === sequences && before.tokens === sequences ? [begin - before.end] : [];
  });
  const questions = sum(answers.map(({ stats }) => stats.base.questions));
  return { gap: median(gaps), top1: (sequences * sum(answers.map(({ stats }) => stats.base.top1Ms))) / questions, ticks: gaps.length };
}

const ways = {
  'whole answers': (/** @type {string} */ question) => engine.generate(question, { maxTokens: 40 }),
  streams: async (/** @type {string} */ question) => {
    const stream = engine.stream(question, { maxTokens: 40 });
    for await (const _ of stream);
    return stream.answer;
  },
};
const micro = (/** @type {number} */ ms) => `${(1000 * ms).toFixed(0)} µs`;
for (const [name, ask] of Object.entries(ways)) {
  /** @type {{ gap: number, top1: number, ticks: number }[]} */
  const rounds = [];
  for (let round = 0; round < 9; round += 1) {
    // What was just answered would be answered from memory.
    rounds.push(await measure((question) => ask(`${question} (${name}, ${round})`)));
  }
  const of = (/** @type {'gap' | 'top1'} */ figure) => median(rounds.map((round) => round[figure]));
  const own = median(rounds.map(({ gap, top1 }) => gap - top1));
  const ticks = sum(rounds.map((round) => round.ticks));
  const gaps = `${micro(of('gap'))} between passes, of which ${micro(of('top1'))} is top-1; the scheduler's own: ${micro(own)}`;
  console.log(`${name}: ${sequences} sequences, ${ticks} ticks: ${gaps}`);
}
await engine.close();
