#!/usr/bin/env node
// What a GPU of stated speed would make of the scheduler's choices, on a machine that has none: `node bench/simulated.mjs --help`.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { makePlan } from '../scripts/lib/configs.mjs';
import { BuildError, runMain } from '../scripts/lib/errors.mjs';
import { questions } from '../scripts/lib/gpu/stress.mjs';
import { inRoot } from '../scripts/lib/paths.mjs';
import { markdownTable } from './lib/markdown.mjs';

const help = `The engine as it is, with the demonstration pair, on a simulated GPU: every pass takes as long as a big pair's would take,
and longer beside the other model's. Shows what the scheduler makes of such times; it is no measurement of a GPU. Takes three minutes.

Usage: node bench/simulated.mjs [flags]

  --times FILE    JSON: base and aligned, lists of [tokens, milliseconds] with rising tokens; beside, how many times as long a pass of
                  each takes beside the other's; measured (optional), what such a GPU really did, to compare
                  default: bench/simulated/h100.json
  --streams LIST  requests at once; default: 1,8,32
  --questions N   2 to 300, of models/demo/eval.jsonl; default: four for each of the requests at once, and at least 24
  --slower N      1 to 99: so many times slower than stated, so that this machine's own passes weigh little; default: 3
  --help          print this
`;

/**
 * @typedef {{ streams: number, way: string, lanes: string, tokensPerSecond: number }} Row
 * @typedef {object} Times
 * @property {string} [about]
 * @property {[tokens: number, ms: number][]} base
 * @property {[tokens: number, ms: number][]} aligned
 * @property {[base: number, aligned: number]} beside
 * @property {Row[]} [measured]
 */

/** @param {string} file @returns {Times} */
function timesOf(file) {
  if (!existsSync(file)) throw new BuildError(`--times: there is no file "${file}"`);
  let times;
  try {
    times = JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    throw new BuildError(`--times: "${file}" is no JSON: ${error instanceof Error ? error.message : error}`);
  }
  const isPair = (/** @type {unknown} */ pair) =>
    Array.isArray(pair) && pair.length === 2 && pair.every((one) => typeof one === 'number' && one > 0);
  const isCurve = (/** @type {unknown} */ curve) =>
    Array.isArray(curve) && curve.length > 1 && curve.every((pair, at) => isPair(pair) && !(at > 0 && pair[0] <= curve[at - 1][0]));
  if (!isCurve(times?.base) || !isCurve(times.aligned) || !isPair(times.beside))
    throw new BuildError(
      `--times: "${file}" is to have base and aligned, lists of at least two [tokens, milliseconds], and beside, two numbers`,
    );
  return times;
}

const ways = /** @type {const} */ ([
  ['base', 'apart', 'base alone'],
  ['plain', 'turns', 'plain, in turn'],
  ['plain', 'apart', 'plain'],
  ['speculative', 'turns', 'speculative, in turn'],
  ['speculative', 'apart', 'speculative'],
]);

const number = (/** @type {number | undefined} */ value, digits = 2) => (value === undefined ? '–' : value.toFixed(digits));

await runMain(async () => {
  const text = /** @type {const} */ ({ type: 'string' });
  const { values } = parseArgs({ options: { times: text, streams: text, questions: text, slower: text, help: { type: 'boolean' } } });
  if (values.help) return void process.stdout.write(help);
  const program = path.join(makePlan({ variant: 'cpu' }).out, 'simulated_gpu');
  if (!existsSync(program)) throw new BuildError('simulated_gpu is not built: node scripts/build.mjs --tests');
  const { about, base, aligned, beside, measured = [] } = timesOf(values.times ?? inRoot('bench/simulated/h100.json'));
  const count = values.questions === undefined ? undefined : Number(values.questions);
  if (count !== undefined && !(Number.isInteger(count) && count >= 2 && count <= 300))
    throw new BuildError(`--questions cannot be "${values.questions}": it must be a whole number from 2 to 300`);
  const slower = values.slower ?? '3';
  if (!/^[1-9]\d?$/.test(slower)) throw new BuildError(`--slower cannot be "${slower}": it must be a whole number from 1 to 99`);
  const list = (/** @type {[number, number][]} */ times) => times.map((each) => each.join(':')).join(',');
  const folder = mkdtempSync(path.join(tmpdir(), 'nudging-simulated-'));
  const rows = [];
  try {
    for (const streams of (values.streams ?? '1,8,32').split(',').map(Number)) {
      if (!Number.isInteger(streams) || streams < 1 || streams > 64)
        throw new BuildError(`--streams cannot be "${values.streams}": it must be whole numbers from 1 to 64, with commas`);
      const asked = path.join(folder, `${streams}.txt`);
      writeFileSync(asked, questions(count ?? Math.max(24, 4 * streams)).join('\n'));
      /** @type {Row | undefined} */
      let alone;
      const real = measured.filter((row) => row.streams === streams);
      const realAlone = real.find((row) => row.way === 'base');
      for (const [way, lanes, name] of ways) {
        const told = execFileSync(
          program,
          [
            ['--models', inRoot('models/demo')],
            ['--questions', asked],
            ['--base-times', list(base)],
            ['--aligned-times', list(aligned)],
            ['--beside', beside.join(',')],
            ['--streams', String(streams)],
            ['--slower', slower],
            ['--way', way],
            ['--lanes', lanes],
          ].flat(),
          { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] },
        );
        const row = JSON.parse(told);
        alone ??= row;
        const there = real.find((one) => one.way === way && one.lanes === lanes);
        const ratio = (/** @type {number | undefined} */ here, /** @type {number | undefined} */ against) =>
          here === undefined || against === undefined ? undefined : here / against;
        rows.push([
          String(streams),
          name,
          number(row.tokensPerSecond, 0),
          number(ratio(row.tokensPerSecond, alone?.tokensPerSecond)),
          number(ratio(there?.tokensPerSecond, realAlone?.tokensPerSecond)),
          number(row.firstMs, 1),
          `${number(row.base.passesPerToken)}, ${number(row.aligned.passesPerToken)}`,
          `${number(row.base.tokensPerPass, 1)}, ${number(row.aligned.tokensPerPass, 1)}`,
          number(row.both),
        ]);
        console.error(`${streams} at once, ${name}: ${number(row.tokensPerSecond, 0)} tokens a second`);
      }
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  if (about) console.log(`Simulated: ${about}.\n`);
  const head = ['requests', '', 'tokens a second', '÷ base alone', 'so measured', 'first text, ms', 'passes a token: base, aligned'];
  console.log(markdownTable([...head, 'tokens a pass', 'of the time both at work'], rows));
});
