#!/usr/bin/env node
// `npm run lint`: says what is out of shape or likely wrong, in seconds, and changes nothing. Nothing is built for it.
import { existsSync, readFileSync } from 'node:fs';
import { runMain } from './lib/errors.mjs';
import { biome, formatCpp, wrapProse } from './lib/formatters.mjs';
import { longLines, mostColumns } from './lib/long-lines.mjs';
import { inRoot } from './lib/paths.mjs';
import { run } from './lib/process.mjs';
import { hasLines, isMarkdown, sourceFiles } from './lib/source-files.mjs';

/** @param {readonly string[]} files */
const toBeFormatted = (files) => files.map((file) => `${file}: \`npm run format\` mends it`);

/** What is wrong, a line each. @type {Record<string, () => Promise<string[]>>} */
const checks = {
  'C++ format': async () => toBeFormatted(await formatCpp({ write: false })),
  prose: async () => toBeFormatted(await wrapProse({ write: false })),
  'JavaScript and TypeScript': async () => {
    const { code, output } = await biome('check', '--error-on-warnings', '--max-diagnostics=50');
    return code === 0 ? [] : [output.trim()];
  },
  [`lines over ${mostColumns} columns`]: async () => {
    const files = await sourceFiles(hasLines);
    return files.flatMap((file) => longLines(readFileSync(inRoot(file), 'utf8'), isMarkdown.test(file)).map((line) => `${file}:${line}`));
  },
  includes: async () => {
    const script = inRoot('scripts/include-graph.mjs');
    if (!existsSync(script)) return [];
    const { code, output } = await run(process.execPath, [script], { cwd: inRoot() });
    return code === 0 ? [] : [output.trim()];
  },
};

await runMain(async () => {
  const results = await Promise.all(Object.entries(checks).map(async ([name, check]) => /** @type {const} */ ([name, await check()])));
  const failed = results.filter(([, problems]) => problems.length > 0);
  for (const [name, problems] of failed) console.error(`${name}:\n${problems.map((problem) => `  ${problem}`).join('\n')}\n`);
  console.log(
    failed.length === 0
      ? `nothing to complain of: ${Object.keys(checks).join(', ')}`
      : `failed: ${failed.map(([name]) => name).join(', ')}`,
  );
  return failed.length === 0 ? 0 : 1;
});
