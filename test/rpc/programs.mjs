import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { BuildError } from '../../scripts/lib/errors.mjs';
import { inRoot } from '../../scripts/lib/paths.mjs';

/**
 * What an asker answers.
 * @typedef {{ begun?: true, code?: string, message?: string, text?: string, tokens?: number, ties?: number, ms: number,
 *   devices?: Record<string, number> }} Told
 */

/** @param {string[]} words @param {('pipe' | 'ignore' | 'inherit')[]} stdio */
const run = ([program = '', ...rest], stdio) => spawn(program, rest, { stdio });

/** `nudging rpc-server` in a namespace. */
export class Server {
  /** @type {import('node:child_process').ChildProcess | undefined} */
  #child;

  /** @param {import('./network.mjs').Network} network @param {number} port */
  constructor(network, port) {
    this.network = network;
    this.port = port;
  }

  get endpoint() {
    return `${this.network.serverHost}:${this.port}`;
  }

  async start() {
    const flags = ['rpc-server', '--host', this.network.serverHost, '--port', String(this.port), '--threads', '1'];
    const child = run([...this.network.in('server'), process.execPath, inRoot('dist/cli/main.js'), ...flags], ['ignore', 'ignore', 'pipe']);
    this.#child = child;
    let said = '';
    await new Promise((resolve, reject) => {
      child.stderr?.on('data', (chunk) => {
        said += chunk;
        if (said.includes('serving ')) resolve(undefined);
      });
      child.once('close', () => reject(new BuildError(`the server did not start: ${said}`)));
    });
  }

  /** To the process that serves, which is a child of the command. @param {NodeJS.Signals} signal */
  signal(signal) {
    const pid = this.#child?.pid;
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').filter(Boolean);
    for (const child of children) process.kill(Number(child), signal);
  }

  /** Ends both, at once. */
  async kill() {
    const child = this.#child;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const gone = new Promise((resolve) => child.once('close', resolve));
    this.signal('SIGKILL');
    await gone;
  }
}

/** A program with an engine, in the client's namespace. */
export class Asker {
  #child;
  /** @type {((told: Told) => void)[]} */
  #waiting = [];
  /** @type {(() => void) | undefined} */
  #begun;

  /** @param {import('./network.mjs').Network} network */
  constructor(network) {
    this.#child = run([...network.in('client'), process.execPath, inRoot('test/rpc/asker.mjs')], ['pipe', 'pipe', 'inherit']);
    if (this.#child.stdout)
      createInterface({ input: this.#child.stdout }).on('line', (line) => {
        const told = /** @type {Told} */ (JSON.parse(line));
        if (told.begun) this.#begun?.();
        else this.#waiting.shift()?.(told);
      });
  }

  /** @param {import('../../dist/index.js').LoadOptions} options */
  load(options) {
    return this.#order({ load: options });
  }

  /** @param {import('../../dist/index.js').GenerateOptions} [options] */
  ask(options = {}) {
    return this.#order({ ask: options });
  }

  /** Resolves when the first piece of the next answer is there. */
  get begun() {
    return new Promise((resolve) => {
      this.#begun = () => resolve(undefined);
    });
  }

  /** @param {object} order @returns {Promise<Told>} */
  #order(order) {
    this.#child.stdin?.write(`${JSON.stringify(order)}\n`);
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  kill() {
    this.#child.kill('SIGKILL');
  }
}

/** A link that takes longer, from a port of the client's side to the server. */
export class Relay {
  #child;

  /** @param {import('./network.mjs').Network} network @param {number} port @param {string} target @param {number} ms in each direction */
  constructor(network, port, target, ms) {
    this.endpoint = `127.0.0.1:${port}`;
    const words = [process.execPath, inRoot('test/rpc/relay.mjs'), String(port), target, String(ms)];
    this.#child = run([...network.in('client'), ...words], ['ignore', 'pipe', 'inherit']);
  }

  /** Resolves when it listens. */
  get ready() {
    return new Promise((resolve) => this.#child.stdout?.once('data', resolve));
  }

  kill() {
    this.#child.kill('SIGKILL');
  }
}
