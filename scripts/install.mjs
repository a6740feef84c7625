#!/usr/bin/env node
// npm's `install`: a prebuilt binary if there is one for this machine, else a build from source.
import { existsSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { makePlan } from './lib/configs.mjs';
import { runMain } from './lib/errors.mjs';
import { inRoot } from './lib/paths.mjs';

function hasPrebuild() {
  // node-gyp-build decides at load time, so let it decide now: libc, CPU and platform tags are its own.
  const before = process.env.PREBUILDS_ONLY;
  process.env.PREBUILDS_ONLY = '1';
  try {
    return Boolean(createRequire(import.meta.url)('node-gyp-build').resolve(inRoot()));
  } catch {
    return false;
  } finally {
    if (before === undefined) delete process.env.PREBUILDS_ONLY;
    else process.env.PREBUILDS_ONLY = before;
  }
}

await runMain(async () => {
  const isCheckout = existsSync(inRoot('.git'));
  const asked = process.env.npm_config_build_from_source || process.env.NUDGING_VARIANT;
  if (!isCheckout && !asked && hasPrebuild()) return;
  // Loaded late: an install with a prebuild needs none of it.
  const { buildNative } = await import('./lib/native.mjs');
  await buildNative(makePlan({}));
  // The addon lies in build/ by now. Object files are half of the package, and only somebody who changes the source builds from them again;
  // the source itself stays, for `npm rebuild`. What failed keeps its log.
  if (!isCheckout) rmSync(inRoot('.native'), { recursive: true, force: true });
});
