#!/usr/bin/env node
// Builds llama-server, llama-bench and llama-batched-bench from the source that the addon is built from: `npm run bench:rivals`.
import path from 'node:path';
import { runMain } from '../../scripts/lib/errors.mjs';
import { buildLlamaPrograms } from '../../scripts/lib/llama-programs.mjs';
import { binary, tree } from './binaries.mjs';

const programs = /** @type {const} */ (['llama-server', 'llama-bench', 'llama-batched-bench']);

await runMain(async () => {
  await buildLlamaPrograms(tree, 'tools/server', programs);
  for (const program of programs) console.error(`built ${path.relative(process.cwd(), binary(program))}`);
});
