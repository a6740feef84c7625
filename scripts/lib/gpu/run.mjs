import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** @typedef {import('./child.mjs').Order} Order */
/** @typedef {import('./child.mjs').Outcome} Outcome */
/**
 * @typedef {object} Ended
 * @property {Outcome | undefined} outcome
 * @property {string} died how the process ended instead of saying an outcome; empty if it did say one
 * @property {string} stderr
 */

const child = fileURLToPath(new URL('child.mjs', import.meta.url));

/**
 * @param {Order} order
 * @param {{ env?: Record<string, string>, limit: number, wrapper?: readonly string[] }} options limit: seconds after which it is killed;
 *   wrapper: a program to run it with
 */
export function runChild(order, { env = {}, limit, wrapper = [] }) {
  const [program = process.execPath, ...args] = [...wrapper, process.execPath, child, JSON.stringify(order)];
  /** @type {Promise<Ended>} */
  const ended = new Promise((resolve) => {
    // No stack traces by a debugger: they take seconds, and the line above them says all.
    const started = spawn(program, args, { env: { ...process.env, GGML_NO_BACKTRACE: '1', ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
    let stdout = '';
    let stderr = '';
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      started.kill('SIGKILL');
    }, limit * 1000);
    started.stdout.setEncoding('utf8').on('data', (text) => (stdout += text));
    started.stderr.setEncoding('utf8').on('data', (text) => (stderr = (stderr + text).slice(-100_000)));
    started.on('error', (error) => (stderr += error.message));
    started.on('close', (code, signal) => {
      clearTimeout(timer);
      const outcome = readOutcome(stdout);
      const how = late ? `still running after ${limit} s` : (signal ?? `exit code ${code}`);
      resolve({ outcome, died: outcome && code === 0 ? '' : `${how}: ${lastWords(stderr)}`, stderr });
    });
  });
  return ended;
}

/** @param {string} text @returns {Outcome | undefined} */
function readOutcome(text) {
  try {
    return JSON.parse(text.trim().split('\n').at(-1) ?? '');
  } catch {
    return undefined;
  }
}

/** What a process said about its end: CUDA's error if there was one. @param {string} stderr */
function lastWords(stderr) {
  const lines = stderr.split('\n').filter((line) => line.trim() !== '');
  return (lines.find((line) => /CUDA error|GGML_ASSERT|Error:/.test(line)) ?? lines.at(-1) ?? 'it said nothing').trim().slice(0, 200);
}

/**
 * Runs many things, so many at a time, in their order.
 * @template T @template R @param {readonly T[]} all @param {number} atOnce @param {(one: T) => Promise<R>} work @returns {Promise<R[]>}
 */
export async function inTurns(all, atOnce, work) {
  /** @type {R[]} */
  const results = [];
  let next = 0;
  const worker = async () => {
    for (let index = next++; index < all.length; index = next++) results[index] = await work(/** @type {T} */ (all[index]));
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
  return results;
}
