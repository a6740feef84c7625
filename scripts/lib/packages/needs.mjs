// What a binary for Linux needs of the system that loads it: libraries, and the oldest glibc.
import { BuildError } from '../errors.mjs';
import { run } from '../process.mjs';

/** The oldest glibc that published binaries may ask for: that of Debian 10, RHEL 8, and Node.js's own binaries. */
export const oldestGlibc = '2.28';

/** Libraries that every system of the kind has: the C library's own. */
const ofTheSystem = {
  glibc: /^(?:lib(?:c|m|dl|pthread|rt)\.so\.\d|ld-linux-[\w-]+\.so\.\d)$/,
  musl: /^(?:libc\.so|libc\.musl-\w+\.so\.1|ld-musl-\w+\.so\.1)$/,
};

/** @typedef {{ libraries: string[], glibc: string | undefined }} Needs `glibc`: the newest of its versions that is asked for */

/** @param {string} told what `readelf -dVW` prints @returns {Needs} */
export function needsIn(told) {
  const libraries = [...told.matchAll(/\(NEEDED\).*\[(.+)\]/g)].map(([, name = '']) => name);
  const versions = [...told.matchAll(/Name: GLIBC_(\d+(?:\.\d+)+)/g)].map(([, version = '']) => version);
  return { libraries, glibc: versions.toSorted(compare).at(-1) };
}

/** @param {string} one @param {string} other */
function compare(one, other) {
  const [left, right] = [one, other].map((version) => version.split('.').map(Number));
  const at = left?.findIndex((part, index) => part !== (right?.[index] ?? 0)) ?? -1;
  return at < 0 ? (left?.length ?? 0) - (right?.length ?? 0) : (left?.[at] ?? 0) - (right?.[at] ?? 0);
}

/**
 * What would keep a published binary from being loaded on an old or small system, in words.
 * @param {Needs} needs
 * @param {'glibc' | 'musl'} libc
 * @param {RegExp} [others] libraries that may be needed besides
 * @returns {string[]}
 */
export function tooNew({ libraries, glibc }, libc, others = /^$/) {
  const strange = libraries.filter((name) => !ofTheSystem[libc].test(name) && !others.test(name));
  const wrong = strange.map((name) => `needs ${name}`);
  if (glibc !== undefined && libc === 'musl') wrong.push(`needs glibc ${glibc}, and is for musl`);
  else if (glibc !== undefined && compare(glibc, oldestGlibc) > 0) wrong.push(`needs glibc ${glibc}, and ${oldestGlibc} must do`);
  return wrong;
}

/** @param {string} binary @returns {Promise<Needs>} */
export async function needsOf(binary) {
  const { code, output } = await run('readelf', ['-dVW', binary], { env: { ...process.env, LC_ALL: 'C' } });
  if (code === 127) throw new BuildError('readelf was not found, which says what binaries need: on Debian, apt-get install binutils');
  if (code !== 0) throw new BuildError(`readelf could not read ${binary}:\n${output}`);
  return needsIn(output);
}
