#!/usr/bin/env node
// Calibrates the embedded pairs on half of their questions and looks at the other half: `npm run calibrate:demo -- --help`.
import { existsSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { BuildError, runMain } from './lib/errors.mjs';
import * as demo from './lib/eval-questions.mjs';
import * as harbor from './lib/harbor.mjs';
import { inRoot } from './lib/paths.mjs';

/**
 * @typedef {{ task: string, question: string }} Question
 * @typedef
 *   {{ manifest: string, questions: (rows: number) => Question[], isRight: (question: any, text: string) => boolean, rates: number[] }}
 *   Subject
 */

const shortAnswers = { questions: demo.readQuestions, isRight: demo.isRight, rates: [0.32, 0.36, 0.4] };
/** By name; the rates are some that the pair's own curve has. @type {Record<string, Subject>} */
const subjects = {
  pair: { manifest: 'models/demo/pair.json', ...shortAnswers },
  'pair-cross': { manifest: 'models/demo/pair-cross.json', ...shortAnswers },
  harbor: { manifest: 'models/harbor/pair.json', questions: harbor.readHarborQuestions, isRight: harbor.isGood, rates: [0.16, 0.2, 0.22] },
};

const help = `Calibrates the embedded pairs on every second one of their questions, without a target and for several rates of nudged
tokens. Prints a Markdown table of the rates on the other questions, also by task, and of how many of these are right. The
exit code is 1 if a settled rate is more than 3 points off on the other questions.

Usage: npm run calibrate:demo -- [flags]

  --pairs LIST    of pair, pair-cross (models/demo) and harbor (models/harbor); default: all
  --rows N        questions of each task, 16 to 150 (harbor has 40); default: 64
  --rates LIST    target rates, separated by commas, over 0 and under 1 each; default: three for each pair
  --help          print this
`;

await runMain(async () => {
  const { pairs, rows, rates, wantsHelp } = readFlags();
  if (wantsHelp) {
    process.stdout.write(help);
    return 0;
  }
  const main = inRoot('dist/index.js');
  if (!existsSync(main)) throw new BuildError('dist/ is missing: run npm run build first');
  /** @type {typeof import('../lib/index.ts')} */
  const { calibrate, Nudging } = await import(pathToFileURL(main).href);

  console.log('| pair | target | gamma | rate, calibrated | settled | rate, others | by task | right, others |');
  console.log('|---|---|---|---|---|---|---|---|');
  let off = 0;
  for (const pair of pairs) {
    const subject = /** @type {Subject} */ (subjects[pair]);
    const questions = subject.questions(rows);
    const known = questions.filter((_, index) => index % 2 === 0).map(({ question }) => question);
    const others = questions.filter((_, index) => index % 2 === 1);
    // Models this small lose more time to the hand-over between threads than they win by them.
    const nudging = await Nudging.load({ pair: inRoot(subject.manifest), threads: 1 });
    for (const targetRate of [undefined, ...(rates ?? subject.rates)]) {
      const found = await calibrate(nudging, { prompts: known, ...(targetRate === undefined ? {} : { targetRate }) });
      const answers = await Promise.all(
        others.map(async (question) => {
          const { text, stats } = await nudging.generate(question.question, { gamma: found.gamma });
          return { task: question.task, rate: stats.nudgeRatio, right: subject.isRight(question, text) };
        }),
      );
      const mean = (/** @type {number[]} */ values) => values.reduce((sum, value) => sum + value, 0) / values.length;
      const rate = mean(answers.map((answer) => answer.rate));
      const byTask = [...new Set(answers.map(({ task }) => task))].map((task) => {
        const ofTask = answers.filter((answer) => answer.task === task).map((answer) => answer.rate);
        return `${task} ${(100 * mean(ofTask)).toFixed(0)}`;
      });
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
        byTask.join(', '),
        right,
      ];
      console.log(`| ${cells.join(' | ')} |`);
    }
    await nudging.close();
  }
  return off > 0 ? 1 : 0;
});

function readFlags() {
  /** @type {Record<string, string | boolean | undefined>} */
  let values;
  try {
    ({ values } = parseArgs({
      options: { pairs: { type: 'string' }, rows: { type: 'string' }, rates: { type: 'string' }, help: { type: 'boolean', short: 'h' } },
    }));
  } catch (error) {
    throw new BuildError(`${/** @type {Error} */ (error).message.split('. ')[0]}: see npm run calibrate:demo -- --help`);
  }
  const rows = Number(values['rows'] ?? 64);
  if (!Number.isInteger(rows) || rows < 16 || rows > 150)
    throw new BuildError(`--rows cannot be "${values['rows']}": it must be an integer from 16 to 150`);
  const pairs = String(values['pairs'] ?? Object.keys(subjects).join(',')).split(',');
  const stranger = pairs.find((pair) => !(pair in subjects));
  if (stranger !== undefined) throw new BuildError(`--pairs cannot be "${stranger}": it must be of ${Object.keys(subjects).join(', ')}`);
  const rates = values['rates'] === undefined ? undefined : String(values['rates']).split(',').map(Number);
  if (rates && !rates.every((rate) => rate > 0 && rate < 1))
    throw new BuildError(`--rates cannot be "${values['rates']}": it must be numbers over 0 and under 1, separated by commas`);
  return { pairs, rows, rates, wantsHelp: values['help'] === true };
}
