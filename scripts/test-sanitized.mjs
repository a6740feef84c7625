#!/usr/bin/env node
// `npm run test:asan`, `npm run test:tsan`: the algorithm's native tests, those of lanes that work side by side or far away, and a
// service's day (test/sanitized), over a sanitizer build. A report fails the run.
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
  asan: {
    library: 'libasan.so',
    environment: { ASAN_OPTIONS: 'detect_leaks=0:abort_on_error=0', UBSAN_OPTIONS: 'print_stacktrace=1:halt_on_error=1' },
  },
  tsan: { library: 'libtsan.so', environment: { TSAN_OPTIONS: 'report_signal_unsafe=0:exitcode=0' } },
};

await runMain(async () => {
  const config = process.argv[2] ?? '';
  if (!Object.hasOwn(sanitizers, config))
    throw new BuildError(`usage: node scripts/test-sanitized.mjs ${Object.keys(sanitizers).join('|')}`);
  const { library, environment } = sanitizers[/** @type {keyof typeof sanitizers} */ (config)];
  const plan = makePlan({ config, parts: ['addon', 'tests'] });
  await buildNative(plan);
  await buildLibrary();
  const preload = execFileSync(process.env['CXX'] ?? 'g++', [`-print-file-name=${library}`], { encoding: 'utf8' }).trim();

  /** @type {{ code: number, output: string }[]} */
  const natives = [];
  for (const [program, ...tests] of [['nudge_test'], ['engine_test', 'lanes_at_work_test', 'remote_decoder_test']])
    natives.push(
      await run(path.join(plan.out, program ?? ''), tests, {
        cwd: inRoot(),
        env: { ...process.env, ...environment },
        onOutput: (text) => process.stdout.write(text),
      }),
    );
  const scenario = await run(process.execPath, [inRoot('test/sanitized/scenario.mjs')], {
    cwd: inRoot(),
    env: { ...process.env, ...environment, LD_PRELOAD: preload, NUDGING_BINARY: path.join(plan.out, 'nudging.node') },
    onOutput: (text) => process.stdout.write(text),
  });
  // Node is not instrumented, and some of its own races show; a report about us names our file.
  const reports = [scenario, ...natives]
    .map(({ output }) => output)
    .join('\n')
    .split(/(?=WARNING: ThreadSanitizer|ERROR: AddressSanitizer)/)
    .filter(
      (part) => /^WARNING: Thread|^ERROR: Address|runtime error:/.test(part) && /nudging\.node|nudge_test|engine_test|native\//.test(part),
    );
  console.log(`${config}: ${reports.length} reports about the engine; the scenario ended with ${scenario.code}`);
  return natives.every(({ code }) => code === 0) && scenario.code === 0 && scenario.output.includes('done') && reports.length === 0 ? 0 : 1;
});
