#!/usr/bin/env node
// Runs the command line from a checkout. It never builds the addon: that takes minutes, and would replace what somebody built
// from other sources or with other settings by something else behind their back. It runs in this very process, so that signals,
// terminal and exit code are its own.
import { existsSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { BuildError, runMain } from './lib/errors.mjs';
import { inRoot } from './lib/paths.mjs';

async function checkAddon() {
  // Whoever names one knows what it is.
  if (process.env.NUDGING_BINARY) return;
  const { findStaleness, installedAddon } = await import('./lib/installed.mjs');
  if (!existsSync(installedAddon)) {
    throw new BuildError('the native addon has not been built: `npm ci` installs and builds all, `npm run build:native` builds the addon.');
  }
  const stale = findStaleness();
  if (stale) console.error(`nudging: the native addon is used as it is, though ${stale.reason}; to build it again: ${stale.command}`);
}

let ready = false;
await runMain(async () => {
  await checkAddon();
  const { buildLibrary, isLibraryFresh } = await import('./lib/library.mjs');
  if (!isLibraryFresh()) await buildLibrary();
  ready = true;
});

if (ready) {
  const main = inRoot('dist/cli/main.js');
  if (!existsSync(main)) throw new Error('dist/cli/main.js is missing');
  process.argv[1] = main;
  await import(pathToFileURL(main).href);
}
