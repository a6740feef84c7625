import { readFileSync } from 'node:fs';

/**
 * Peak resident memory of some processes together, in bytes. Pages of model files are counted: they have to be resident for any rival.
 * @param {readonly number[]} pids the first is this process
 * @returns {number | null} null where the system does not tell about other processes
 */
export function peakMemory(pids) {
  if (pids.length === 1) return process.resourceUsage().maxRSS * 1024;
  let sum = 0;
  for (const pid of pids) {
    const peak = highWater(pid);
    if (peak === undefined) return null;
    sum += peak;
  }
  return sum;
}

/** @param {number} pid */
function highWater(pid) {
  try {
    const found = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
    return found ? Number(found[1]) * 1024 : undefined;
  } catch {
    return undefined;
  }
}
