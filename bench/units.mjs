#!/usr/bin/env node
// What it costs to mix models byte by byte instead of token by token: `node bench/units.mjs --help`.
import { parseArgs } from 'node:util';
import { Nudging } from '../dist/index.js';
import { runMain } from '../scripts/lib/errors.mjs';
import { inRoot } from '../scripts/lib/paths.mjs';
import { describeMachine, load, machine } from './lib/machine.mjs';
import { readQuestions } from './lib/setup.mjs';
import { median } from './lib/statistics.mjs';

const help = `Measures ensembles and proxy tuning of one vocabulary with \`unit: 'token'\` and with \`unit: 'byte'\`, in turns, and
prints Markdown: milliseconds a token of the answer, as the base spells it, and how often each model was asked, a token.

Usage: node bench/units.mjs [flags]

  --pair PAIR        a pair's manifest (default: models/demo/pair.json)
  --reference FILE   for proxy tuning (default: models/demo/base.gguf)
  --questions N      default: 8
  --rounds N         default: 3
  --help             print this
`;

await runMain(async () => {
  const { values } = parseArgs({
    options: {
      pair: { type: 'string', default: inRoot('models/demo/pair.json') },
      reference: { type: 'string', default: inRoot('models/demo/base.gguf') },
      questions: { type: 'string', default: '8' },
      rounds: { type: 'string', default: '3' },
      help: { type: 'boolean' },
    },
  });
  if (values.help) {
    process.stdout.write(help);
    return;
  }
  const engine = await Nudging.load({ pair: values.pair, reference: values.reference });
  const questions = readQuestions(Number(values.questions));
  console.log(`${describeMachine(machine())}, one-minute load ${load()} before\n`);
  console.log('| mode | ms a token: token, byte | ratio | questions a token by model: token, byte |\n| --- | --- | --- | --- |');
  for (const mode of /** @type {const} */ (['ensemble', 'proxy-tuning'])) {
    /** @type {Record<'token' | 'byte', { ms: number, asked: number[] }[]>} */
    const runs = { token: [], byte: [] };
    for (let round = 0; round < Number(values.rounds); round++) {
      for (const question of questions) {
        for (const unit of /** @type {const} */ (['token', 'byte'])) {
          const options = { mode, unit, stop: [], maxTokens: 64 };
          // The prompt is in the cache then.
          await engine.generate(question, { ...options, maxTokens: 1 });
          const { stats } = await engine.generate(question, options);
          const lanes = [stats.base, stats.aligned, ...(mode === 'ensemble' ? [] : Object.values(stats.others))];
          runs[unit].push({ ms: stats.times.total / stats.tokens, asked: lanes.map((lane) => lane.questions / stats.tokens) });
        }
      }
    }
    const ms = (/** @type {'token' | 'byte'} */ unit) => median(runs[unit].map((run) => run.ms));
    const asked = (/** @type {'token' | 'byte'} */ unit) =>
      (runs[unit][0]?.asked ?? []).map((_, lane) => median(runs[unit].map((run) => run.asked[lane] ?? 0)).toFixed(2)).join(' ');
    const ratio = (ms('byte') / ms('token')).toFixed(2);
    console.log(`| ${mode} | ${ms('token').toFixed(2)}, ${ms('byte').toFixed(2)} | ${ratio} | ${asked('token')}, ${asked('byte')} |`);
  }
  await engine.close();
});
