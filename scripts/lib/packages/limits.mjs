// How large packages may be. Everybody who installs nudging downloads the main one, one of the platforms' and the demonstration pair.

/** Bytes, packed and unpacked. @typedef {{ packed: number, unpacked: number }} Size */

/** @type {Size} */
const main = { packed: 1.5e6, unpacked: 6e6 };
/** Of one with binaries for CPUs, however many levels. @type {Size} */
const platform = { packed: 13e6, unpacked: 32e6 };
/** cuBLAS is not in it. @type {Size} */
const gpu = { packed: 150e6, unpacked: 500e6 };

/** @param {string} name of a package @returns {Size | undefined} nothing where there is none */
export function limitOf(name) {
  if (name === 'nudging') return main;
  if (/^@nudging\/.*-(cuda|vulkan)$/.test(name)) return gpu;
  return /^@nudging\/(linux|linuxmusl|darwin|win32)-/.test(name) ? platform : undefined;
}

/** @param {number} bytes */
export const megabytes = (bytes) => `${(bytes / 1e6).toFixed(2)} MB`;

/**
 * Packages that are larger than they may be, in words.
 * @param {readonly ({ name: string } & Size)[]} packages
 * @returns {string[]}
 */
export function tooLarge(packages) {
  return packages.flatMap(({ name, packed, unpacked }) => {
    const most = limitOf(name);
    if (!most || (packed <= most.packed && unpacked <= most.unpacked)) return [];
    const may = `at most ${megabytes(most.packed)} and ${megabytes(most.unpacked)}`;
    return `${name} (${megabytes(packed)} packed, ${megabytes(unpacked)} unpacked; ${may})`;
  });
}
