import { readFileSync } from 'node:fs';
import { freemem, totalmem } from 'node:os';
import { controlGroups, textOf } from '../scripts/lib/control-groups.mjs';

/** What the answer depends on; replaced in tests. */
export interface System {
  platform: NodeJS.Platform;
  /** Bytes. Of the machine: all, and what is free or could be without swapping. */
  total: number;
  free: number;
  /** Bytes that Node says this process may still take; on Linux with regard to its control group. */
  available: number;
  /** Bytes that the control group allows; more than `total` if it sets no limit. */
  allowed: number;
  /** Throws if there is no such file. */
  read: (path: string) => string;
}

const actual = (): System => ({
  platform: process.platform,
  total: totalmem(),
  free: freemem(),
  available: process.availableMemory?.() ?? freemem(),
  allowed: process.constrainedMemory?.() || Infinity,
  read: (path) => readFileSync(path, 'utf8'),
});

/**
 * The share of a Mac's memory that a program may count on: what Metal lets one use. Node counts as free there only what nothing has ever
 * touched.
 */
const macShare = 0.75;

/**
 * Bytes that this process may still take, control groups (containers) included.
 *
 * A control group counts pages of files that were read as used, which the system gives back when memory is wanted. Without them, a model
 * that was read once would look like memory that is gone.
 */
export function hostMemory({ platform, total, free, available, allowed, read }: System = actual()): number {
  if (platform === 'darwin') return Math.max(available, total * macShare);
  if (platform !== 'linux' || allowed >= total) return available;
  return Math.min(free, available + cachedPages(read));
}

/** Bytes of file pages that are charged to this process's control group, versions 2 and 1. 0 if that cannot be found out. */
function cachedPages(read: System['read']): number {
  for (const { folder } of controlGroups('memory', read)) {
    const stat = textOf(read, `${folder}/memory.stat`);
    if (stat === undefined) continue;
    // Version 1 has totals over the groups inside.
    const pages = (name: string) =>
      Number((new RegExp(`^total_${name} (\\d+)$`, 'm').exec(stat) ?? new RegExp(`^${name} (\\d+)$`, 'm').exec(stat))?.[1] ?? 0);
    return pages('inactive_file') + pages('active_file');
  }
  return 0;
}
