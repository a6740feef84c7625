#!/usr/bin/env node
// `npm run docs`: writes docs/api from the docstrings of what the package exports; with --check it only says whether that is as it should
// be. Its tools are a package of their own, because they need another TypeScript than the project.
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync, mkdirSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { entryPoints } from './lib/entry-points.mjs';
import { BuildError, runMain } from './lib/errors.mjs';
import { npm } from './lib/npm.mjs';
import { inRoot } from './lib/paths.mjs';
import { run } from './lib/process.mjs';

const help = `usage: npm run docs [-- options]

Writes docs/api/*.md from the docstrings in lib/. Fails where something that is exported has none, and where a {@link} leads nowhere.

  --check    write nothing, and fail if docs/api is not what would be written
`;

const tools = inRoot('docs/api');

await runMain(async () => {
  const { values } = parseArgs({ options: { check: { type: 'boolean', default: false }, help: { type: 'boolean', short: 'h' } } });
  if (values.help) return void process.stdout.write(help);
  await installTools();
  const folder = mkdtempSync(path.join(os.tmpdir(), 'nudging-docs-'));
  try {
    await generate(folder);
    const made = pagesIn(folder);
    const there = pagesIn(tools);
    const stale = [...new Set([...made, ...there])].filter((page) => read(folder, page) !== read(tools, page));
    if (values.check && stale.length > 0) {
      throw new BuildError(`docs/api is not what the docstrings say: \`npm run docs\` writes ${stale.join(', ')}.`);
    }
    for (const page of there) if (!made.includes(page)) rmSync(path.join(tools, page));
    for (const page of stale.filter((each) => made.includes(each))) {
      mkdirSync(path.dirname(path.join(tools, page)), { recursive: true });
      writeFileSync(path.join(tools, page), read(folder, page) ?? '');
    }
    console.log(stale.length === 0 ? `docs/api is as it should be: ${made.join(', ')}` : `written to docs/api: ${stale.join(', ')}`);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

/** npm notes what it has installed, and is not asked again unless the lock has changed since. */
async function installTools() {
  const noted = path.join(tools, 'node_modules/.package-lock.json');
  const lock = path.join(tools, 'package-lock.json');
  if (existsSync(noted) && statSync(noted).mtimeMs >= statSync(lock).mtimeMs) return;
  const { code, output } = await npm(['ci', '--ignore-scripts', '--prefer-offline', '--no-audit', '--no-fund'], { cwd: tools });
  if (code !== 0) throw new BuildError(`npm ci in docs/api failed:\n${output.trim()}`);
}

/** @param {string} folder */
async function generate(folder) {
  const entries = entryPoints().flatMap(({ source }) => ['--entryPoints', source]);
  const typedoc = path.join(tools, 'node_modules/typedoc/bin/typedoc');
  const { code, output } = await run(process.execPath, [typedoc, ...entries, '--out', folder], { cwd: tools });
  if (code !== 0) throw new BuildError(`the API reference could not be made:\n${output.trim()}`);
  for (const page of pagesIn(folder)) writeFileSync(path.join(folder, page), tidied(read(folder, page) ?? '', page));
}

/** Says what the page is, and has paths in docstrings lead somewhere. @param {string} text @param {string} page */
function tidied(text, page) {
  const up = '../'.repeat(2 + page.split('/').length - 1);
  const linked = text.replace(/(?<![\w/`]|\]\()docs\/([\w-]+)\.md/g, (found, name) => `[${found}](${up}docs/${name}.md)`);
  return `<!-- Made by \`npm run docs\` from the docstrings in lib/: change those. -->\n\n${linked.trimEnd()}\n`;
}

/** @param {string} folder @returns {string[]} with slashes, in order */
function pagesIn(folder) {
  const all = readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((file) => file.replaceAll(path.sep, '/'));
  return all.filter((file) => file.endsWith('.md') && !file.startsWith('node_modules/')).sort();
}

/** @param {string} folder @param {string} page */
function read(folder, page) {
  const file = path.join(folder, page);
  return existsSync(file) ? readFileSync(file, 'utf8') : undefined;
}
