/**
 * @typedef {object} Context what every situation has at hand
 * @property {string} folder    an empty one of its own
 * @property {import('../install-project.mjs').Tarballs} tarballs
 * @property {(version: string) => Promise<import('../runtimes.mjs').Runtime>} nodeOf fetches a Node.js by its major version
 */

/**
 * @typedef {object} Found what a line of the table says
 * @property {string} node
 * @property {number} seconds  from an empty folder to the first answer
 * @property {number} bytes    of what is deployed
 */

/**
 * @typedef {(context: Context) => Promise<Found>} Situation throws where there was no answer, and Unavailable where this machine lacks a
 *   tool
 */

export {};
