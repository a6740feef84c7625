// Runtimes to try the package on, as npm has them: each is fetched into a folder of its own, and nothing is installed on the machine.
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { BuildError } from './errors.mjs';
import { npm } from './npm.mjs';
import { run } from './process.mjs';

/**
 * @typedef {object} Runtime
 * @property {string} name     with its version
 * @property {string} command
 * @property {string[]} args   before a program
 * @property {boolean} isNode  whether npm and the scripts of packages can run on it
 */

/** Major versions of Node.js that the package is for. The first one is the oldest that `engines` in package.json allows. */
export const nodeVersions = ['20', '22', '24', '26'];

/** What a program on Deno must be allowed; the last one is for `isolate`. */
const denoAllows = ['ffi', 'read', 'env', 'sys', 'run'].map((what) => `--allow-${what}`);

/** Node.js as it runs this. @returns {Runtime} */
export const thisNode = () => ({ name: `node ${process.versions.node}`, command: process.execPath, args: [], isNode: true });

/**
 * @param {'node' | 'bun' | 'deno'} name
 * @param {string} version as npm understands it
 * @param {string} folder where all runtimes go
 * @returns {Promise<Runtime>}
 */
export async function fetchRuntime(name, version, folder) {
  const home = path.join(folder, `${name}-${version}`);
  mkdirSync(home, { recursive: true });
  writeFileSync(path.join(home, 'package.json'), '{ "private": true }\n');
  const { code, output } = await npm(['install', `${name}@${version}`, '--prefer-offline', '--no-audit', '--no-fund'], { cwd: home });
  if (code !== 0) throw new BuildError(`npm could not fetch ${name} ${version}:\n${output}`);
  // npm links the programs of packages by their names; only Node's is asked for under a name of its own, because it is put into PATH.
  const command = path.join(home, 'node_modules', name === 'node' ? 'node/bin/node' : `.bin/${name}`);
  const told = await run(command, ['--version']);
  const found = /\d+\.\d+\.\d+/.exec(told.output)?.[0];
  if (told.code !== 0 || found === undefined) throw new BuildError(`${name} ${version} does not run here:\n${told.output}`);
  return { name: `${name} ${found}`, command, args: name === 'deno' ? ['run', ...denoAllows] : [], isNode: name === 'node' };
}
