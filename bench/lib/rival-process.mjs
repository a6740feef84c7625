import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** @type {Set<RivalProcess>} */
const all = new Set();
// However we end, children and their servers end too.
process.on('exit', killAll);
for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP'])) {
  process.once(signal, () => process.exit(130));
}

/** Children that still live would keep us alive too. */
export function killAll() {
  for (const each of all) each.kill();
}

/** A child process that holds one rival. */
export class RivalProcess {
  #child;
  #next = 1;
  /** @type {Map<number, { resolve: (result: any) => void, reject: (error: Error) => void }>} */
  #waiting = new Map();
  /** Servers that the child started. @type {number[]} */
  #processes = [];

  /** @param {import('../rivals/index.mjs').Rival} rival */
  constructor(rival) {
    this.rival = rival;
    this.#child = fork(fileURLToPath(new URL('../rivals/child.mjs', import.meta.url)), {
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
      serialization: 'advanced',
    });
    all.add(this);
    this.#child.on('message', (/** @type {{ id: number, result?: unknown, error?: string }} */ { id, result, error }) => {
      const waiting = this.#waiting.get(id);
      this.#waiting.delete(id);
      if (error === undefined) waiting?.resolve(result);
      else waiting?.reject(new Error(`${rival.name}: ${error}`));
    });
    this.#child.once('exit', (code, signal) => {
      all.delete(this);
      // It stops its servers itself, unless it crashed.
      if (code === 0) this.#processes = [];
      else this.#killServers();
      for (const { reject } of this.#waiting.values()) reject(new Error(`${rival.name}: its process ended with ${signal ?? code}`));
      this.#waiting.clear();
    });
  }

  /** @param {import('../rivals/index.mjs').Setup} setup */
  async open(setup) {
    const { processes } = await this.#ask('open', { module: this.rival.module, own: this.rival.own, setup });
    this.#processes = processes;
  }

  /** @param {readonly string[]} questions @returns {Promise<import('../rivals/index.mjs').Outcome[]>} */
  pass = (questions) => this.#ask('pass', { questions });
  /** @param {readonly string[]} questions @returns {Promise<{ idleP99Ms: number, p99Ms: number }>} */
  watchedPass = (questions) => this.#ask('watchedPass', { questions });
  /** @returns {Promise<number | null>} */
  memory = () => this.#ask('memory', {});

  async close() {
    const gone = new Promise((resolve) => this.#child.once('exit', resolve));
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    this.#child.disconnect();
    const timer = setTimeout(() => this.kill(), 5000);
    await gone;
    clearTimeout(timer);
  }

  kill() {
    this.#child.kill('SIGKILL');
    this.#killServers();
  }

  #killServers() {
    for (const pid of this.#processes) {
      try {
        process.kill(pid, 'SIGKILL');
      } catch {
        // It is gone, as it should be.
      }
    }
    this.#processes = [];
  }

  /** @param {string} command @param {object} rest @returns {Promise<any>} */
  #ask(command, rest) {
    const id = this.#next++;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.#child.send({ id, command, ...rest }, (error) => error && reject(error));
    });
  }
}
