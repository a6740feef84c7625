import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';

/**
 * One file out of a .tgz. The system's tar is not everywhere, and one file of a package tarball needs little of the format.
 * @param {string} tarball
 * @param {string} name
 * @returns {Buffer | undefined}
 */
export function readFromTarball(tarball, name) {
  const data = gunzipSync(readFileSync(tarball));
  const field = (/** @type {number} */ at, /** @type {number} */ length) => data.toString('utf8', at, at + length).replace(/\0.*$/s, '');
  for (let at = 0; at + 512 <= data.length && data[at] !== 0; ) {
    const prefix = field(at + 345, 155);
    const entry = (prefix ? `${prefix}/` : '') + field(at, 100);
    const size = Number.parseInt(field(at + 124, 12), 8) || 0;
    if (entry === name) return data.subarray(at + 512, at + 512 + size);
    at += 512 + Math.ceil(size / 512) * 512;
  }
  return undefined;
}
