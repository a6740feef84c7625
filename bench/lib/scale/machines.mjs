/**
 * Where passes run. A single token's pass takes bytes ÷ bandwidth, and something that does not depend on the size.
 *
 * @typedef {{ name: string, gigabytesPerSecond: Readonly<Record<string, number>>, passMs: number, memoryGb: number }} Machine
 *   `gigabytesPerSecond`: by the type of the weights, as reached, not as sold
 */

/** 2 cores with AVX-512. Fitted to llama-bench's single tokens of the pairs in bench/results; the test has all of them. @type {Machine} */
export const cpu = { name: '2 cores', gigabytesPerSecond: { Q4_0: 27, Q8_0: 28, F16: 31 }, passMs: 2, memoryGb: 16 };

/**
 * From two passes each: of 15.64 GB and 1.25 GB in F16. That is 90 % of what the memory is sold with, on both. Q4_0 from the 77.9 B base
 * alone, 43.8 GB: its kernels wait for more than memory. On the H100, Q4_0 was not measured: taken is the same share.
 *
 * @type {Record<'h100' | 'h200', Machine>}
 */
export const gpus = {
  h200: { name: 'H200', gigabytesPerSecond: { F16: 4310, Q4_0: 2390 }, passMs: 1.67, memoryGb: 141 },
  h100: { name: 'H100', gigabytesPerSecond: { F16: 3060, Q4_0: 1700 }, passMs: 2.04, memoryGb: 80 },
};

/** Bytes of a weight. */
export const bytesPerWeight = /** @type {const} */ ({ F16: 2, Q8_0: 34 / 32, Q4_0: 18 / 32 });

/** @param {Machine} machine @param {string} weights @param {number} bytes @returns {number} ms of a pass over one token */
export function singlePassMs({ gigabytesPerSecond, passMs }, weights, bytes) {
  const rate = gigabytesPerSecond[weights];
  if (rate === undefined)
    throw new RangeError(`no bandwidth is known for ${weights}: known are ${Object.keys(gigabytesPerSecond).join(', ')}`);
  return bytes / 1e6 / rate + passMs;
}
