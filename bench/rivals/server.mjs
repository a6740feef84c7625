import { spawn } from 'node:child_process';
import { createServer } from 'node:net';
import { binary } from './binaries.mjs';

/** @type {Set<import('node:child_process').ChildProcess>} */
const running = new Set();
process.on('exit', () => running.forEach((child) => child.kill('SIGKILL')));

/**
 * Starts llama-server on loopback, and waits until its model is loaded.
 * @param {string} model @param {number} context of each slot @param {number} threads @param {number} [slots]
 */
export async function startServer(model, context, threads, slots = 1) {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  // `--cache-ram 0`: no copies of old prompts; the prompt in the slot is the cache that counts here.
  const args = [
    '-m',
    model,
    '--host',
    '127.0.0.1',
    '--port',
    port,
    '-c',
    context * slots,
    '-np',
    slots,
    '-t',
    threads,
    '-tb',
    threads,
    '--cache-ram',
    0,
    '--no-ui',
    '--offline',
    '--log-disable',
  ];
  const child = spawn(binary('llama-server'), args.map(String), { stdio: 'ignore' });
  running.add(child);
  const ended = new Promise((resolve) => child.once('close', resolve));
  child.once('close', () => running.delete(child));
  const stop = async () => {
    child.kill('SIGTERM');
    const timer = setTimeout(() => child.kill('SIGKILL'), 3000);
    await ended;
    clearTimeout(timer);
  };
  const deadline = Date.now() + 120_000;
  while (!(await isReady(url))) {
    if (child.exitCode !== null || child.signalCode !== null)
      throw new Error(`llama-server ended with ${child.exitCode ?? child.signalCode}`);
    if (Date.now() > deadline) {
      await stop();
      throw new Error('llama-server was not ready after two minutes');
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return { url, pid: /** @type {number} */ (child.pid), stop };
}

/** @param {string} url */
async function isReady(url) {
  try {
    return (await fetch(`${url}/health`)).ok;
  } catch {
    return false;
  }
}

/** @returns {Promise<number>} */
function freePort() {
  return new Promise((resolve, reject) => {
    const probe = createServer().once('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address();
      probe.close(() => resolve(typeof address === 'object' && address ? address.port : 0));
    });
  });
}
