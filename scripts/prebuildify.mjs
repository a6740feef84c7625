#!/usr/bin/env node
// Makes prebuilds/<platform>-<arch>/ for the package to ship: a binary for any CPU of the kind, not for this one.
import { inRoot } from './lib/paths.mjs';
import { runMain } from './lib/errors.mjs';
import { run } from './lib/process.mjs';

await runMain(async () => {
  const { code } = await run(process.execPath, [inRoot('node_modules/prebuildify/bin.js'), '--napi', '--strip', ...process.argv.slice(2)], {
    cwd: inRoot(),
    env: { ...process.env, NUDGING_NATIVE: 'OFF' },
    inherit: true,
  });
  return code;
});
