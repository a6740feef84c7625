#!/usr/bin/env node
// `npm run format`: brings all sources into shape. It changes no meaning, and run twice it changes nothing more.
import { BuildError, runMain } from './lib/errors.mjs';
import { biome, formatCpp, wrapProse } from './lib/formatters.mjs';

await runMain(async () => {
  // Comments first: clang-format wraps them as well, and knows less about lists.
  await wrapProse({ write: true });
  const { code, output } = await biome('format', '--write');
  if (code !== 0) throw new BuildError(`Biome could not format:\n${output.trim()}`);
  await formatCpp({ write: true });
});
