import { closeSync, mkdirSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/**
 * One build at a time in a tree: two of them would write the same object files. Likewise whatever else two processes must not do at once.
 * @template T
 * @param {string} file
 * @param {() => Promise<T>} action
 * @param {(line: string) => void} log
 * @param {string} [who] keeps us waiting
 */
export async function withLock(file, action, log, who = 'another build of this tree is running') {
  mkdirSync(path.dirname(file), { recursive: true });
  let said = false;
  while (!tryTake(file)) {
    if (!said) log(`${who}; waiting for it …`);
    said = true;
    await sleep(200);
  }
  const release = () => rmSync(file, { force: true });
  process.once('exit', release);
  try {
    return await action();
  } finally {
    process.off('exit', release);
    release();
  }
}

/** @param {string} file */
function tryTake(file) {
  try {
    const handle = openSync(file, 'wx');
    writeSync(handle, String(process.pid));
    closeSync(handle);
    return true;
  } catch (error) {
    if (/** @type {NodeJS.ErrnoException} */ (error).code !== 'EEXIST') throw error;
  }
  if (!isOwnerAlive(file)) rmSync(file, { force: true });
  return false;
}

/** @param {string} file */
function isOwnerAlive(file) {
  try {
    const pid = Number(readFileSync(file, 'utf8'));
    // Empty: its owner is between making and filling it.
    if (pid > 0) process.kill(pid, 0);
    return true;
  } catch (error) {
    return /** @type {NodeJS.ErrnoException} */ (error).code === 'EPERM';
  }
}
