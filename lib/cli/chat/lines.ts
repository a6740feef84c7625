import { createInterface, type Interface } from 'node:readline';
import { Keys } from './paste.ts';

export interface LinesOptions {
  input: NodeJS.ReadStream;
  output: NodeJS.WriteStream;
  /** Both are a terminal. Otherwise lines are read as they come, and nothing is asked. */
  interactive: boolean;
  /** Words that the Tab key completes at the beginning of a line. */
  words: readonly string[];
  env?: NodeJS.ProcessEnv;
}

/** Where the user's lines come from. */
export class Lines {
  /** Called for Ctrl-C while an answer is made. */
  onInterrupt: () => void = () => {};
  readonly #interface: Interface;
  readonly #keys: Keys | undefined;
  readonly #output: NodeJS.WriteStream;
  readonly #marksPastes: boolean;
  readonly #queue: string[] = [];
  #waiting: ((line: string | undefined) => void) | undefined;
  #closed = false;
  /** Whether the last key was Ctrl-C at an empty prompt. */
  #leaving = false;

  constructor({ input, output, interactive, words, env = process.env }: LinesOptions) {
    this.#output = output;
    this.#keys = interactive ? new Keys(input) : undefined;
    this.#marksPastes = interactive && env['TERM'] !== 'dumb';
    this.#interface = createInterface({
      input: this.#keys ?? input,
      ...(interactive ? { output, terminal: true, completer: completerOf(words), historySize: 1000, removeHistoryDuplicates: true } : {}),
    });
    if (this.#keys) this.#keys.onInterrupt = () => this.onInterrupt();
    if (this.#marksPastes) output.write('\x1b[?2004h');
    this.#interface.on('line', (line) => this.#arrived(line));
    this.#interface.on('close', () => this.#ended());
    this.#interface.on('SIGINT', () => this.#interrupted());
  }

  /** The next line; undefined if there will be none. What was pasted into it is there as it was. */
  async next(prompt: string): Promise<string | undefined> {
    const line = await this.#next(prompt);
    return line === undefined ? undefined : (this.#keys?.expand(line) ?? line);
  }

  #next(prompt: string): Promise<string | undefined> {
    const line = this.#queue.shift();
    if (line !== undefined || this.#closed) return Promise.resolve(line);
    return new Promise((resolve) => {
      this.#waiting = resolve;
      if (!this.#keys) return;
      this.#interface.setPrompt(prompt);
      this.#interface.prompt();
      this.#keys.busy = false;
    });
  }

  /** Nothing is asked from here on until the next line is: keys wait. */
  set busy(busy: boolean) {
    if (this.#keys) this.#keys.busy = busy;
  }

  close(): void {
    this.#interface.close();
  }

  #arrived(line: string): void {
    this.#leaving = false;
    const resolve = this.#waiting;
    this.#waiting = undefined;
    if (!resolve) {
      this.#queue.push(line);
      return;
    }
    this.busy = true;
    resolve(line);
  }

  #ended(): void {
    if (this.#closed) return;
    this.#closed = true;
    if (this.#marksPastes) this.#output.write('\x1b[?2004l');
    // Nothing that is typed from here on is this program's, which must not wait for it either.
    this.#keys?.release();
    this.#waiting?.(undefined);
    this.#waiting = undefined;
  }

  /** Ctrl-C at the prompt clears the line, then says how to leave, then leaves. */
  #interrupted(): void {
    if (this.#interface.line !== '') {
      this.#leaving = false;
      this.#interface.write(null, { ctrl: true, name: 'e' });
      this.#interface.write(null, { ctrl: true, name: 'u' });
      return;
    }
    if (this.#leaving) {
      this.#output.write('\n');
      this.close();
      return;
    }
    this.#leaving = true;
    this.#output.write('\n(Ctrl-C again leaves, as Ctrl-D and /quit do)\n');
    this.#interface.prompt();
  }
}

/** Completes a word that begins a line. */
export function completerOf(words: readonly string[]): (line: string) => [string[], string] {
  return (line) => [line.startsWith('/') ? words.filter((word) => word.startsWith(line)) : [], line];
}
