#!/usr/bin/env node
// `npm run test:mutants`: builds every wrong engine of mutants.mjs in a tree of its own and says which test noticed. Fails if one survives.
import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { configureAndBuild } from '../../scripts/lib/cmake.mjs';
import { makePlan } from '../../scripts/lib/configs.mjs';
import { BuildError, runMain } from '../../scripts/lib/errors.mjs';
import { buildLibrary } from '../../scripts/lib/library.mjs';
import { inRoot } from '../../scripts/lib/paths.mjs';
import { run } from '../../scripts/lib/process.mjs';
import { ensureSource } from '../../vendor/fetch.mjs';
import { mutants } from './mutants.mjs';
import { mutated } from './place.mjs';

const help = `usage: npm run test:mutants -- [options]

  --only TEXT   only mutants whose name contains TEXT (repeatable)
  --no-baseline  do not run the tests over the unchanged engine first
  --help
`;

const isTokenising = (/** @type {import('./mutants.mjs').Mutant | undefined} */ mutant) =>
  /text_tokens|vocabulary/.test(mutant?.file ?? '');

const isSampling = (/** @type {import('./mutants.mjs').Mutant | undefined} */ mutant) =>
  /gumbel|sampling|token_filters|context_keys|philox/.test(mutant?.file ?? '');

/** Most likely first: the run stops at the first that notices. @param {import('./mutants.mjs').Mutant | undefined} mutant */
function unitTests(mutant) {
  if (mutant?.tests) return mutant.tests;
  if (mutant?.native) return [];
  if (isSampling(mutant)) return ['sampling'];
  return isTokenising(mutant)
    ? ['retokenise', 'models']
    : ['api', 'reference', 'architectures', 'models', 'templates', 'retokenise', 'sampling', 'concurrency'];
}
/** Native tests of single files. @type {Record<string, string>} */
const tested = {
  'text/prompt.cpp': 'prompt_test',
  'lanes/costs.cpp': 'costs_test',
  'lanes/logit_changes.cpp': 'logit_changes_test',
  'gguf/hyperparameters.cpp': 'gguf_validator_test',
  'trust/kernel_check.cpp': 'kernels_test',
  'trust/known_product.cpp': 'kernels_test',
  'trust/kernel_trust.cpp': 'kernel_trust_test',
  'models/model_registry.cpp': 'model_registry_test',
  'trust/tie_tolerance.cpp': 'tie_tolerance_test',
};
const minutes = 60_000;
const untested = /\w+ is not built: run .*/;

const sources = inRoot('.native/mutants/native');
// Another copy, whose patches can be undone one by one.
const vendored = inRoot('.native/mutants/llama.cpp');
const plan = makePlan({ config: 'release' });
plan.out = inRoot('.native/mutants/build');
plan.cmake['NUDGING_SOURCE_DIR'] = sources;

/**
 * Changes the mutant's file, and returns what undoes it. Both write, so that the build sees a new file time.
 * @param {import('./mutants.mjs').Mutant} mutant
 */
function apply(mutant) {
  const file = path.join(mutant.vendored ? vendored : sources, mutant.file);
  const text = readFileSync(file, 'utf8');
  writeFileSync(file, mutated(text, mutant));
  return () => writeFileSync(file, text);
}

/** A mutant that no compiler takes shows nothing, and must not hide those behind it. @param {import('./mutants.mjs').Mutant} mutant */
async function verdict(mutant) {
  const undo = apply(mutant);
  try {
    return (await whoNotices(mutant)) ?? '**nobody**';
  } catch (error) {
    if (!(error instanceof BuildError) || untested.test(error.message)) throw error;
    return '**does not build**';
  } finally {
    undo();
  }
}

/** @param {import('./mutants.mjs').Mutant | undefined} mutant @returns {Promise<string | undefined>} who noticed */
async function whoNotices(mutant) {
  const inNudgeTest = /^(nudge|bytes)\//.test(mutant?.file ?? '');
  if (inNudgeTest || !mutant) {
    await configureAndBuild(plan, vendored, ['nudge_test']);
    const { code, output } = await timed(path.join(plan.out, 'nudge_test'), []);
    if (code !== 0) return /FAILED (.*)/.exec(output)?.[1] ?? 'the native tests did not end';
  }
  const engineTest =
    mutant?.native ?? (isTokenising(mutant) ? 'text_tokens_test' : isSampling(mutant) ? 'sampling_test' : tested[mutant?.file ?? '']);
  if (engineTest) {
    await configureAndBuild(plan, vendored, ['engine_test']);
    const { code, output } = await timed(path.join(plan.out, 'engine_test'), [engineTest]);
    if (code !== 0) return /FAILED (.*)/.exec(output)?.[1] ?? 'the engine tests did not end';
  }
  await configureAndBuild(plan, vendored, ['nudging', 'nudging_probe']);
  for (const file of unitTests(mutant)) {
    const env = {
      ...process.env,
      NUDGING_BINARY: path.join(plan.out, 'nudging.node'),
      NUDGING_PROBE: path.join(plan.out, 'nudging_probe.node'),
      NUDGING_TEST_LLAMA_CPP: vendored,
      NO_COLOR: '1',
    };
    const { code, output } = await timed(
      process.execPath,
      [inRoot('node_modules/vitest/vitest.mjs'), 'run', '--bail=1', `test/${file}.test.ts`],
      env,
    );
    // A test that lacks its tools fails with any engine.
    const missing = untested.exec(output)?.[0];
    if (missing) throw new BuildError(missing);
    if (code !== 0) return /FAIL\s+(.*)/.exec(output)?.[1] ?? `test/${file}.test.ts did not end well`;
  }
  return undefined;
}

/** A wrong engine may never end. @param {string} program @param {string[]} args @param {NodeJS.ProcessEnv} [env] */
function timed(program, args, env = process.env) {
  return run('timeout', ['--signal=KILL', String((5 * minutes) / 1000), program, ...args], { cwd: inRoot(), env });
}

await runMain(async () => {
  const { values } = parseArgs({
    options: { only: { type: 'string', multiple: true }, 'no-baseline': { type: 'boolean' }, help: { type: 'boolean' } },
  });
  if (values.help) {
    process.stdout.write(help);
    return 0;
  }
  rmSync(sources, { recursive: true, force: true });
  cpSync(inRoot('native'), sources, { recursive: true });
  cpSync(await ensureSource({ log: console.error, thorough: true }), vendored, { recursive: true, preserveTimestamps: true });
  await buildLibrary();
  const wanted = mutants.filter(({ name }) => !values.only || values.only.some((part) => name.includes(part)));

  const untouched = values['no-baseline'] ? undefined : await whoNotices(undefined);
  if (untouched) throw new Error(`the unchanged engine fails: ${untouched}`);
  console.log('| wrong engine | noticed by |\n| --- | --- |');
  let survivors = 0;
  for (const mutant of wanted) {
    const noticed = await verdict(mutant);
    survivors += noticed.startsWith('**') ? 1 : 0;
    console.log(`| ${mutant.name} | ${noticed} |`);
  }
  rmSync(sources, { recursive: true, force: true });
  console.log(`\n${wanted.length - survivors} of ${wanted.length} noticed`);
  return survivors === 0 ? 0 : 1;
});
