import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';

/**
 * The files in a .tgz. The system's tar is not everywhere, and what is read here, tarballs of packages, needs little of the format.
 * @param {string} tarball
 * @returns {Generator<{ name: string, data: Buffer }>}
 */
function* filesIn(tarball) {
  const data = gunzipSync(readFileSync(tarball));
  const field = (/** @type {number} */ at, /** @type {number} */ length) => data.toString('utf8', at, at + length).replace(/\0.*$/s, '');
  for (let at = 0; at + 512 <= data.length && data[at] !== 0; ) {
    const prefix = field(at + 345, 155);
    const size = Number.parseInt(field(at + 124, 12), 8) || 0;
    // What is no plain file says something about others.
    if (/^0?$/.test(field(at + 156, 1)))
      yield { name: (prefix ? `${prefix}/` : '') + field(at, 100), data: data.subarray(at + 512, at + 512 + size) };
    at += 512 + Math.ceil(size / 512) * 512;
  }
}

/** @param {string} tarball @param {string} name @returns {Buffer | undefined} */
export function readFromTarball(tarball, name) {
  for (const file of filesIn(tarball)) if (file.name === name) return file.data;
  return undefined;
}

/** Bytes of all its files. @param {string} tarball */
export function unpackedSize(tarball) {
  let bytes = 0;
  for (const { data } of filesIn(tarball)) bytes += data.length;
  return bytes;
}
