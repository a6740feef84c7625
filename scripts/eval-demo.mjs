#!/usr/bin/env node
// Measures the demonstration pair: each model alone, and nudged at several gammas. `npm run eval:demo -- --help` says more.
import { existsSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { BuildError, runMain } from './lib/errors.mjs';
import { readEvalFlags } from './lib/eval-flags.mjs';
import { readQuestions } from './lib/eval-questions.mjs';
import { measure, shortfalls, systems } from './lib/eval-systems.mjs';
import { table, writeBetweenMarks } from './lib/eval-table.mjs';
import { inRoot } from './lib/paths.mjs';

const help = `Measures the demonstration pairs (models/demo) on their questions and prints a Markdown table.
Progress goes to stderr. The exit code is 1 if a nudged pair is not above both of its models alone in both tasks.

Usage: npm run eval:demo -- [flags]

  --rows N        questions of each task, 1 to 150; default: 150
  --gamma LIST    gammas, separated by commas, 0 to 2 each; default: 0.2,0.3,0.4,0.5
  --json          print the counts as JSON instead of the table
  --write         also put the table into models/demo/README.md, between its marks
  --help          print this
`;

await runMain(async () => {
  const flags = readEvalFlags('npm run eval:demo', { rows: 150, gammas: '0.2,0.3,0.4,0.5' }, { json: 'boolean' });
  if (flags.help) {
    process.stdout.write(help);
    return 0;
  }
  const main = inRoot('dist/index.js');
  if (!existsSync(main)) throw new BuildError('dist/ is missing: run npm run build first');
  /** @type {typeof import('../lib/index.ts')} */
  const { Nudging } = await import(pathToFileURL(main).href);

  const questions = readQuestions(flags.rows);
  const all = systems(flags.gammas);
  const step = progress(all.length * questions.length);
  const results = [];
  for (const pair of /** @type {const} */ (['pair', 'pair-cross'])) {
    // Models this small lose more time to the hand-over between threads than they win by them.
    const nudging = await Nudging.load({ pair: inRoot(`models/demo/${pair}.json`), threads: 1 });
    for (const system of all.filter((each) => each.pair === pair))
      results.push(await measure(nudging, system, questions, () => step(system)));
    await nudging.close();
  }

  console.log(flags.values['json'] === true ? JSON.stringify(results, null, 2) : table(results));
  if (flags.write) writeBetweenMarks(inRoot('models/demo/README.md'), table(results));
  const missed = shortfalls(results);
  for (const line of missed) console.error(line);
  return missed.length > 0 ? 1 : 0;
});

/** @param {number} total answers of the whole run */
function progress(total) {
  let done = 0;
  let last = performance.now();
  return (/** @type {import('./lib/eval-systems.mjs').System} */ { name, gamma }) => {
    done += 1;
    // A log needs a line now and then, a terminal one that moves.
    if (done < total && performance.now() - last < (process.stderr.isTTY ? 200 : 10_000)) return;
    last = performance.now();
    const line = `${done} of ${total} answers (${name}${gamma === undefined ? '' : `, gamma ${gamma}`})`;
    process.stderr.write(process.stderr.isTTY ? `\r${line}\x1b[K${done === total ? '\n' : ''}` : `${line}\n`);
  };
}
