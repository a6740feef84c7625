#!/usr/bin/env node
// Measures nudging against its rivals. `npm run bench -- --help` says how.
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { BuildError, runMain } from '../scripts/lib/errors.mjs';
import { agreement } from './lib/agreement.mjs';
import { barChart } from './lib/chart.mjs';
import { figures } from './lib/figures.mjs';
import { help, readFlags } from './lib/flags.mjs';
import { allFit, load, machine } from './lib/machine.mjs';
import { report } from './lib/markdown.mjs';
import { makePlayers } from './lib/players.mjs';
import { killAll } from './lib/rival-process.mjs';
import { ratios } from './lib/ratios.mjs';
import { playRounds } from './lib/rounds.mjs';
import { readQuestions, readSetup } from './lib/setup.mjs';
import { spread } from './lib/statistics.mjs';

await runMain(async () => {
  try {
    await main();
  } finally {
    killAll();
  }
});

async function main() {
  const flags = readFlags();
  if (flags.help) {
    process.stdout.write(help);
    return;
  }
  const { setup, bytes, name: pairName } = await readSetup(flags);
  const name = flags.name ?? pairName;
  const questions = readQuestions(flags.questions);
  const before = load();

  const keep = allFit(bytes.base + bytes.aligned, flags.rivals.length);
  const { players, missing, onFailure, finish } = await makePlayers({ wanted: flags.rivals, setup, questions, keep, log: console.error });
  if (players.length === 0) throw new BuildError('there is nobody to measure');
  const samples = await playRounds(players, flags.rounds, {
    onRound: (round) => console.error(`round ${round + 1} of ${flags.rounds}`),
    onFailure,
  });
  const watched = await finish();

  const rivals = watched.map(({ rival, ...rest }) => {
    const measured = samples.get(rival.name);
    if (!measured) throw new Error(`no samples of ${rival.name}`);
    return { name: rival.name, label: rival.label, status: 'ok', nudges: rival.nudges, ours: rival.ours, ...figures(measured, rest) };
  });
  const bench = { base: samples.get('llama-bench base'), aligned: samples.get('llama-bench aligned') };
  const { pair, ...shownSetup } = setup;
  const result = {
    name,
    command: ['npm run bench', ...(process.argv.length > 2 ? ['--', ...process.argv.slice(2)] : [])].join(' '),
    machine: machine(),
    load: { before, after: load() },
    bytes,
    setup: shownSetup,
    rounds: flags.rounds,
    questions,
    floor: bench.base && bench.aligned ? { base: spread(bench.base.msPerToken), aligned: spread(bench.aligned.msPerToken) } : null,
    ratios: ratios(samples),
    agreement: agreement(rivals),
    rivals: [...rivals, ...missing],
  };

  const markdown = report(result);
  console.log(markdown);
  if (flags.out === undefined) return;
  mkdirSync(flags.out, { recursive: true });
  const bars = rivals.map(({ label, ours, msPerToken: { median, min, max } }) => ({ label, ours, value: median, low: min, high: max }));
  const write = (/** @type {string} */ ending, /** @type {string} */ content) =>
    writeFileSync(path.join(/** @type {string} */ (flags.out), `${name}.${ending}`), content);
  write('json', `${JSON.stringify(result, null, 2)}\n`);
  write('md', markdown);
  write('svg', barChart(`Milliseconds per output token, ${name}: median and range of ${flags.rounds} rounds`, bars));
}
