#!/usr/bin/env node
// Everything that needs a GPU, in one run of under eight minutes: `node bench/gpu.mjs --help`; docs/gpu.md says what the rows mean.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { makePlan } from '../scripts/lib/configs.mjs';
import { BuildError, runMain } from '../scripts/lib/errors.mjs';
import { answersAsTheDemoPair, gpuPair, sizes, weightsOf } from '../scripts/lib/gpu/models.mjs';
import { inTurns, runChild } from '../scripts/lib/gpu/run.mjs';
import { isGood, questions, reference, rowOf, stress } from '../scripts/lib/gpu/stress.mjs';
import { inRoot } from '../scripts/lib/paths.mjs';
import { placements, speeds, vocabularies } from './gpu/speeds.mjs';
import { speedRow, speedTable } from './gpu/table.mjs';
import { markdownTable } from './lib/markdown.mjs';

const help = `Measures on a GPU, and looks for what breaks there. Needs node, dist/, models/demo, an addon with CUDA, and the
programs inflate and quantise.

Usage: node bench/gpu.mjs [flags]

  --parts LIST      default: columns,cause,speed,top1,gpus (of which gpus needs several of them); columns and most of cause need an
                    addon with the experiments in it (docs/gpu.md); top1 the program random_model as well;
                    sanitizer beside cause: a small pair under compute-sanitizer
  --repeat N        runs of each setting of the part cause; default: 1
  --at-once N       runs of the part cause side by side; default: 3
  --size LIST       of the pairs for speed and gpus: ${Object.keys(sizes).join(', ')};
                    default: small
  --device LIST     GPUs that may be used, as CUDA0,CUDA1; default: all
  --seconds N       after which no further row of speed, top1 and gpus is begun; default: 470
  --only REGEX      of the part cause, the settings whose names match
  --tools FOLDER    where inflate and quantise are; default: this checkout's build
  --models FOLDER   where models are made and kept; default: in the system's temporary folder
  --output FOLDER   JSON of all runs, and what processes that died wrote
  --help            print this
`;

/** @typedef {import('../scripts/lib/gpu/stress.mjs').Setting} Setting */
/** @typedef {import('../scripts/lib/gpu/stress.mjs').Ran} Ran */

/** With graphs, and experiments of the binary that docs/gpu.md describes. @param {string[]} names */
const graphs = (...names) => ({ NUDGING_CUDA_GRAPHS: '1', ...(names.length > 0 ? { NUDGING_CUDA_EXPERIMENT: names.join(',') } : {}) });

/** What may explain that 32 requests at once break with CUDA graphs. @returns {(Omit<Setting, 'streams'> & { runs?: number })[]} */
const causes = () => [
  { name: 'graphs, updated in place as upstream does', weights: 'f16', env: graphs('update'), runs: 3 },
  { name: 'graphs, made anew when they change', weights: 'f16', env: graphs(), runs: 3 },
  { name: 'no graphs', weights: 'f16', runs: 1 },
  { name: 'graphs updated, names of kernels', weights: 'f16', env: graphs('update', 'names'), runs: 1 },
  { name: 'graphs updated, products one by one', weights: 'f16', env: graphs('update', 'no-batched'), runs: 1 },
  { name: 'graphs updated, none with cuBLAS', weights: 'f16', env: graphs('update', 'no-cublas-capture'), runs: 2 },
  { name: 'graphs updated, quantised weights', weights: 'q8_0', env: graphs('update'), runs: 2 },
  { name: 'graphs updated, every replay compared', weights: 'f16', env: graphs('update', 'verify'), runs: 1 },
  { name: 'graphs anew, every replay compared', weights: 'f16', env: graphs('verify'), runs: 1 },
  {
    name: 'graphs updated, core dump',
    weights: 'f16',
    env: {
      ...graphs('update'),
      CUDA_ENABLE_COREDUMP_ON_EXCEPTION: '1',
      CUDA_COREDUMP_GENERATION_FLAGS: 'skip_global_memory,skip_shared_memory,skip_local_memory',
      CUDA_COREDUMP_FILE: path.join(dumps, 'core.%p'),
    },
    limit: 60,
    runs: 2,
  },
  { name: 'graphs updated, synchronised', weights: 'f16', env: graphs('update', 'sync'), runs: 1 },
  { name: 'graphs updated, base alone', weights: 'f16', env: graphs('update'), ask: { mode: 'base' }, runs: 1 },
  { name: 'graphs updated, aligned alone', weights: 'f16', env: graphs('update'), ask: { mode: 'aligned' }, runs: 1 },
  { name: 'graphs updated, one lane after the other', weights: 'f16', env: graphs('update'), load: { overlap: false }, runs: 1 },
  { name: "graphs updated, cuBLAS's own workspace", weights: 'f16', env: graphs('update', 'no-workspace'), runs: 1 },
  {
    name: 'graphs updated, CUBLAS_WORKSPACE_CONFIG',
    weights: 'f16',
    env: { ...graphs('update'), CUBLAS_WORKSPACE_CONFIG: ':4096:8' },
    runs: 1,
  },
  { name: 'graphs updated, products in F32', weights: 'f16', env: { ...graphs('update'), GGML_CUDA_CUBLAS_COMPUTE_TYPE: 'f32' }, runs: 1 },
];

const dumps = path.join(tmpdir(), 'nudging-gpu-dumps');

/** Ends a table's cell. */
const number = (/** @type {number} */ value, digits = 2) => (Number.isFinite(value) ? value.toFixed(digits) : '–');

await runMain(async () => {
  const text = /** @type {const} */ ({ type: 'string' });
  const { values } = parseArgs({
    options: {
      parts: text,
      repeat: text,
      'at-once': text,
      size: text,
      device: text,
      seconds: text,
      only: text,
      tools: text,
      models: text,
      output: text,
      help: { type: 'boolean' },
    },
  });
  if (values.help) {
    process.stdout.write(help);
    return 0;
  }
  const parts = (values.parts ?? 'columns,cause,speed,top1,gpus').split(',');
  for (const part of parts)
    if (!['columns', 'cause', 'sanitizer', 'speed', 'top1', 'gpus'].includes(part))
      throw new BuildError(`--parts: there is no "${part}"; known are columns, cause, sanitizer, speed, top1 and gpus`);
  const chosen = (values.size ?? 'small').split(',');
  for (const name of chosen)
    if (!Object.hasOwn(sizes, name)) throw new BuildError(`--size: there is no "${name}"; known are ${Object.keys(sizes).join(', ')}`);
  const places = { tools: values.tools ?? makePlan({ variant: 'cpu' }).out, folder: values.models ?? path.join(tmpdir(), 'nudging-gpu') };
  const begun = performance.now();
  const say = (/** @type {string} */ line) => console.error(`[${((performance.now() - begun) / 1000).toFixed(0)} s] ${line}`);
  const asked = questions(96);
  const demo = inRoot('models/demo/pair.json');
  /** @type {Ran[]} */
  const ran = [];
  const save = () => {
    if (!values.output) return;
    mkdirSync(values.output, { recursive: true });
    writeFileSync(
      path.join(values.output, 'gpu.json'),
      JSON.stringify(
        ran.map(({ stderr, ...rest }) => ({ ...rest, ...(rest.outcome ? { outcome: { ...rest.outcome, texts: undefined } } : {}) })),
        null,
        1,
      ),
    );
    const said = ran.filter(({ stderr }) => stderr !== '').map(({ setting, stderr }) => `== ${setting.name}\n${stderr.slice(-6000)}`);
    writeFileSync(path.join(values.output, 'stderr.txt'), said.join('\n'));
  };

  // Models are made by CPU cores, while the GPU measures single products.
  const making = parts.includes('cause')
    ? Promise.all([gpuPair('small', 'f16', places), gpuPair('small', 'q8_0', places), reference('f16', asked, places)])
    : undefined;
  const speed = parts.includes('speed') ? chosen : [];
  const others = [...speed, ...(parts.includes('top1') ? ['vocabulary'] : [])].map((name) => gpuPair(name, weightsOf(name), places));
  // Awaited later; until then a failure is nobody's.
  for (const one of [making, ...others]) one?.catch(() => {});

  const hello = await runChild(
    { load: { pair: demo, parallel: 1 }, questions: asked.slice(0, 1), streams: 1, seconds: 0 },
    { limit: 60, env: { NUDGING_LOG: '1' } },
  );
  const device = /Device 0: ([^\n]*)/.exec(hello.stderr)?.[1] ?? /found \d+ CUDA devices[^\n]*/.exec(hello.stderr)?.[0];
  if (!hello.outcome || hello.outcome.gpuLayers === 0)
    throw new BuildError(
      `no GPU: ${hello.died || hello.stderr.split('\n').find((line) => /CUDA/.test(line)) || 'the addon has no backend for one'}`,
    );
  console.log(`GPU: ${device ?? 'unknown'}; ${hello.outcome.buffers.join(', ')}`);

  if (parts.includes('columns')) {
    for (const columnsOfVector of ['1', '8']) {
      const { stderr } = await runChild(
        { load: { pair: demo }, questions: [], streams: 1, seconds: 0 },
        { limit: 60, env: { NUDGING_CUDA_EXPERIMENT: 'columns', NUDGING_CUDA_MMVF: columnsOfVector } },
      );
      const lines = stderr.split('\n').filter((line) => line.startsWith('EXPERIMENT columns'));
      console.log(lines.length > 0 ? lines.join('\n') : 'columns: this addon has no experiments in it');
    }
    say('columns done');
  }

  if (parts.includes('cause')) {
    const [, , expected] = await /** @type {NonNullable<typeof making>} */ (making);
    say('models made');
    mkdirSync(dumps, { recursive: true });
    const sanitized = parts.includes('sanitizer') ? sanitize(asked, expected, places) : undefined;
    const nothing = path.join(places.folder, 'no-reference.json');
    writeFileSync(nothing, '{}');
    const repeat = Number(values.repeat ?? 1);
    const wanted = causes().filter(({ name }) => new RegExp(values.only ?? '').test(name));
    // Not one setting after the other: what is cut off at the end is then a repetition and not a setting.
    const rounds = Math.max(...wanted.map(({ runs = 1 }) => runs)) * repeat;
    const list = Array.from({ length: rounds }, (_, round) => wanted.filter(({ runs = 1 }) => round < runs * repeat)).flat();
    const results = await inTurns(list, Number(values['at-once'] ?? 3), async (setting) => {
      const one = await stress(
        { streams: 32, seconds: 12, limit: 45, ...setting },
        asked,
        setting.ask?.['mode'] ? nothing : expected,
        places,
        ran.length + list.indexOf(setting) + 1,
      );
      ran.push(one);
      save();
      say(`${isGood(one) ? 'good' : 'BAD '} ${rowOf(one).filter(Boolean).join(' | ')}`);
      return one;
    });
    for (const setting of wanted) {
      const its = results.filter((one) => one.setting.name === setting.name);
      const told = new Set(its.flatMap(({ stderr }) => stderr.split('\n').filter((line) => line.startsWith('EXPERIMENT'))));
      for (const line of [...told].slice(0, 24)) console.log(`  ${setting.name}: ${line.slice(11, 260)}`);
    }
    console.log(
      markdownTable(
        ['32 requests at once', 'runs', 'died', 'errors', 'wrong', 'ties', 'answers', 'tokens a second'],
        wanted.map(({ name }) => {
          const its = results.filter((one) => one.setting.name === name);
          const sum = (/** @type {(one: import('../scripts/lib/gpu/child.mjs').Outcome) => number} */ of) =>
            its.reduce((total, { outcome }) => total + (outcome ? of(outcome) : 0), 0);
          const errors = sum((one) => Object.values(one.errors).reduce((a, b) => a + b, 0));
          return [
            name,
            its.length,
            its.filter(({ died }) => died !== '').length,
            errors,
            sum((one) => one.wrong.length),
            sum((one) => one.ties),
            sum((one) => one.answers),
            number((1000 * sum((one) => one.tokens)) / sum((one) => one.ms), 0),
          ].map(String);
        }),
      ),
    );
    for (const line of new Set(results.filter(({ died }) => died !== '').map(({ setting, died }) => `died: ${setting.name}: ${died}`)))
      console.log(line);
    for (const line of new Set(
      results
        .filter(({ outcome }) => outcome?.firstError)
        .map(({ setting, outcome }) => `error: ${setting.name}: ${outcome?.firstError.slice(0, 200)}`),
    ))
      console.log(line);
    readDumps();
    if (sanitized) console.log(await sanitized);
  }

  /** @type {import('../scripts/lib/gpu/stress.mjs').Setting[]} */
  const timed = [];
  const gpus =
    values.device?.split(',') ??
    Array.from({ length: Number(/found (\d+) CUDA devices/.exec(hello.stderr)?.[1] ?? 1) }, (_, at) => `CUDA${at}`);
  if (parts.includes('speed')) timed.push(...chosen.flatMap((name) => speeds(name, weightsOf(name))));
  if (parts.includes('top1')) timed.push(...vocabularies());
  if (parts.includes('gpus')) timed.push(...chosen.flatMap((name) => placements(name, weightsOf(name), gpus)));
  if (timed.length > 0) {
    const expected = await reference('f16', asked, places);
    const nothing = path.join(places.folder, 'no-reference.json');
    writeFileSync(nothing, '{}');
    /** @type {Ran[]} */
    const rows = [];
    for (const setting of timed) {
      // Rows, not runs, are what a time that is over costs.
      if (performance.now() - begun > 1000 * Number(values.seconds ?? 470)) {
        say(`out of time: ${timed.length - rows.length} rows are left out, from "${setting.name}" on`);
        break;
      }
      const known = setting.ask?.['mode'] === undefined && answersAsTheDemoPair(setting.size ?? '');
      const load = { ...(values.device ? { devices: gpus } : {}), ...setting.load };
      const one = await stress({ ...setting, load }, asked, known ? expected : nothing, places, 1);
      ran.push(one);
      rows.push(one);
      save();
      say(speedRow(one).filter(Boolean).join(' | '));
    }
    console.log(speedTable(rows));
  }
  save();
  say('done');
  return ran.every(isGood) ? 0 : 1;
});

/**
 * What compute-sanitizer finds, where it is.
 * @param {readonly string[]} asked
 * @param {string} expected
 * @param {{ tools: string, folder: string }} places
 */
async function sanitize(asked, expected, places) {
  const log = path.join(dumps, 'sanitizer.txt');
  const wrapper = ['compute-sanitizer', '--tool', 'memcheck', '--print-limit', '20', '--log-file', log];
  const setting = {
    name: 'compute-sanitizer',
    size: 'tiny',
    weights: /** @type {const} */ ('f16'),
    streams: 32,
    env: graphs('update'),
    seconds: 60,
    limit: 150,
    wrapper,
  };
  const { died, outcome } = await stress(setting, asked, expected, places, 1);
  const found = existsSync(log) ? readFileSync(log, 'utf8').split('\n') : [];
  return [`compute-sanitizer: ${died || 'the process lived'}, ${outcome?.answers ?? 0} answers`, ...found.slice(0, 30)].join('\n');
}

/** In which kernel a GPU stopped, where it left a core dump and cuda-gdb is there. */
function readDumps() {
  const listed = spawnSync('sh', ['-c', `ls -t ${JSON.stringify(dumps)}/core.* 2>/dev/null | head -2`], { encoding: 'utf8' })
    .stdout.split('\n')
    .filter(Boolean);
  for (const dump of listed) {
    const { stdout, stderr } = spawnSync(
      'cuda-gdb',
      ['-batch', '-ex', `target cudacore ${dump}`, '-ex', 'info cuda kernels', '-ex', 'x/6i $pc'],
      { encoding: 'utf8', timeout: 30_000 },
    );
    console.log(
      `core dump ${dump}:\n${`${stdout}${stderr}`
        .split('\n')
        .filter((line) => !/^warning|^$/.test(line))
        .slice(-25)
        .join('\n')}`,
    );
  }
}
