#!/usr/bin/env node
// `npm run test:asan`, `npm run test:tsan`: the native tests and the API and life-cycle tests over a sanitizer build. A report fails the run.
import path from 'node:path';
import { execFileSync } from 'node:child_process';
import { makePlan } from './lib/configs.mjs';
import { BuildError, runMain } from './lib/errors.mjs';
import { buildLibrary } from './lib/library.mjs';
import { buildNative } from './lib/native.mjs';
import { inRoot } from './lib/paths.mjs';
import { run } from './lib/process.mjs';

const sanitizers = {
  // Node itself leaks at exit, and its allocations cannot be told from ours there.
  asan: { library: 'libasan.so', environment: { ASAN_OPTIONS: 'detect_leaks=0:abort_on_error=0', UBSAN_OPTIONS: 'print_stacktrace=1:halt_on_error=1' } },
  tsan: { library: 'libtsan.so', environment: { TSAN_OPTIONS: 'report_signal_unsafe=0' } },
};

await runMain(async () => {
  const config = process.argv[2] ?? '';
  if (!Object.hasOwn(sanitizers, config)) throw new BuildError(`usage: node scripts/test-sanitized.mjs ${Object.keys(sanitizers).join('|')} [vitest arguments]`);
  const { library, environment } = sanitizers[/** @type {keyof typeof sanitizers} */ (config)];
  const plan = makePlan({ config, parts: ['addon', 'tests'] });
  await buildNative(plan);
  await buildLibrary();
  const preload = execFileSync(process.env['CXX'] ?? 'g++', [`-print-file-name=${library}`], { encoding: 'utf8' }).trim();

  const native = await run(path.join(plan.out, 'nudge_test'), [], { cwd: inRoot(), env: { ...process.env, ...environment }, onOutput: (text) => process.stdout.write(text) });
  const filters = process.argv.length > 3 ? process.argv.slice(3) : ['test/api.test.ts', 'test/lifecycle.test.ts'];
  const vitest = await run(process.execPath, [inRoot('node_modules/vitest/vitest.mjs'), 'run', '--testTimeout=180000', '--no-file-parallelism', ...filters], {
    cwd: inRoot(),
    env: { ...process.env, ...environment, LD_PRELOAD: preload, NUDGING_BINARY: path.join(plan.out, 'nudging.node'), NUDGING_SANITIZED: config },
    onOutput: (text) => process.stdout.write(text),
  });
  const reports = /ThreadSanitizer|AddressSanitizer|runtime error:/.test(vitest.output + native.output);
  console.log(reports ? `${config}: there are reports above` : `${config}: no reports`);
  return native.code === 0 && vitest.code === 0 && !reports ? 0 : 1;
});
