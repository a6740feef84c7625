#!/usr/bin/env node
// Builds nudging.node from source: checks what is needed, brings llama.cpp, drives CMake. Does nothing when up to date.
import path from 'node:path';
import { parseArgs } from 'node:util';
import { makePlan, variants } from './lib/configs.mjs';
import { BuildError, runMain } from './lib/errors.mjs';
import { installedAddon } from './lib/installed.mjs';
import { buildNative } from './lib/native.mjs';

const help = `usage: node scripts/build.mjs [options]

  --variant ${variants.join('|')}   where models run (default: cpu, on macOS metal; or NUDGING_VARIANT)
  --config release|debug|asan|tsan    default: release; the others stay in .native/<variant>-<config>/
  --tests                             also the native test binary and the tools of the tests
  --cuda-arch LIST                    CUDA architectures, such as 90 or "86;90" (default: those of this machine)
  --help

  NUDGING_NATIVE=OFF          a binary for other CPUs than this machine's
  NUDGING_LLAMA_CPP_DIR=DIR   a llama.cpp checkout instead of the pinned release
  CC, CXX                     compilers
`;

function parse() {
  try {
    return parseArgs({
      options: {
        variant: { type: 'string' },
        config: { type: 'string' },
        tests: { type: 'boolean' },
        'cuda-arch': { type: 'string' },
        help: { type: 'boolean', short: 'h' },
      },
    }).values;
  } catch (error) {
    throw new BuildError(`${/** @type {Error} */ (error).message.split('. ')[0]}. See --help.`);
  }
}

await runMain(async () => {
  const values = parse();
  if (values.help) {
    process.stdout.write(help);
    return;
  }
  const plan = makePlan({
    variant: values.variant,
    config: values.config,
    cudaArch: values['cuda-arch'],
    parts: values.tests ? ['addon', 'tests', 'tools'] : ['addon'],
  });
  const start = Date.now();
  const built = await buildNative(plan);
  const result = path.relative(process.cwd(), plan.isRelease ? installedAddon : path.join(plan.out, 'nudging.node'));
  console.error(built ? `built ${result} in ${((Date.now() - start) / 1000).toFixed(1)} s` : `${result} is up to date`);
});
