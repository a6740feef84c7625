#!/usr/bin/env node
// `npm run fuzz`: coverage-guided fuzzing with clang's libFuzzer, under the address and undefined-behaviour sanitizers. Our own code is
// instrumented; llama.cpp comes as it is from the release build. What a run has learnt stays in .native/fuzz/<target>/corpus for the next
// one, and so does an input that fails.
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { makePlan } from './lib/configs.mjs';
import { BuildError, runMain } from './lib/errors.mjs';
import { writeHeaderSeeds, writeTextSeeds } from './lib/fuzz-seeds.mjs';
import { buildNative } from './lib/native.mjs';
import { inRoot } from './lib/paths.mjs';
import { run } from './lib/process.mjs';
import { findProgram } from './lib/requirements.mjs';

const targets = {
  'gguf-header': {
    main: 'gguf_header.cpp',
    engine: ['gguf/byte_source', 'gguf/foreign_file', 'gguf/header', 'gguf/hyperparameters', 'gguf/tokenizer'],
    seed: writeHeaderSeeds,
    longest: 8192,
  },
  retokenise: {
    main: 'retokenise.cpp',
    engine: ['text/vocabulary', 'text/text_tokens', 'text/deep_stack', 'text/give_up'],
    seed: writeTextSeeds,
    longest: 512,
  },
};
const help = `usage: node scripts/fuzz.mjs [--target ${Object.keys(targets).join('|')}] [--seconds 60]

  --target    default: each in turn
  --seconds   for each target

  CLANGXX     a clang++ with libFuzzer (default: clang++)
`;
const sanitize = ['-fsanitize=fuzzer,address,undefined', '-fno-sanitize-recover=undefined'];

function parse() {
  try {
    return parseArgs({
      options: { target: { type: 'string' }, seconds: { type: 'string', default: '60' }, help: { type: 'boolean', short: 'h' } },
    }).values;
  } catch (error) {
    throw new BuildError(`${/** @type {Error} */ (error).message.split('. ')[0]}. See --help.`);
  }
}

/** @param {string} folder */
async function findClang(folder) {
  const named = process.env['CLANGXX'] ?? 'clang++';
  const clang = findProgram(named);
  const advice =
    "On Debian or Ubuntu: `apt-get install -y clang libclang-rt-14-dev` (the number is clang's version); or name another in CLANGXX.";
  if (!clang) throw new BuildError(`fuzzing needs clang, and ${named} was not found. ${advice}`);
  const trial = path.join(folder, 'trial.cpp');
  writeFileSync(
    trial,
    '#include <cstddef>\n#include <cstdint>\nextern "C" int LLVMFuzzerTestOneInput(const std::uint8_t*, std::size_t) { return 0; }\n',
  );
  const { code, output } = await run(clang, [...sanitize, trial, '-o', path.join(folder, 'trial')]);
  if (code !== 0)
    throw new BuildError(`${clang} cannot build a fuzzer (${output.trim().split('\n').pop()}): its libFuzzer is missing. ${advice}`);
  return clang;
}

/**
 * @param {string} clang
 * @param {string} program
 * @param {typeof targets['retokenise']} target
 * @param {import('./lib/configs.mjs').Plan} plan
 */
async function compile(clang, program, { main, engine }, plan) {
  const llama = process.env['NUDGING_LLAMA_CPP_DIR'] ?? inRoot('vendor/llama.cpp');
  const include = ['', 'include', 'ggml/include', 'common'].flatMap((folder) => ['-isystem', path.join(llama, folder)]);
  const library = (/** @type {string} */ name) => path.join(plan.out, 'llama.cpp', name);
  const { code, output } = await run(clang, [
    ...['-std=c++20', '-g', '-O1', ...sanitize],
    ...['-I', inRoot('native'), '-I', inRoot('test/engine'), ...include, `-DNUDGING_LLAMA_CPP_MODELS="${path.join(llama, 'models')}"`],
    ...[inRoot('test/fuzz', main), ...engine.map((name) => inRoot('native', `${name}.cpp`))],
    ...['src/libllama.a', 'ggml/src/libggml.a', 'ggml/src/libggml-cpu.a', 'ggml/src/libggml-base.a'].map(library),
    ...['-lpthread', '-ldl', '-lm', '-o', program],
  ]);
  if (code !== 0) throw new BuildError(`${main} does not compile:\n${output}`);
}

await runMain(async () => {
  const { target: wanted, seconds, help: asked } = parse();
  if (asked) {
    process.stdout.write(help);
    return 0;
  }
  if (wanted !== undefined && !Object.hasOwn(targets, wanted))
    throw new BuildError(`unknown target "${wanted}"; known are ${Object.keys(targets).join(', ')}.`);
  if (!/^[1-9]\d{0,5}$/.test(seconds)) throw new BuildError(`--seconds must be a number from 1 to 999999; got "${seconds}".`);
  if (process.platform === 'win32') throw new BuildError('fuzzing runs on Linux and macOS only.');

  const home = inRoot('.native/fuzz');
  mkdirSync(home, { recursive: true });
  const clang = await findClang(home);
  const plan = makePlan({ variant: 'cpu', parts: ['tests'] });
  await buildNative(plan);
  let failed = 0;
  for (const [name, target] of Object.entries(targets).filter(([each]) => wanted === undefined || each === wanted)) {
    const folder = path.join(home, name);
    const [corpus, seeds] = [path.join(folder, 'corpus'), path.join(folder, 'seeds')];
    for (const each of [corpus, seeds]) mkdirSync(each, { recursive: true });
    target.seed(seeds);
    await compile(clang, path.join(folder, 'fuzzer'), target, plan);
    const { code } = await run(
      path.join(folder, 'fuzzer'),
      [
        corpus,
        seeds,
        `-max_total_time=${seconds}`,
        `-max_len=${target.longest}`,
        '-timeout=20',
        '-rss_limit_mb=4096',
        `-artifact_prefix=${folder}${path.sep}`,
        '-print_final_stats=1',
      ],
      // llama.cpp is not instrumented, and vectors that cross over to it are not annotated there.
      { env: { ...process.env, ASAN_OPTIONS: 'detect_container_overflow=0', UBSAN_OPTIONS: 'print_stacktrace=1' }, inherit: true },
    );
    console.error(`${name}: ${code === 0 ? 'nothing found' : `failed; the input is in ${path.relative(process.cwd(), folder)}`}`);
    failed += Number(code !== 0);
  }
  return failed === 0 ? 0 : 1;
});
