#!/usr/bin/env node
// What the scheduler itself costs: `node bench/tick.mjs [SEQUENCES]`, by default 32. The time between two forward passes of the base, of which top-1 is given apart.
import { Nudging } from '../dist/index.js';
import { readQuestions } from './lib/setup.mjs';
import { median, sum } from './lib/statistics.mjs';

const sequences = Number(process.argv[2] ?? 32);
if (!Number.isInteger(sequences) || sequences < 1 || sequences > 256) throw new Error(`"${process.argv[2]}" is no number of sequences: give an integer from 1 to 256`);
const engine = await Nudging.load({ parallel: sequences, context: 256, mode: 'base', trace: 'full' });
const answers = await Promise.all(readQuestions(sequences).map((question) => engine.generate(question, { maxTokens: 40 })));
await engine.close();

// Passes in which everybody took part: all prompts are done, and nobody is.
const [{ spans = [] } = {}] = answers;
const full = spans.filter(({ tokens }) => tokens === sequences);
const gaps = full.slice(1).flatMap(({ begin }, at) => {
  const before = full[at];
  return before && spans.indexOf(before) + 1 === spans.findIndex((span) => span.begin === begin) ? [begin - before.end] : [];
});
const questions = sum(answers.map(({ stats }) => stats.base.questions));
const top1 = (sequences * sum(answers.map(({ stats }) => stats.base.top1Ms))) / questions;
const micro = (/** @type {number} */ ms) => `${(1000 * ms).toFixed(0)} µs`;
console.log(`${sequences} sequences, ${gaps.length} ticks: ${micro(median(gaps))} between passes, of which ${micro(top1)} is top-1; the scheduler's own: ${micro(median(gaps) - top1)} (median)`);
