#!/usr/bin/env node
// `npm run tidy`: clang-tidy over native/, with the checks of .clang-tidy. Files may be named; minutes for all of them.
import path from 'node:path';
import { parseArgs } from 'node:util';
import { clangTool } from './lib/clang-tools.mjs';
import { makePlan } from './lib/configs.mjs';
import { availableCores } from './lib/cores.mjs';
import { BuildError, runMain } from './lib/errors.mjs';
import { buildNative } from './lib/native.mjs';
import { inRoot, root } from './lib/paths.mjs';
import { run } from './lib/process.mjs';
import { sourceFiles } from './lib/source-files.mjs';

const help = `usage: npm run tidy -- [FILE.cpp …]

clang-tidy over what is named, or over all of native/. It builds first, because it needs to know how each file is compiled.
`;

/** GCC's options that clang does not know are of no interest here. */
const asClang = ['-Wno-unknown-warning-option', '-Wno-ignored-optimization-argument', '-Wno-unused-command-line-argument'];

/**
 * What clang-tidy says of a file: warnings, an explanation behind each.
 * @param {string} tool @param {string} build @param {string} file @returns {Promise<string[]>}
 */
async function warningsIn(tool, build, file) {
  const flags = asClang.map((flag) => `--extra-arg=${flag}`);
  const { code, output } = await run(tool, ['-p', build, '--quiet', '--use-color=false', ...flags, inRoot(file)], { cwd: root });
  const warnings = output.split(/^(?=\S+:\d+:\d+: (?:warning|error): )/m).filter((part) => /^\S+:\d+:\d+: (?:warning|error): /.test(part));
  if (code !== 0 && warnings.length === 0) throw new BuildError(`clang-tidy could not read ${file}:\n${output.trim()}`);
  return warnings.map((warning) =>
    warning
      .replaceAll(`${root}${path.sep}`, '')
      .replace(/^\d+ warnings? .*$/gm, '')
      .trimEnd(),
  );
}

await runMain(async () => {
  const { values, positionals } = parseArgs({ options: { help: { type: 'boolean' } }, allowPositionals: true });
  if (values.help) {
    process.stdout.write(help);
    return 0;
  }
  const files =
    positionals.length > 0 ? positionals.map((file) => path.relative(root, path.resolve(file))) : await sourceFiles(/^native\/.*\.cpp$/);
  const tool = await clangTool('clang-tidy');
  const plan = makePlan({ parts: ['addon'] });
  await buildNative(plan);

  // A header's warnings come with every file that includes it, each time with other explanations.
  /** @type {Set<string>} */
  const found = new Set();
  const waiting = [...files];
  const work = async () => {
    for (let file = waiting.shift(); file !== undefined; file = waiting.shift()) {
      for (const warning of await warningsIn(tool, plan.out, file)) {
        const [what = ''] = warning.split('\n');
        if (!found.has(what)) console.log(`${warning}\n`);
        found.add(what);
      }
    }
  };
  await Promise.all(Array.from({ length: availableCores() }, work));
  console.log(`${files.length} files, ${found.size} warnings`);
  return found.size === 0 ? 0 : 1;
});
