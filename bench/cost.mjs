#!/usr/bin/env node
// Where a millisecond goes: `node bench/cost.mjs --help`.
import { readFileSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { Nudging } from '../dist/index.js';
import { BuildError, runMain } from '../scripts/lib/errors.mjs';
import { inRoot } from '../scripts/lib/paths.mjs';
import { measureForward } from './lib/forward.mjs';
import { costReport } from './lib/cost-report.mjs';
import { load, machine } from './lib/machine.mjs';
import { describeNamedPairs } from './lib/named-pairs.mjs';
import { measurePhases } from './lib/phases.mjs';
import { randomModel } from './lib/random-models.mjs';
import { readQuestions, readSetup } from './lib/setup.mjs';
import { measureVocabulary, vocabularies, vocabularyReport } from './lib/vocabularies.mjs';
import { isBuilt } from './rivals/binaries.mjs';

const help = `Measures where a millisecond of generation goes, and what forward passes cost, and how both grow, and prints Markdown.

Usage: node bench/cost.mjs [flags]

  --pair PAIR       a pair's manifest (default: models/demo/pair.json), or one that is made out of the demo pair:
${describeNamedPairs(' '.repeat(22))}
  --vocabularies    instead: what choosing a token costs, by the size of the vocabulary; makes models of 1.3 GB in all
  --questions N     at least 2; default: 4
  --rounds N        default: 2
  --threads N       default: all cores, fewer for small models
  --write           also put it into docs/cost-model.md, under the pair's marks, or the vocabularies'
  --help            print this

What forward passes cost is measured with llama-bench (\`npm run bench:rivals\`); without it, that part is left out.
`;

const modes = [
  { label: 'base alone', options: { mode: 'base', stop: [] } },
  { label: 'aligned alone', options: { mode: 'aligned' } },
  { label: 'nudging, plain', options: { speculation: false } },
  { label: 'nudging', options: {} },
];
/** @type {Record<string, { label: string, options: import('../dist/index.js').GenerateOptions }[]>} */
const sweeps = {
  γ: [0.2, 0.3, 0.4, 0.5].map((gamma) => ({ label: `γ ${gamma}`, options: { gamma } })),
  L: [4, 8, 16, 32].map((lookahead) => ({ label: `L ${lookahead}`, options: { lookahead } })),
  k: [
    { label: 'k 0', options: { speculation: false } },
    ...[1, 2, 4, 8, 15].map((count) => ({ label: `k ${count}`, options: { speculation: count } })),
    { label: 'k chosen', options: { speculation: true } },
  ],
};
/** Tokens of an answer that is there for its vocabulary alone. */
const vocabularyTokens = 48;

const command = ['node bench/cost.mjs', ...process.argv.slice(2)].join(' ');

await runMain(async () => {
  const values = read();
  if (values.help) {
    process.stdout.write(help);
    return;
  }
  if (values.vocabularies) await measureVocabularies(values);
  else await measurePair(values);
});

/** @param {ReturnType<typeof read>} values */
async function measurePair(values) {
  const { setup, bytes, name } = await readSetup({ pair: values.pair, threads: values.threads, context: 512, settings: {} });
  const questions = readQuestions(values.questions);
  const before = load();
  const variants = [...modes, ...Object.values(sweeps).flat()];
  const measured = await measurePhases(
    setup,
    variants.map(({ options }) => /** @type {import('../dist/index.js').GenerateOptions} */ (options)),
    questions,
    values.rounds,
  );
  const costs = variants.map(({ label }, index) => {
    const cost = measured[index];
    if (!cost) throw new Error(`nothing measured for ${label}`);
    return { label, ...cost };
  });

  if (!isBuilt('llama-bench')) console.error('left out: what forward passes cost (llama-bench is not built: npm run bench:rivals)');
  const forward = isBuilt('llama-bench')
    ? {
        base: await measureForward(setup.pair.base, setup.threads.base, 5),
        aligned: await measureForward(setup.pair.aligned, setup.threads.aligned, 5),
      }
    : undefined;
  const text = costReport({
    command,
    name,
    bytes,
    setup,
    questions: questions.length,
    rounds: values.rounds,
    machine: machine(),
    load: { before, after: load() },
    modes: costs.slice(0, modes.length),
    sweeps: costs.slice(modes.length),
    forward,
  });
  console.log(text);
  if (values.write) writeBetween(inRoot('docs/cost-model.md'), name, text);
}

/** @param {ReturnType<typeof read>} values */
async function measureVocabularies({ questions: count, rounds, threads, write }) {
  const questions = readQuestions(count);
  const before = load();
  const costs = [];
  for (const name of vocabularies) {
    const model = await randomModel(name);
    console.error(`measuring ${name}`);
    const engine = await Nudging.load({
      base: model,
      aligned: model,
      context: 256,
      parallel: 1,
      ...(threads === undefined ? {} : { threads }),
    });
    try {
      costs.push({ name, ...(await measureVocabulary(engine, questions, { rounds, maxTokens: vocabularyTokens })) });
    } finally {
      await engine.close();
    }
  }
  const text = vocabularyReport({
    command,
    machine: machine(),
    load: { before, after: load() },
    questions: questions.length,
    rounds,
    maxTokens: vocabularyTokens,
    costs,
  });
  console.log(text);
  if (write) writeBetween(inRoot('docs/cost-model.md'), 'vocabularies', text);
}

function read() {
  /** @type {Record<string, string | boolean | undefined>} */
  let values;
  const text = /** @type {const} */ ({ type: 'string' });
  try {
    ({ values } = parseArgs({
      options: {
        pair: text,
        questions: text,
        rounds: text,
        threads: text,
        vocabularies: { type: 'boolean' },
        write: { type: 'boolean' },
        help: { type: 'boolean' },
      },
    }));
  } catch (error) {
    throw new BuildError(`${/** @type {Error} */ (error).message.split('. ')[0]}: see node bench/cost.mjs --help`);
  }
  if (values['vocabularies'] === true && values['pair'] !== undefined)
    throw new BuildError('--vocabularies measures models of its own: leave --pair out');
  /** @param {string} flag @param {number} high @param {number} [low] */
  const integer = (flag, high, low = 1) => {
    const value = values[flag];
    if (value === undefined) return undefined;
    if (!/^\d+$/.test(String(value)) || Number(value) < low || Number(value) > high)
      throw new BuildError(`--${flag} cannot be "${value}": it must be an integer from ${low} to ${high}`);
    return Number(value);
  };
  return {
    help: values['help'] === true,
    write: values['write'] === true,
    vocabularies: values['vocabularies'] === true,
    pair: /** @type {string | undefined} */ (values['pair']),
    questions: integer('questions', 300, 2) ?? 4,
    rounds: integer('rounds', 100) ?? 2,
    threads: integer('threads', 512),
  };
}

/** Replaces what stands between a pair's marks, or adds it at the end. @param {string} file @param {string} name @param {string} text */
function writeBetween(file, name, text) {
  const [begin, end] = [`<!-- ${name}:begin -->`, `<!-- ${name}:end -->`];
  const content = readFileSync(file, 'utf8');
  const [from, to] = [content.indexOf(begin), content.indexOf(end)];
  const block = `${begin}\n${text}\n${end}`;
  writeFileSync(
    file,
    from >= 0 && to > from ? content.slice(0, from) + block + content.slice(to + end.length) : `${content.trimEnd()}\n\n${block}\n`,
  );
}
