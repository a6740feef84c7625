#!/usr/bin/env node
// `npm test`: builds what is stale, runs the native tests and the TypeScript tests, and says both counts.
import { parseArgs } from 'node:util';
import { makePlan } from './lib/configs.mjs';
import { runMain } from './lib/errors.mjs';
import { buildLibrary } from './lib/library.mjs';
import { buildNative } from './lib/native.mjs';
import { runNativeTests, runUnitTests } from './lib/test-runs.mjs';

await runMain(async () => {
  const { values, positionals } = parseArgs({
    options: { native: { type: 'boolean' }, unit: { type: 'boolean' } },
    allowPositionals: true,
  });
  const both = !values.native && !values.unit;
  // Each side can be worked on while the other does not compile.
  const plan = makePlan({ parts: values.native ? ['tests'] : values.unit ? ['addon', 'tools'] : ['addon', 'tests', 'tools'] });
  await buildNative(plan);
  if (!values.native) await buildLibrary();

  /** @type {import('./lib/test-runs.mjs').Outcome[]} */
  const runs = [];
  if (both || values.native) runs.push(await runNativeTests(plan));
  if (both || values.unit) runs.push(await runUnitTests(positionals));

  console.log('');
  for (const each of runs) console.log(`${each.name}: ${each.passed} passed, ${each.failed} failed`);
  const sum = (/** @type {'passed' | 'failed'} */ what) => runs.reduce((total, each) => total + each[what], 0);
  console.log(`${sum('passed')} passed, ${sum('failed')} failed`);
  return runs.every((each) => each.ok) && sum('passed') > 0 ? 0 : 1;
});
