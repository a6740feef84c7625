// An empty project into which the packed packages are installed, as somebody would who gets them from a registry.
import { mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { BuildError } from './errors.mjs';
import { npm } from './npm.mjs';

/** @typedef {import('./runtimes.mjs').Runtime} Runtime */
/** @typedef {Record<string, string>} Tarballs absolute paths by the name of the package */

/** What npm is told whenever it installs something. */
export const quiet = ['--prefer-offline', '--no-audit', '--no-fund'];

/** The package with binaries for this machine. */
export const ownPlatform = `@nudging/${process.platform}-${process.arch}`;

/** @param {string} folder @returns {Tarballs} */
export function tarballsIn(folder) {
  /** @type {Tarballs} */
  const found = {};
  for (const file of readdirSync(folder)) {
    const [, name] = /^(nudging.*)-\d+\.\d+\.\d+.*\.tgz$/.exec(file) ?? [];
    if (name) found[name.replace(/^nudging-/, '@nudging/')] = path.join(folder, file);
  }
  return found;
}

/**
 * What a registry would give to a machine, as files, and the packages for other systems as nothing. No script of any package runs.
 * @param {string} project to be made
 * @param {Tarballs} tarballs
 * @param {Runtime} node npm runs on it
 * @param {{ platform?: string, others?: Record<string, string>, system?: string[] }} [options] `platform`: the package with binaries;
 *   `others`: further packages, as package.json has them; `system`: what npm is to take the machine for
 */
export async function installInto(project, tarballs, node, { platform = ownPlatform, others = {}, system = [] } = {}) {
  mkdirSync(project, { recursive: true });
  const missing = ['nudging', '@nudging/demo', platform].filter((name) => tarballs[name] === undefined);
  if (missing.length > 0) throw new BuildError(`there is no tarball of ${missing.join(', ')}: npm run pack:all makes them`);
  const dependencies = { nudging: `file:${tarballs['nudging']}`, '@nudging/demo': `file:${tarballs['@nudging/demo']}`, ...others };
  // As with nudging itself, an optional one: npm asks of no other whether it is for the system that it was told of.
  const optionalDependencies = { [platform]: `file:${tarballs[platform]}` };
  const manifest = { name: 'project', version: '1.0.0', private: true, dependencies, optionalDependencies };
  writeFileSync(path.join(project, 'package.json'), JSON.stringify(manifest));
  const installing = npm(['install', '--ignore-scripts', ...quiet, ...system], { cwd: project, node: node.command });
  await mustSucceed(`npm install on ${node.name}`, installing);
}

/** @param {string} what @param {Promise<{ code: number, output: string }>} running */
export async function mustSucceed(what, running) {
  const result = await running;
  if (result.code !== 0) throw new BuildError(`${what} ended with ${result.code}:\n${result.output}`);
  return result;
}

/** Bytes of the files in a folder. @param {string} folder */
export function sizeOf(folder) {
  let bytes = 0;
  for (const entry of readdirSync(folder, { withFileTypes: true, recursive: true })) {
    if (entry.isFile()) bytes += statSync(path.join(entry.parentPath, entry.name)).size;
  }
  return bytes;
}

/** @param {number} bytes */
export const megabytes = (bytes) => `${(bytes / 1e6).toFixed(1)} MB`;
