#!/usr/bin/env node
// Measures the harbor pair: each model alone, and nudged at several gammas. `npm run eval:harbor -- --help` says more.
import { existsSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { BuildError, runMain } from './lib/errors.mjs';
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
  const flags = readFlags();
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
  const nudging = await Nudging.load({ pair: flags.pair, threads: 1 });
  const results = [];
  for (const gamma of [/** @type {const} */ ('base'), /** @type {const} */ ('aligned'), ...flags.gammas]) {
    results.push(await measureHarbor(nudging, gamma, questions));
    console.error(`measured: ${typeof gamma === 'number' ? `gamma ${gamma}` : `${gamma} alone`}`);
  }
  await nudging.close();
  if (flags.answers) for (const { answers } of results) for (const answer of answers) console.log(JSON.stringify(answer));
  console.log(harborTable(results));
  if (flags.write) writeBetweenMarks(inRoot('models/harbor/README.md'), harborTable(results));
  return 0;
});

function readFlags() {
  /** @type {Record<string, string | boolean | undefined>} */
  let values;
  try {
    ({ values } = parseArgs({
      options: {
        rows: { type: 'string' },
        gamma: { type: 'string' },
        pair: { type: 'string' },
        answers: { type: 'boolean' },
        write: { type: 'boolean' },
        help: { type: 'boolean', short: 'h' },
      },
    }));
  } catch (error) {
    throw new BuildError(`${/** @type {Error} */ (error).message.split('. ')[0]}: see npm run eval:harbor -- --help`);
  }
  const rows = Number(values['rows'] ?? 40);
  if (!Number.isInteger(rows) || rows < 1 || rows > 40)
    throw new BuildError(`--rows cannot be "${values['rows']}": it must be an integer from 1 to 40`);
  const gammas = String(values['gamma'] ?? '0.1,0.2,0.3,0.4,0.6,0.8,0.95')
    .split(',')
    .map((part) => (part.trim() === '' ? Number.NaN : Number(part)));
  if (!gammas.every((gamma) => gamma >= 0 && gamma <= 2))
    throw new BuildError(`--gamma cannot be "${values['gamma']}": it must be numbers from 0 to 2, separated by commas`);
  const is = (/** @type {string} */ name) => values[name] === true;
  const pair = String(values['pair'] ?? inRoot('models/harbor/pair.json'));
  return { rows, gammas, pair, answers: is('answers'), write: is('write'), help: is('help') };
}
