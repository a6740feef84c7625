#!/usr/bin/env node
// Runs the command line from a checkout, built first if something changed. It runs in this very process, so that
// signals, terminal and exit code are its own.
import { existsSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { inRoot } from './lib/paths.mjs';

async function bringUpToDate() {
  const [{ buildLibrary, isLibraryFresh }, { makePlan }, { buildNative }, { BuildError }] = await Promise.all([
    import('./lib/library.mjs'),
    import('./lib/configs.mjs'),
    import('./lib/native.mjs'),
    import('./lib/errors.mjs'),
  ]);
  try {
    await buildNative(makePlan({}));
    if (!isLibraryFresh()) await buildLibrary();
    return true;
  } catch (error) {
    if (!(error instanceof BuildError)) throw error;
    console.error(`nudging: ${error.message}`);
    process.exitCode = 1;
    return false;
  }
}

if (await bringUpToDate()) {
  const main = inRoot('dist/cli/main.js');
  if (!existsSync(main)) throw new Error('dist/cli/main.js is missing');
  process.argv[1] = main;
  await import(pathToFileURL(main).href);
}
