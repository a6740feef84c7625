#!/usr/bin/env node
// Measures the harbor pair: each model alone, and nudged at several gammas. `npm run eval:harbor -- --help` says more.
import { existsSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { BuildError, runMain } from './lib/errors.mjs';
import { readEvalFlags } from './lib/eval-flags.mjs';
import { writeBetweenMarks } from './lib/eval-table.mjs';
import { harborTable, measureHarbor, readHarborQuestions } from './lib/harbor.mjs';
import { inRoot } from './lib/paths.mjs';

const help = `Measures the harbor pair (models/harbor) on its questions and prints a Markdown table. Progress goes to stderr.

Usage: npm run eval:harbor -- [flags]

  --rows N        questions of each task, 1 to 40; default: 40
  --gamma LIST    gammas, separated by commas, 0 to 2 each; default: 0.1,0.2,0.3,0.4,0.6,0.8,0.95
  --pair FILE     another manifest; default: models/harbor/pair.json
  --answers       print every answer as a JSON line, too
  --write         also put the table into models/harbor/README.md, between its marks
  --help          print this
`;

await runMain(async () => {
  const flags = readEvalFlags(
    'npm run eval:harbor',
    { rows: 40, gammas: '0.1,0.2,0.3,0.4,0.6,0.8,0.95' },
    { pair: 'string', answers: 'boolean' },
  );
  if (flags.help) {
    process.stdout.write(help);
    return 0;
  }
  const main = inRoot('dist/index.js');
  if (!existsSync(main)) throw new BuildError('dist/ is missing: run npm run build first');
  /** @type {typeof import('../lib/index.ts')} */
  const { Nudging } = await import(pathToFileURL(main).href);
  const questions = readHarborQuestions(flags.rows);
  // Models this small lose more time to the hand-over between threads than they win by them.
  const nudging = await Nudging.load({ pair: String(flags.values['pair'] ?? inRoot('models/harbor/pair.json')), threads: 1 });
  const results = [];
  for (const gamma of [/** @type {const} */ ('base'), /** @type {const} */ ('aligned'), ...flags.gammas]) {
    results.push(await measureHarbor(nudging, gamma, questions));
    console.error(`measured: ${typeof gamma === 'number' ? `gamma ${gamma}` : `${gamma} alone`}`);
  }
  await nudging.close();
  if (flags.values['answers'] === true)
    for (const { answers } of results) for (const answer of answers) console.log(JSON.stringify(answer));
  console.log(harborTable(results));
  if (flags.write) writeBetweenMarks(inRoot('models/harbor/README.md'), harborTable(results));
  return 0;
});
