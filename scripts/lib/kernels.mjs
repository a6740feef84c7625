// Tries every kernel of an addon in a process of its own, so that one that crashes is known before it ends somebody's service.
import { spawn } from 'node:child_process';
import { readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { describeCpu } from './cpu.mjs';
import { childMark, isApplication } from './own-runtime.mjs';

/**
 * @typedef {object} Harm a kernel that must not be used, and with it everything in its kind of buffer
 * @property {string} buffer ggml's name of the extra CPU buffer, such as "AMX"
 * @property {string} type   of the weights, such as "q4_0"
 * @property {string} how    what it did, to go on after the kernel's name
 */

const child = fileURLToPath(new URL('../check-kernels.mjs', import.meta.url));
/** Some hundred times what a check takes on an idle machine. */
const mostMs = 120_000;

/** Where it is kept what was found. @param {string} addon */
export const recordOf = (addon) => `${addon}.kernels.json`;

/** What the result holds for: this file on this machine. @param {string} addon */
function subjectOf(addon) {
  const { size, mtimeMs } = statSync(addon);
  return { size, mtime: Math.trunc(mtimeMs), cpu: describeCpu(), system: `${os.platform()} ${os.release()}` };
}

/** What was found earlier. @param {string} addon @returns {Harm[] | undefined} nothing if it was not for this file on this machine */
export function readRecord(addon) {
  try {
    const { subject, harmful } = JSON.parse(readFileSync(recordOf(addon), 'utf8'));
    return JSON.stringify(subject) === JSON.stringify(subjectOf(addon)) && Array.isArray(harmful) ? harmful : undefined;
  } catch {
    return undefined;
  }
}

/** Where the folder cannot be written, the next process checks again. @param {string} addon @param {Harm[]} harmful */
export function writeRecord(addon, harmful) {
  const incoming = `${recordOf(addon)}.${process.pid}`;
  try {
    writeFileSync(incoming, `${JSON.stringify({ subject: subjectOf(addon), harmful }, null, 2)}\n`);
    renameSync(incoming, recordOf(addon));
  } catch {}
}

/**
 * Tries all kernels. After a crash another process goes on with the other kinds of buffer.
 * @param {string} addon
 * @returns {Promise<Harm[] | undefined>} nothing if it could not be found out: no process could be started, it could not load the
 *   addon, or took too long
 */
export async function checkKernels(addon) {
  /** @type {Harm[]} */
  const harmful = [];
  while (true) {
    const { told, code, signal } = await tryRest(
      addon,
      harmful.map(({ buffer }) => buffer),
    );
    for (const { buffer, type, right } of told) {
      if (right === false) harmful.push({ buffer, type, how: 'multiplies wrongly' });
    }
    const last = told.at(-1);
    if (last?.done) return harmful;
    // An exit of its own accord says nothing of a kernel, and neither does being stopped from outside.
    const crashed = signal !== null ? !['SIGKILL', 'SIGTERM', 'SIGINT', 'SIGHUP'].includes(signal) : code !== null && code > 255;
    if (!crashed || last?.buffer === undefined || last.right !== undefined) return undefined;
    harmful.push({ buffer: last.buffer, type: last.type, how: `ended its process (${signal ?? `exit code 0x${code?.toString(16)}`})` });
  }
}

/**
 * What is known of an addon's kernels, found out now if nothing is known.
 * @param {string} addon
 * @returns {Promise<Harm[]>} empty as well where it cannot be found out: that must not keep a model from being loaded
 */
export async function harmfulKernels(addon) {
  const known = readRecord(addon);
  if (known) return known;
  const found = await checkKernels(addon);
  if (found) writeRecord(addon, found);
  return found ?? [];
}

/** In words. @param {Harm} harm */
export const describeHarm = ({ buffer, type, how }) =>
  `the kernel for ${type} weights in ${buffer} ${how} when it was checked on this machine: ${buffer} is not used, which costs time`;

/**
 * @typedef {object} Told a line of check-kernels.mjs
 * @property {string} buffer
 * @property {string} type
 * @property {boolean} [right] missing before it is tried
 * @property {boolean} [done]  behind the last one
 */

/** Deno keeps a program from starting others unless it is told to, and says so in no event that Node.js knows. */
function mayStart() {
  /** @type {{ permissions: { querySync(what: { name: string, command: string }): { state: string } } } | undefined} */
  const deno = Reflect.get(globalThis, 'Deno');
  return deno === undefined || deno.permissions.querySync({ name: 'run', command: process.execPath }).state === 'granted';
}

/**
 * @param {string} addon
 * @param {string[]} without
 * @returns {Promise<{ told: Told[], code: number | null, signal: NodeJS.Signals | null }>}
 */
function tryRest(addon, without) {
  return new Promise((resolve) => {
    let output = '';
    const env = { ...process.env, [childMark]: 'kernels', ELECTRON_RUN_AS_NODE: '1', GGML_NO_BACKTRACE: '1', NODE_OPTIONS: '' };
    const failed = () => resolve({ told: [], code: 1, signal: null });
    if (isApplication() || !mayStart()) return failed();
    try {
      const args = [child, path.resolve(addon), ...without];
      const started = spawn(process.execPath, args, { env, stdio: ['ignore', 'pipe', 'ignore'], windowsHide: true, timeout: mostMs });
      started.stdout.setEncoding('utf8').on('data', (/** @type {string} */ text) => (output += text));
      started.on('error', failed);
      started.on('close', (code, signal) => {
        const told = output
          .split('\n')
          .filter((line) => line.startsWith('{'))
          .map((line) => JSON.parse(line));
        resolve({ told, code, signal });
      });
    } catch {
      failed();
    }
  });
}
