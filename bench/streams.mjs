#!/usr/bin/env node
// Many requests at once: `node bench/streams.mjs --help`.
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { Nudging } from '../dist/index.js';
import { BuildError, runMain } from '../scripts/lib/errors.mjs';
import { load, machine } from './lib/machine.mjs';
import { markdownTable } from './lib/markdown.mjs';
import { readQuestions, readSetup } from './lib/setup.mjs';
import { spread } from './lib/statistics.mjs';
import { segments } from './rivals/prompts.mjs';

const help = `Measures how much more comes out when requests share forward passes, and how long their readers wait between pieces.

Usage: node bench/streams.mjs [flags]

  --pair PAIR       as for npm run bench; default: inflated
  --streams LIST    numbers of requests at once; the first one is what the others are compared with; default: 1,8
  --questions N     asked once by every number of streams; default: 24
  --rounds N        default: 3
  --threads N       default: all cores, fewer for small models
  --name NAME       of the result files; default: streams
  --out FOLDER      default: bench/results; --no-out writes nothing
  --help            print this
`;

await runMain(async () => {
  const text = /** @type {const} */ ({ type: 'string' });
  const { values } = parseArgs({
    options: {
      pair: text,
      streams: text,
      questions: text,
      rounds: text,
      threads: text,
      name: text,
      out: text,
      'no-out': { type: 'boolean' },
      help: { type: 'boolean' },
    },
  });
  if (values.help) {
    process.stdout.write(help);
    return;
  }
  const integer = (/** @type {string} */ flag, /** @type {string | undefined} */ value, /** @type {number} */ otherwise) => {
    if (value === undefined) return otherwise;
    if (!/^[1-9]\d{0,3}$/.test(value)) throw new BuildError(`--${flag} cannot be "${value}": it must be an integer from 1 to 9999`);
    return Number(value);
  };
  const numbers = (values.streams ?? '1,8').split(',').map((one) => integer('streams', one.trim(), 1));
  const threads = values.threads === undefined ? undefined : integer('threads', values.threads, 1);
  const { setup, bytes, name: pairName } = await readSetup({ pair: values.pair ?? 'inflated', threads, context: 512, settings: {} });
  const questions = readQuestions(integer('questions', values.questions, 24));
  const rounds = integer('rounds', values.rounds, 3);
  const before = load();

  /** @type {{ label: string, streams: number, speculation: boolean, engine: Nudging, rounds: Measured[] }[]} */
  const players = [];
  for (const streams of numbers) {
    for (const speculation of [false, true]) {
      const { name, description, ...manifest } = /** @type {import('../dist/index.js').Pair} */ (setup.pair);
      const engine = await Nudging.load({
        ...manifest,
        ...setup.settings,
        context: setup.context,
        parallel: streams,
        speculation,
        ...(setup.threads.forced ? { threads: setup.threads.base } : {}),
      });
      players.push({
        label: `${streams} stream${streams === 1 ? '' : 's'}, ${speculation ? 'nudging' : 'plain'}`,
        streams,
        speculation,
        engine,
        rounds: [],
      });
    }
  }
  for (let round = -1; round < rounds; round += 1) {
    for (const player of players) {
      const measured = await measure(player.engine, player.streams, setup.prompt, questions);
      // The first round warms up.
      if (round >= 0) player.rounds.push(measured);
    }
    console.error(round < 0 ? 'warmed up' : `round ${round + 1} of ${rounds}`);
  }
  for (const { engine } of players) await engine.close();

  const rate = (/** @type {Measured} */ { tokens, ms }) => (1000 * tokens) / ms;
  const rows = players.map(({ label, rounds: all }) => [
    label,
    spread(all.map(rate)).median.toFixed(1),
    spread(all.map(({ gap95 }) => gap95)).median.toFixed(0),
    spread(all.map(({ first }) => first)).median.toFixed(0),
  ]);
  const ratios = players.slice(1).flatMap((player) => {
    const compared = players.filter(
      (other) => other !== player && other.streams === (player.speculation ? player.streams : numbers[0]) && !other.speculation,
    );
    return compared.map((other) => ({
      label: `${player.label} ÷ ${other.label}`,
      tokens: spread(player.rounds.map((one, round) => rate(one) / rate(/** @type {Measured} */ (other.rounds[round])))),
      gap95: spread(player.rounds.map((one, round) => one.gap95 / /** @type {Measured} */ (other.rounds[round]).gap95)),
    }));
  });
  const show = (/** @type {{ median: number, min: number, max: number }} */ { median, min, max }) =>
    `${median.toFixed(2)} (${min.toFixed(2)}–${max.toFixed(2)})`;
  const command = ['node bench/streams.mjs', ...process.argv.slice(2)].join(' ');
  const sizes = `Base ${(bytes.base / 1e6).toFixed(0)} MB, aligned ${(bytes.aligned / 1e6).toFixed(0)} MB`;
  const report = `# ${values.name ?? 'streams'}

\`${command}\`, pair ${pairName}, on ${machine().cores} cores, one-minute load ${before} before and ${load()} after.
${sizes}; ${questions.length} questions, ${rounds} rounds; medians.

${markdownTable(['', 'tokens a second, all together', 'between pieces of a stream, 95th percentile, ms', 'first piece, ms'], rows)}

${markdownTable(
  ['ratio (range over rounds)', 'tokens a second', 'between pieces, 95th percentile'],
  ratios.map(({ label, tokens, gap95 }) => [label, show(tokens), show(gap95)]),
)}
`;
  console.log(report);
  if (values['no-out']) return;
  const out = values.out ?? 'bench/results';
  mkdirSync(out, { recursive: true });
  const stem = path.join(out, values.name ?? 'streams');
  writeFileSync(`${stem}.md`, report);
  const measured = players.map(({ label, rounds: all }) => ({ label, rounds: all }));
  writeFileSync(
    `${stem}.json`,
    `${JSON.stringify({ command: process.argv.slice(2), machine: machine(), players: measured, ratios }, null, 2)}\n`,
  );
});

/**
 * @typedef {{ tokens: number, ms: number, gap95: number, first: number }} Measured gap95: 95th percentile of the time between two pieces of
 *   one stream; first: median time to the first piece; ms
 */

/**
 * Asks all questions, so many at a time. What counts is the time in which that many streams ran: until one of them finds no further
 * question.
 * @param {Nudging} engine
 * @param {number} streams
 * @param {string | undefined} prompt
 * @param {readonly string[]} questions
 * @returns {Promise<Measured>}
 */
async function measure(engine, streams, prompt, questions) {
  const waiting = [...questions];
  /** @type {number[]} */
  const gaps = [];
  /** @type {number[]} */
  const firsts = [];
  let tokens = 0;
  const begin = performance.now();
  let end = 0;
  const reader = async () => {
    for (let question = waiting.shift(); question !== undefined; question = waiting.shift()) {
      const stream = engine.stream(
        prompt === undefined ? question : { base: segments(prompt, question), aligned: segments(prompt, question) },
      );
      let last = performance.now();
      let isFirst = true;
      let inTime = 0;
      for await (const { text } of stream) {
        const now = performance.now();
        if (end === 0) {
          (isFirst ? firsts : gaps).push(now - last);
          inTime += text.length;
        }
        isFirst = false;
        last = now;
      }
      const answer = await stream.answer;
      // Tokens are counted for answers: of one that was cut by the end, the share of its text.
      if (inTime > 0) tokens += (answer.stats.tokens * inTime) / answer.text.length;
    }
    end ||= performance.now();
  };
  await Promise.all(Array.from({ length: streams }, reader));
  gaps.sort((a, b) => a - b);
  return { tokens, ms: end - begin, gap95: gaps[Math.floor(gaps.length * 0.95)] ?? 0, first: spread(firsts).median };
}
