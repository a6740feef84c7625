#!/usr/bin/env node
// `npm run test:install`: what somebody does who finds the package: installs it into an empty project, asks it something. It packs this
// checkout and compiles all of it once more, which takes minutes where there is no ccache, so it is no part of `npm test`.
import { existsSync, mkdirSync, mkdtempSync, readdirSync, realpathSync, rmSync, statSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { BuildError, runMain } from './lib/errors.mjs';
import { npm } from './lib/npm.mjs';
import { root } from './lib/paths.mjs';
import { run } from './lib/process.mjs';

const help = `usage: npm run test:install [-- --keep]

  --keep    leave the project there, and say where
`;

/** Bytes that an installed package may take, its dependencies not counted: source 18 MB, addon 9 MB, demo models 13 MB. */
const mostBytes = 50e6;
const question = 'What is a harbor?';
const expected = 'a sheltered port';

/** Ways to ask, each a file of the project. */
const programs = {
  'module.mjs': `import { Nudging } from 'nudging';
const nudging = await Nudging.load();
console.log((await nudging.generate(${JSON.stringify(question)})).text);
await nudging.close();
`,
  'isolated.cjs': `const { Nudging } = require('nudging');
Nudging.load({ isolate: true }).then(async (nudging) => {
  console.log((await nudging.generate(${JSON.stringify(question)})).text);
  await nudging.close();
});
`,
};

await runMain(async () => {
  const { values } = parseArgs({ options: { keep: { type: 'boolean', default: false }, help: { type: 'boolean', short: 'h' } } });
  if (values.help) return void process.stdout.write(help);
  // It names another addon than the one that is to be tried.
  delete process.env.NUDGING_BINARY;
  const folder = mkdtempSync(path.join(realpathSync(os.tmpdir()), 'nudging-install-'));
  try {
    await tryPackage(folder);
  } finally {
    if (values.keep) console.log(`kept: ${folder}`);
    else rmSync(folder, { recursive: true, force: true });
  }
});

/** @param {string} folder */
async function tryPackage(folder) {
  const project = path.join(folder, 'project');
  mkdirSync(project);
  writeFileSync(path.join(project, 'package.json'), '{ "name": "project", "private": true }\n');
  const { tarball, size, files } = await pack(folder);
  console.log(`packed: ${megabytes(size)}`);

  const started = Date.now();
  const installed = path.join(project, 'node_modules/nudging');
  const install = ['install', `../${tarball}`, '--foreground-scripts', '--prefer-offline', '--no-audit', '--no-fund'];
  const { output } = await mustSucceed('npm install', npm(install, { cwd: project }));
  if (!/building .*-release \(addon\)/.test(output)) throw new BuildError(`npm install built no addon:\n${output}`);
  const bytes = sizeOf(installed);
  console.log(`installed: ${megabytes(bytes)}, in ${Math.round((Date.now() - started) / 1000)} s`);
  if (bytes > mostBytes) throw new BuildError(`the installed package takes ${megabytes(bytes)}: over ${megabytes(mostBytes)}`);
  for (const leftover of ['.native', 'vendor/.cache']) {
    if (existsSync(path.join(installed, leftover))) throw new BuildError(`the installed package still has ${leftover}`);
  }
  // All that this build was made from is all that another needs.
  const missing = files.filter((file) => !existsSync(path.join(installed, file)));
  if (missing.length > 0) throw new BuildError(`the install removed what a rebuild needs: ${missing.join(', ')}`);

  for (const [name, text] of Object.entries(programs)) {
    writeFileSync(path.join(project, name), text);
    await mustAnswer(name, run(process.execPath, [name], { cwd: project }));
  }
  const bin = path.join(project, 'node_modules/.bin', process.platform === 'win32' ? 'nudging.cmd' : 'nudging');
  if (!existsSync(bin)) throw new BuildError('the installed package has no command `nudging`');
  await mustAnswer('npx nudging', npm(['exec', '--no', '--', 'nudging', question], { cwd: project }));
}

/** @param {string} folder where the tarball goes @returns {Promise<{ tarball: string, size: number, files: string[] }>} */
async function pack(folder) {
  const packing = npm(['pack', '--pack-destination', folder, '--json', '--loglevel=error'], { cwd: root });
  const { output } = await mustSucceed('npm pack', packing);
  // What scripts print comes before it.
  const [{ filename, size, files }] = JSON.parse(output.slice(output.indexOf('[\n')));
  return { tarball: filename, size, files: files.map((/** @type {{ path: string }} */ file) => file.path) };
}

/** @param {string} what @param {Promise<{ code: number, output: string }>} running */
async function mustSucceed(what, running) {
  const result = await running;
  if (result.code !== 0) throw new BuildError(`${what} ended with ${result.code}:\n${result.output}`);
  return result;
}

/** @param {string} what @param {Promise<{ code: number, output: string }>} running */
async function mustAnswer(what, running) {
  const { output } = await mustSucceed(what, running);
  if (!output.includes(expected)) throw new BuildError(`${what} did not answer "… ${expected} …":\n${output}`);
  console.log(`${what}: answers`);
}

/** Bytes of the files in a folder. @param {string} folder */
function sizeOf(folder) {
  let bytes = 0;
  for (const entry of readdirSync(folder, { withFileTypes: true, recursive: true })) {
    if (entry.isFile()) bytes += statSync(path.join(entry.parentPath, entry.name)).size;
  }
  return bytes;
}

/** @param {number} bytes */
function megabytes(bytes) {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}
