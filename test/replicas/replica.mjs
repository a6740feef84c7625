import { spawn } from 'node:child_process';
import { createServer } from 'node:net';
import { BuildError } from '../../scripts/lib/errors.mjs';
import { inRoot } from '../../scripts/lib/paths.mjs';

/** @returns {Promise<number>} a port that was free a moment ago */
export function freePort() {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = /** @type {import('node:net').AddressInfo} */ (server.address());
      server.close(() => resolve(port));
    });
  });
}

/** A `nudging serve` that can be started again on its port. */
export class Replica {
  /** @type {import('node:child_process').ChildProcess | undefined} */
  #child;
  /** @type {Promise<number | NodeJS.Signals | null>} its exit code, or the signal that ended it */
  #ended = Promise.resolve(null);
  #stderr = '';

  /** @param {number} port @param {readonly string[]} flags */
  constructor(port, flags) {
    this.port = port;
    this.flags = flags;
  }

  get url() {
    return `http://127.0.0.1:${this.port}`;
  }

  /** Returns when it takes requests. */
  async start() {
    const child = spawn(
      process.execPath,
      [inRoot('dist/cli/main.js'), 'serve', '--port', String(this.port), '--log', 'off', ...this.flags],
      {
        stdio: ['ignore', 'ignore', 'pipe'],
      },
    );
    this.#child = child;
    this.#stderr = '';
    this.#ended = new Promise((resolve) => child.once('close', (code, signal) => resolve(code ?? signal)));
    const ready = new Promise((resolve) => {
      child.stderr.on('data', (chunk) => {
        this.#stderr += chunk;
        if (this.#stderr.includes('"event":"ready"')) resolve('ready');
      });
    });
    if ((await Promise.race([ready, this.#ended])) !== 'ready') throw new BuildError(`a replica did not start: ${this.#stderr}`);
  }

  /** @param {NodeJS.Signals} signal @returns {Promise<number | NodeJS.Signals | null>} how it ended */
  end(signal) {
    this.#child?.kill(signal);
    return this.#ended;
  }

  /** Requests that it has answered since it was started. */
  async answered() {
    const text = await (await fetch(`${this.url}/metrics`)).text();
    return [...text.matchAll(/^nudging_requests_total\{route="\/v1\/chat\/completions",status="200".*\} (\d+)$/gm)].reduce(
      (sum, [, count]) => sum + Number(count),
      0,
    );
  }
}
