import { createHash } from 'node:crypto';
import { lstatSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';

/**
 * @typedef {object} Pin  see vendor/README.md
 * @property {string} name
 * @property {string} tag
 * @property {string} commit
 * @property {string} package
 * @property {string} version
 * @property {string} integrity
 * @property {string} file
 * @property {string[]} omit    folders of the source that nobody here needs
 * @property {string[]} build   what a build reads: exact files, folders (`x/`), and the files directly in a folder (`x/*.*`)
 * @property {import('./patches.mjs').Patch[]} patches what is changed in it
 */

const STAMP = 'nudging-stamp.json';
// Two lists: the published package carries only what a build reads, and with it only the first list.
const MANIFESTS = /** @type {const} */ ({ build: 'nudging-build.manifest', rest: 'nudging-rest.manifest' });
export const SHIPPED_RECORDS = [STAMP, MANIFESTS.build];

const sha256 = (/** @type {string} */ text) => createHash('sha256').update(text).digest('hex');
const pinKey = (/** @type {Pin} */ pin) =>
  sha256(JSON.stringify([pin.commit, pin.integrity, pin.omit, pin.build, pin.patches.map(({ name, text }) => [name, text])]));

/**
 * @param {Pin} pin
 * @param {string} file path inside the tree, with forward slashes
 */
export function isForBuild(pin, file) {
  return pin.build.some((rule) => {
    if (rule.endsWith('/*.*')) return path.posix.dirname(file) === rule.slice(0, -4);
    return rule.endsWith('/') ? file.startsWith(rule) : file === rule;
  });
}

/** @param {string} dir */
export function listFiles(dir) {
  /** @type {string[]} */
  const files = [];
  const walk = (/** @type {string} */ sub) => {
    for (const entry of readdirSync(path.join(dir, sub), { withFileTypes: true })) {
      const name = sub ? `${sub}/${entry.name}` : entry.name;
      if (entry.isDirectory()) walk(name);
      else if (entry.isFile()) files.push(name);
    }
  };
  walk('');
  return files.sort();
}

/**
 * Records what the folder holds. The stamp comes last: without it the folder counts as unfinished.
 * @param {string} dir
 * @param {Pin} pin
 */
export function writeRecords(dir, pin) {
  const files = listFiles(dir);
  /** @type {Record<string, string>} */
  const sums = {};
  for (const [kind, name] of Object.entries(MANIFESTS)) {
    const mine = files.filter((file) => isForBuild(pin, file) === (kind === 'build'));
    const text = mine.map((file) => `${lstatSync(path.join(dir, file)).size} ${file}\n`).join('');
    writeFileSync(path.join(dir, name), text);
    sums[kind] = sha256(text);
  }
  writeFileSync(path.join(dir, STAMP), `${JSON.stringify({ commit: pin.commit, pin: pinKey(pin), sums }, null, 2)}\n`);
}

/** @param {string} file */
function readIfThere(file) {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}

/**
 * A check cheap enough for every build: names and sizes, no contents.
 * @param {string} dir
 * @param {Pin} pin
 * @param {boolean} [thorough] also what only tests and tools read
 * @returns {string | undefined} what is wrong, or nothing
 */
export function findDamage(dir, pin, thorough = true) {
  const stampText = readIfThere(path.join(dir, STAMP));
  if (stampText === undefined) return 'not unpacked completely';
  let stamp;
  try {
    stamp = JSON.parse(stampText);
  } catch {
    return 'its stamp is damaged';
  }
  if (stamp.pin !== pinKey(pin)) return 'unpacked for another pin or with other patches';
  for (const [kind, name] of Object.entries(MANIFESTS)) {
    if (kind === 'rest' && !thorough) continue;
    const text = readIfThere(path.join(dir, name));
    if (text === undefined && kind === 'rest') continue;
    if (text === undefined || sha256(text) !== stamp.sums?.[kind]) return `${name} is damaged`;
    for (const line of text.split('\n')) {
      if (line === '') continue;
      const gap = line.indexOf(' ');
      const file = line.slice(gap + 1);
      const found = lstatSync(path.join(dir, file), { throwIfNoEntry: false });
      if (found === undefined) return `${file} is missing`;
      if (found.size !== Number(line.slice(0, gap))) return `${file} has the wrong size`;
    }
  }
  return undefined;
}
