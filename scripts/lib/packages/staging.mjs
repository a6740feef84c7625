// What all packages have in common: a folder that is put together outside the tree, and a tarball of it.
import { copyFileSync, cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { BuildError } from '../errors.mjs';
import { npm } from '../npm.mjs';
import { inRoot } from '../paths.mjs';

/** package.json of the checkout. */
export const manifest = JSON.parse(readFileSync(inRoot('package.json'), 'utf8'));

/** What every package says of itself. */
export const common = {
  version: manifest.version,
  license: manifest.license,
  author: manifest.author,
  engines: manifest.engines,
};

/**
 * An empty folder for a package, with the licences in it.
 * @param {string} folder where all packages are put together
 * @param {string} name of the package
 */
export function stage(folder, name) {
  const place = path.join(folder, name.replace('/', '-').replace('@', ''));
  rmSync(place, { recursive: true, force: true });
  mkdirSync(place, { recursive: true });
  for (const file of ['LICENSE', 'THIRD_PARTY_NOTICES.md']) copyFileSync(inRoot(file), path.join(place, file));
  return place;
}

/** Copies files and folders of the checkout to the same places. @param {string} place @param {readonly string[]} names */
export function copyTo(place, names) {
  for (const name of names) {
    const target = path.join(place, name);
    mkdirSync(path.dirname(target), { recursive: true });
    cpSync(inRoot(name), target, { recursive: true });
  }
}

/** @param {string} place @param {object} contents */
export function writeManifest(place, contents) {
  writeFileSync(path.join(place, 'package.json'), `${JSON.stringify(contents, null, 2)}\n`);
}

/**
 * @typedef {object} Tarball
 * @property {string} name  of the package
 * @property {string} file  absolute path
 * @property {number} packed    bytes
 * @property {number} unpacked  bytes
 * @property {string[]} files   what is in it
 */

/** @param {string} place a staged package @param {string} out where the tarball goes @returns {Promise<Tarball>} */
export async function pack(place, out) {
  const { code, output } = await npm(['pack', '--ignore-scripts', '--pack-destination', out, '--json', '--loglevel=error'], { cwd: place });
  if (code !== 0) throw new BuildError(`npm pack in ${place} ended with ${code}:\n${output}`);
  const [{ name, filename, size, unpackedSize, files }] = JSON.parse(output.slice(output.indexOf('[')));
  const paths = files.map((/** @type {{ path: string }} */ each) => each.path);
  return { name, file: path.join(out, filename.replace('@', '').replace('/', '-')), packed: size, unpacked: unpackedSize, files: paths };
}
