import { fork, type ChildProcess } from 'node:child_process';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { isApplication } from '../../scripts/lib/own-runtime.mjs';
import { inPackage } from '../here.ts';
import { noProcess } from '../isolate/chain.ts';
import { describeEnding, LastWords } from '../isolate/ending.ts';
import { environment } from '../isolate/environment.ts';
import type { NativeRpcService } from '../native.ts';
import type { Started } from './server-main.ts';

/** How often a server that has just been started is asked whether it listens, in milliseconds. */
const askAgain = 20;

/** llama.cpp's RPC server in a process of its own, which ends with this one. */
export class RpcServer {
  readonly #child: ChildProcess;
  readonly #lastWords = new LastWords();
  /** Resolves with how it ended, in words. */
  readonly ended: Promise<string>;
  #isOver = false;

  /**
   * @param verbose whether it says on stderr who connects
   * @throws Error where no process can be started
   */
  constructor(verbose: boolean) {
    if (isApplication()) throw new Error(noProcess());
    this.#child = fork(inPackage('dist/rpc/server-main.js'), [], {
      env: environment(process.env),
      execArgv: [],
      stdio: ['ignore', verbose ? 2 : 'ignore', 'pipe', 'ipc'],
    });
    this.#child.stderr?.on('data', (chunk: Buffer) => {
      this.#lastWords.add(chunk);
      process.stderr.write(chunk);
    });
    this.ended = new Promise((resolve) => {
      const end = (how: string) => {
        this.#isOver = true;
        resolve(how);
      };
      this.#child.on('error', (error) => end(`the server's process could not be started (${error.message})`));
      this.#child.on('close', (code, signal) => end(describeEnding(code, signal, this.#lastWords.toString(), "the server's process")));
    });
  }

  /**
   * Starts to serve.
   *
   * @returns the names of the devices, when it listens
   * @throws Error if it cannot
   */
  async serve(service: NativeRpcService): Promise<string[]> {
    const told = new Promise<Started>((resolve) => this.#child.once('message', (message) => resolve(message as Started)));
    this.#child.send(service);
    const started = await Promise.race([told, this.ended]);
    if (typeof started === 'string') throw new Error(started);
    if ('failure' in started) throw new Error(started.failure);
    const [host = '', port = ''] = service.endpoint.split(':');
    while (!(await accepts(host === '0.0.0.0' ? '127.0.0.1' : host, Number(port)))) {
      if (this.#isOver) throw new Error(await this.ended);
      await sleep(askAgain);
    }
    return started.devices;
  }

  /** Ends it at once. It has nothing to save. */
  async kill(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.ended;
  }
}

function accepts(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    const answer = (yes: boolean) => {
      socket.destroy();
      resolve(yes);
    };
    socket.once('connect', () => answer(true));
    socket.once('error', () => answer(false));
  });
}
