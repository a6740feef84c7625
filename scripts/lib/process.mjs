import { spawn } from 'node:child_process';

/** @type {Set<import('node:child_process').ChildProcess>} */
const children = new Set();

/** @param {NodeJS.Signals} signal */
function passOn(signal) {
  for (const child of children) child.kill('SIGTERM');
  unwatch();
  process.kill(process.pid, signal);
}

// Something that stops only us (a CI runner, `kill`) would otherwise leave compilers running. Watched only while there
// are children: `npm start` loads this file into the process of the command line, whose signals are its own.
const watched = /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP']);
const watch = () => watched.forEach((signal) => process.on(signal, passOn));
const unwatch = () => watched.forEach((signal) => process.off(signal, passOn));

/** @param {import('node:child_process').ChildProcess} child */
function adopt(child) {
  if (children.size === 0) watch();
  children.add(child);
}

/** @param {import('node:child_process').ChildProcess} child */
function release(child) {
  if (children.delete(child) && children.size === 0) unwatch();
}

/**
 * Runs a program without a shell and collects what it prints.
 * @param {string} command
 * @param {readonly string[]} args
 * @param {object} [options]
 * @param {string} [options.cwd]
 * @param {NodeJS.ProcessEnv} [options.env]
 * @param {boolean} [options.inherit] let it write straight to our terminal
 * @param {(text: string) => void} [options.onOutput] sees stdout and stderr as they come
 * @returns {Promise<{ code: number, output: string }>} code 127 when the program does not exist
 */
export function run(command, args, options = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd: options.cwd,
      env: options.env ?? process.env,
      stdio: options.inherit ? 'inherit' : ['ignore', 'pipe', 'pipe'],
      windowsHide: true,
    });
    adopt(child);
    /** @type {string[]} */
    const parts = [];
    const take = (/** @type {string} */ text) => {
      parts.push(text);
      options.onOutput?.(text);
    };
    child.stdout?.setEncoding('utf8').on('data', take);
    child.stderr?.setEncoding('utf8').on('data', take);
    child.on('error', (error) => {
      release(child);
      if (/** @type {NodeJS.ErrnoException} */ (error).code === 'ENOENT') resolve({ code: 127, output: '' });
      else reject(error);
    });
    child.on('close', (code, signal) => {
      release(child);
      resolve({ code: signal ? 130 : (code ?? 1), output: parts.join('') });
    });
  });
}
