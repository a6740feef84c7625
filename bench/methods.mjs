#!/usr/bin/env node
// Every method of the family on one pair, side by side: `npm run bench:methods -- --help`.
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { Nudging } from '../dist/index.js';
import { BuildError, runMain } from '../scripts/lib/errors.mjs';
import { readQuestions, tasks } from '../scripts/lib/eval-questions.mjs';
import { load, machine } from './lib/machine.mjs';
import { judgedAims, Measurement, methodFigures } from './lib/measure-methods.mjs';
import { allMethods } from './lib/methods.mjs';
import { help, readMethodFlags } from './lib/methods-flags.mjs';
import { methodsReport } from './lib/methods-report.mjs';
import { readSetup } from './lib/setup.mjs';

await runMain(async () => {
  const flags = readMethodFlags();
  if (flags.help) {
    process.stdout.write(help);
    return;
  }
  const { setup, bytes, name: pairName } = await readSetup({ ...flags, context: 512 });
  const knowsQuestions = pairName.startsWith('demo') || pairName.startsWith('inflated');
  const scored = knowsQuestions && flags.scored > 0;
  const methods = allMethods({ knowsQuestions }).filter(({ name }) => flags.methods?.includes(name) ?? true);
  // Of both tasks alike, taking turns.
  const all = readQuestions(Math.ceil(Math.max(flags.questions, flags.scored) / tasks.length));
  const half = all.length / tasks.length;
  const questions = all.map(
    (_, index) => /** @type {typeof all[number]} */ (all[(index % tasks.length) * half + Math.floor(index / tasks.length)]),
  );
  const before = load();

  const { name, description, ...manifest } = /** @type {import('./lib/setup.mjs').LocalPair} */ (setup.pair);
  const engine = await Nudging.load({
    ...manifest,
    ...setup.settings,
    reference: flags.reference ?? manifest.reference ?? manifest.aligned,
    context: knowsQuestions ? 512 : 2048,
    parallel: 1,
    ...(setup.threads.forced ? { threads: setup.threads.base } : {}),
  });
  const measurement = new Measurement(engine, setup.prompt);
  try {
    await measurement.score(methods, questions.slice(0, knowsQuestions ? flags.scored : 0), ({ label }) =>
      console.error(`tried: ${label}`),
    );
    if (measurement.measured.length === 0) throw new BuildError(`nothing to measure: ${measurement.missing[0]?.reason}`);
    for (let round = 0; round < flags.rounds; round += 1) {
      await measurement.time(round, questions.slice(0, flags.questions));
      console.error(`round ${round + 1} of ${flags.rounds}`);
    }
  } finally {
    await engine.close();
  }

  const resultName = flags.name ?? `methods-${pairName}`;
  const result = {
    name: pairName,
    command: ['npm run bench:methods', ...(process.argv.length > 2 ? ['--', ...process.argv.slice(2)] : [])].join(' '),
    machine: machine(),
    load: { before, after: load() },
    bytes,
    setup: { settings: setup.settings, threads: setup.threads },
    reference:
      flags.reference !== undefined || manifest.reference !== undefined
        ? 'the one that was named'
        : "a stand-in, the aligned model's own file without its template: right for the time of a pass, and no small base",
    rounds: flags.rounds,
    timed: flags.questions,
    scored,
    methods: methodFigures(measurement.measured),
    aims: judgedAims(measurement.measured),
    missing: measurement.missing,
  };
  const report = methodsReport(result);
  console.log(flags.json ? JSON.stringify(result, null, 2) : report);
  if (flags.out === undefined) return;
  mkdirSync(flags.out, { recursive: true });
  writeFileSync(path.join(flags.out, `${resultName}.json`), `${JSON.stringify(result, null, 2)}\n`);
  writeFileSync(path.join(flags.out, `${resultName}.md`), report);
});
