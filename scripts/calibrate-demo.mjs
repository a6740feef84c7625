#!/usr/bin/env node
// Calibrates the demonstration pairs on half of their questions and looks at the other half: `npm run calibrate:demo -- --help`.
import { existsSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { BuildError, runMain } from './lib/errors.mjs';
import { isRight, readQuestions, tasks } from './lib/eval-questions.mjs';
import { inRoot } from './lib/paths.mjs';

const help = `Calibrates the demonstration pairs (models/demo) on every second one of their questions, without a target and for
several rates of nudged tokens. Prints a Markdown table of the rates on the other questions, also by task, and of how
many of these are right. The exit code is 1 if a settled rate is more than 3 points off on the other questions.

Usage: npm run calibrate:demo -- [flags]

  --rows N        questions of each task, 16 to 150; default: 64
  --rates LIST    target rates, separated by commas, over 0 and under 1 each; default: 0.32,0.36,0.40
  --help          print this
`;

await runMain(async () => {
  const { rows, rates, wantsHelp } = readFlags();
  if (wantsHelp) {
    process.stdout.write(help);
    return 0;
  }
  const main = inRoot('dist/index.js');
  if (!existsSync(main)) throw new BuildError('dist/ is missing: run npm run build first');
  /** @type {typeof import('../lib/index.ts')} */
  const { calibrate, Nudging } = await import(pathToFileURL(main).href);

  const questions = readQuestions(rows);
  const known = questions.filter((_, index) => index % 2 === 0).map(({ question }) => question);
  const others = questions.filter((_, index) => index % 2 === 1);
  console.log('| pair | target | gamma | rate, calibrated | settled | rate, others | of definitions | of letters | right, others |');
  console.log('|---|---|---|---|---|---|---|---|---|');
  let off = 0;
  for (const pair of /** @type {const} */ (['pair', 'pair-cross'])) {
    // Models this small lose more time to the hand-over between threads than they win by them.
    const nudging = await Nudging.load({ pair: inRoot(`models/demo/${pair}.json`), threads: 1 });
    for (const targetRate of [undefined, ...rates]) {
      const found = await calibrate(nudging, { prompts: known, ...(targetRate === undefined ? {} : { targetRate }) });
      const answers = await Promise.all(
        others.map(async (question) => {
          const { text, stats } = await nudging.generate(question.question, { gamma: found.gamma });
          return { task: question.task, rate: stats.nudgeRatio, right: isRight(question, text) };
        }),
      );
      const mean = (/** @type {number[]} */ values) => values.reduce((sum, value) => sum + value, 0) / values.length;
      const rate = mean(answers.map((answer) => answer.rate));
      const byTask = tasks.map((task) => mean(answers.filter((answer) => answer.task === task).map((answer) => answer.rate)));
      if (targetRate !== undefined && found.settled && Math.abs(rate - targetRate) > 0.03) off += 1;
      const percent = (/** @type {number} */ share) => `${(share * 100).toFixed(1)} %`;
      const calibrated = `${percent(found.rate)} ± ${percent(found.standardError)}`;
      const right = percent(mean(answers.map((answer) => Number(answer.right))));
      const cells = [
        pair,
        targetRate === undefined ? 'none' : percent(targetRate),
        found.gamma,
        calibrated,
        found.settled ? 'yes' : 'no',
        percent(rate),
      ];
      console.log(`| ${[...cells, ...byTask.map(percent), right].join(' | ')} |`);
    }
    await nudging.close();
  }
  return off > 0 ? 1 : 0;
});

function readFlags() {
  /** @type {Record<string, string | boolean | undefined>} */
  let values;
  try {
    ({ values } = parseArgs({ options: { rows: { type: 'string' }, rates: { type: 'string' }, help: { type: 'boolean', short: 'h' } } }));
  } catch (error) {
    throw new BuildError(`${/** @type {Error} */ (error).message.split('. ')[0]}: see npm run calibrate:demo -- --help`);
  }
  const rows = Number(values['rows'] ?? 64);
  if (!Number.isInteger(rows) || rows < 16 || rows > 150)
    throw new BuildError(`--rows cannot be "${values['rows']}": it must be an integer from 16 to 150`);
  const rates = String(values['rates'] ?? '0.32,0.36,0.40')
    .split(',')
    .map(Number);
  if (!rates.every((rate) => rate > 0 && rate < 1))
    throw new BuildError(`--rates cannot be "${values['rates']}": it must be numbers over 0 and under 1, separated by commas`);
  return { rows, rates, wantsHelp: values['help'] === true };
}
