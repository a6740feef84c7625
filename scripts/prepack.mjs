#!/usr/bin/env node
// npm's `prepack`: the tarball ships the source it is built from, so that installing it needs no second download.
import { ensureSource, pinned } from '../vendor/fetch.mjs';
import { BuildError, runMain } from './lib/errors.mjs';
import { buildLibrary } from './lib/library.mjs';

await runMain(async () => {
  if (process.env.NUDGING_LLAMA_CPP_DIR) {
    throw new BuildError(`NUDGING_LLAMA_CPP_DIR is set: a package ships ${pinned.name} ${pinned.tag}, not another checkout.`);
  }
  await ensureSource();
  await buildLibrary();
});
