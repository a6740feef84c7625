import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { controlGroups, textOf } from './control-groups.mjs';

/** What the answer depends on; replaced in tests. */
const actual = () => ({
  platform: process.platform,
  // Respects the cores that this process is bound to; quotas only from some version of Node on, and only in part.
  bound: availableParallelism(),
  read: (/** @type {string} */ file) => readFileSync(file, 'utf8'),
});

/**
 * How many threads of this process can run at once: cores that it is bound to, but no more than its share of the processors' time, which
 * containers limit. More threads than that would be stopped in the middle of their work, and those that wait for them with them.
 *
 * @param {{ platform: string, bound: number, read: (file: string) => string }} [system]
 * @returns {number} at least 1
 */
export function availableCores({ platform, bound, read } = actual()) {
  const quotas = platform === 'linux' ? controlGroups('cpu', read).map(({ version, folder }) => quotaOf(version, folder, read)) : [];
  return Math.max(1, Math.floor(Math.min(bound, ...quotas)));
}

/**
 * In cores; infinite without a limit.
 * @param {1 | 2} version @param {string} folder @param {(file: string) => string} read
 */
function quotaOf(version, folder, read) {
  const text = (/** @type {string} */ name) => textOf(read, `${folder}/${name}`) ?? '';
  const numbers = version === 2 ? text('cpu.max').split(/\s+/) : [text('cpu.cfs_quota_us'), text('cpu.cfs_period_us')];
  const [quota, period] = numbers.map(Number);
  // "max" in version 2 and -1 in version 1 mean that there is no limit.
  return quota !== undefined && period !== undefined && quota > 0 && period > 0 ? quota / period : Infinity;
}
