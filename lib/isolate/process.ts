import { fork, type ChildProcess } from 'node:child_process';
import type { Socket } from 'node:net';
import { inPackage } from '../here.ts';
import type { NativeEvent } from '../native.ts';
import type { ErrorCode } from '../errors.ts';
import { codeOfEnding, describeEnding, LastWords } from './ending.ts';
import { environment } from './environment.ts';
import type { Order } from './messages.ts';

export interface ProcessListener {
  events(events: NativeEvent[]): void;
  /**
   * The process is gone and everything that it sent was delivered. `how` says how, for people. Comes once, never from within the
   * constructor.
   */
  ended(how: string, code: ErrorCode): void;
}

/** One process with one native engine in it. */
export class EngineProcess {
  readonly #child: ChildProcess | undefined;
  readonly #lastWords = new LastWords();
  #ending = false;

  /** @param folder what relative paths are relative to */
  constructor(folder: string, listener: ProcessListener) {
    let ended = false;
    const end = (how: string, code: ErrorCode = 'ERR_ENGINE_CRASHED') => {
      this.#ending = true;
      if (ended) return;
      ended = true;
      listener.ended(how, code);
    };
    const notStarted = (error: NodeJS.ErrnoException) => {
      const forbidden = error.code === 'ERR_ACCESS_DENIED';
      const permission = "Node.js's permission model forbids it: add --allow-child-process";
      const remedy = forbidden ? permission : 'check the limits on processes and memory';
      end(`the engine's process could not be started (${error.message}): ${remedy}`);
    };
    try {
      this.#child = fork(inPackage('dist/isolate/main.js'), [], {
        cwd: folder,
        env: environment(process.env),
        // None of the parent's options is for the engine; some (--inspect, --eval) would break it.
        execArgv: [],
        serialization: 'advanced',
        stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
      });
    } catch (error) {
      setImmediate(notStarted, error as Error);
      return;
    }
    this.#child.on('error', (error) => {
      if (this.#child?.pid === undefined) notStarted(error);
    });
    this.#child.on('message', (message) => {
      const events = message as NativeEvent[];
      if (events.some(({ type }) => type === 'closed' || type === 'load-failed')) this.#ending = true;
      listener.events(events);
    });
    this.#child.on('exit', () => (this.#ending = true));
    this.#child.on('disconnect', () => (this.#ending = true));
    // Not `exit`: messages may still be on their way then.
    this.#child.on('close', (code, signal) => {
      const lastWords = this.#lastWords.toString();
      end(describeEnding(code, signal, lastWords), codeOfEnding(lastWords));
    });
    // What llama.cpp logs is shown if it was asked for, as it is without isolation; else it is kept for the message about a crash.
    const shown = Boolean(process.env['NUDGING_LOG']);
    this.#child.stderr?.on('data', (chunk: Buffer) => {
      this.#lastWords.add(chunk);
      if (shown) process.stderr.write(chunk);
    });
  }

  /** Whether it takes no more orders: it is closing, could not load, or is gone and its last messages are being read. */
  get ending(): boolean {
    return this.#ending;
  }

  /** @throws DataCloneError for what cannot be sent, such as functions */
  send(order: Order): void {
    // One that ends before it reads this says so itself.
    if (this.#child?.connected) this.#child.send(order, () => {});
  }

  /** Whether it keeps the parent's event loop alive. */
  hold(needed: boolean): void {
    const stderr = this.#child?.stderr as Socket | null | undefined;
    const handles: ({ ref?: () => unknown; unref?: () => unknown } | null | undefined)[] = [this.#child, this.#child?.channel, stderr];
    for (const handle of handles) {
      // Not all of them can be held and let go on every runtime: Bun has no such channel.
      if (needed) handle?.ref?.();
      else handle?.unref?.();
    }
  }

  /** Ends it at once. It has nothing to save. */
  kill(): void {
    this.#ending = true;
    this.#child?.kill('SIGKILL');
  }
}
