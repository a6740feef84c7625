#!/usr/bin/env node
// Compiles lib/ to dist/ if it changed; npm's `prepare`.
import { runMain } from './lib/errors.mjs';
import { buildLibrary } from './lib/library.mjs';

await runMain(async () => {
  await buildLibrary();
});
