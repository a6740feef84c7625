#!/usr/bin/env node
// `npm run test:install`: what somebody does who finds the package: installs it into an empty project, asks it something. It packs this
// checkout and compiles all of it once more, which takes minutes where there is no ccache, so it is no part of `npm test`.
import { existsSync, mkdirSync, mkdtempSync, readdirSync, realpathSync, rmSync, statSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { BuildError, runMain } from './lib/errors.mjs';
import { expected, programs, question, writePrograms } from './lib/install-programs.mjs';
import { npm } from './lib/npm.mjs';
import { root } from './lib/paths.mjs';
import { run } from './lib/process.mjs';
import { fetchRuntime, nodeVersions, thisNode } from './lib/runtimes.mjs';

/** @typedef {import('./lib/runtimes.mjs').Runtime} Runtime */

const help = `usage: npm run test:install [-- options]

Installs the packed package into an empty project, and asks it there: by import, by require, on the command line, in Jest, through the AI
SDK, on the Node.js that runs this and on one more.

  --runtimes    on Node.js ${nodeVersions.join(', ')}, each of which installs and compiles it anew, and on Bun and Deno; takes some minutes
  --keep        leave the projects there, and say where
`;

/** Bytes that an installed package may take, its dependencies not counted: source 18 MB, addon 9 MB, demo models 13 MB. */
const mostBytes = 50e6;
const quiet = ['--prefer-offline', '--no-audit', '--no-fund'];

await runMain(async () => {
  const flag = /** @type {const} */ ({ type: 'boolean', default: false });
  const { values } = parseArgs({ options: { runtimes: flag, keep: flag, help: { type: 'boolean', short: 'h' } } });
  if (values.help) return void process.stdout.write(help);
  // It names another addon than the one that is to be tried.
  delete process.env.NUDGING_BINARY;
  const folder = mkdtempSync(path.join(realpathSync(os.tmpdir()), 'nudging-install-'));
  try {
    await tryPackage(folder, values.runtimes);
  } finally {
    if (values.keep) console.log(`kept: ${folder}`);
    else rmSync(folder, { recursive: true, force: true });
  }
});

/** @param {string} folder @param {boolean} everywhere */
async function tryPackage(folder, everywhere) {
  const packed = await pack(folder);
  console.log(`packed: ${megabytes(packed.size)}`);
  const fetched = (/** @type {Parameters<typeof fetchRuntime>[0]} */ name, version = 'latest') =>
    fetchRuntime(name, version, path.join(folder, 'runtimes'));

  const project = path.join(folder, 'project');
  await install(project, packed, thisNode());
  await mustAnswer('npx nudging', npm(['exec', '--no', '--', 'nudging', question], { cwd: project }));
  await ask(project, thisNode());
  const ours = process.versions.node.split('.')[0] ?? '';
  const others = nodeVersions.filter((version) => version !== ours);
  if (!everywhere) {
    await addJest(project);
    await askInJest(project, thisNode());
    // The addon is the same for all of them (Node-API).
    return ask(project, await fetched('node', others.at(-1)));
  }

  for (const version of others) {
    const node = await fetched('node', version);
    const own = path.join(folder, `project-${version}`);
    await install(own, packed, node);
    await ask(own, node);
  }
  for (const name of /** @type {const} */ (['bun', 'deno'])) await ask(project, await fetched(name));
  // Last, because what Jest brings is in nobody's way then.
  await addJest(project);
  for (const version of nodeVersions) await askInJest(project, version === ours ? thisNode() : await fetched('node', version));
}

/** @param {string} folder where the tarball goes @returns {Promise<{ tarball: string, size: number, files: string[] }>} */
async function pack(folder) {
  const packing = npm(['pack', '--pack-destination', folder, '--json', '--loglevel=error'], { cwd: root });
  const { output } = await mustSucceed('npm pack', packing);
  // What scripts print comes before it.
  const [{ filename, size, files }] = JSON.parse(output.slice(output.indexOf('[\n')));
  return { tarball: filename, size, files: files.map((/** @type {{ path: string }} */ file) => file.path) };
}

/** @param {string} project to be made, beside the tarball @param {{ tarball: string, files: string[] }} packed @param {Runtime} node */
async function install(project, { tarball, files }, node) {
  mkdirSync(project);
  writeFileSync(path.join(project, 'package.json'), '{ "name": "project", "private": true }\n');
  const started = Date.now();
  const installing = npm(['install', `../${tarball}`, '--foreground-scripts', ...quiet], { cwd: project, node: node.command });
  const { output } = await mustSucceed(`npm install on ${node.name}`, installing);
  if (!/building .*-release \(addon\)/.test(output)) throw new BuildError(`npm install built no addon:\n${output}`);
  const installed = path.join(project, 'node_modules/nudging');
  const bytes = sizeOf(installed);
  console.log(`installed on ${node.name}: ${megabytes(bytes)}, in ${Math.round((Date.now() - started) / 1000)} s`);
  if (bytes > mostBytes) throw new BuildError(`the installed package takes ${megabytes(bytes)}: over ${megabytes(mostBytes)}`);
  for (const leftover of ['.native', 'vendor/.cache']) {
    if (existsSync(path.join(installed, leftover))) throw new BuildError(`the installed package still has ${leftover}`);
  }
  // All that this build was made from is all that another needs.
  const missing = files.filter((file) => !existsSync(path.join(installed, file)));
  if (missing.length > 0) throw new BuildError(`the install removed what a rebuild needs: ${missing.join(', ')}`);
  const bin = path.join(project, 'node_modules/.bin', process.platform === 'win32' ? 'nudging.cmd' : 'nudging');
  if (!existsSync(bin)) throw new BuildError('the installed package has no command `nudging`');
  // Which major that is depends on the Node.js, and the package is to work with either.
  await mustSucceed(`npm install ai on ${node.name}`, npm(['install', 'ai', ...quiet], { cwd: project, node: node.command }));
  writePrograms(project);
}

/** Runs every program on a runtime, and says in one line what works. @param {string} project @param {Runtime} runtime */
async function ask(project, { name, command, args }) {
  /** @type {string[]} */
  const works = [];
  /** @type {string[]} */
  const failures = [];
  for (const [what, { file }] of Object.entries(programs)) {
    const { code, output } = await run(command, [...args, file], { cwd: project });
    const answers = code === 0 && output.includes(expected);
    works.push(`${what} ${answers ? 'ok' : 'FAILS'}`);
    if (!answers) failures.push(`${file} ended with ${code}:\n${output}`);
  }
  console.log(`${name}: ${works.join(', ')}`);
  if (failures.length > 0) throw new BuildError(`on ${name}, ${failures.join('\n')}`);
}

/** @param {string} project */
async function addJest(project) {
  await mustSucceed('npm install jest', npm(['install', 'jest@^30', ...quiet], { cwd: project }));
}

/** @param {string} project @param {Runtime} node */
async function askInJest(project, { name, command }) {
  const jest = path.join(project, 'node_modules/jest/bin/jest.js');
  const { output } = await mustSucceed(`Jest on ${name}`, run(command, [jest, '--runInBand', '--ci'], { cwd: project }));
  const passed = /^Tests: +(\d+) passed, \1 total$/m.exec(output)?.[1];
  if (passed === undefined) throw new BuildError(`Jest on ${name} did not pass:\n${output}`);
  console.log(`${name} in Jest: ${passed} tests passed`);
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
