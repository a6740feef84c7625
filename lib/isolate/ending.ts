import { stripVTControlCharacters } from 'node:util';
import { buildCommand } from '../build-command.ts';
import type { ErrorCode } from '../errors.ts';

const mostBytes = 8192;
const mostLines = 5;
const mostCharacters = 600;

/** Frames of stack traces, of Node, V8 and debuggers: they say little without the line above them. */
const stackFrame = /^\s*(?:at |#\d+ |\d+: 0x)/;

/** The end of what a process writes to stderr. */
export class LastWords {
  #kept = Buffer.alloc(0);

  add(chunk: Buffer): void {
    this.#kept = Buffer.concat([this.#kept, chunk]).subarray(-mostBytes);
  }

  /** Its last lines as one line of at most 600 characters; empty if it wrote nothing. */
  toString(): string {
    const lines = stripVTControlCharacters(this.#kept.toString('utf8'))
      .split(/[\r\n]+/)
      .filter((line) => line.trim() !== '' && !stackFrame.test(line))
      .map((line) => line.replace(/[\s\p{Cc}]+/gu, ' ').trim());
    return lines.slice(-mostLines).join('; ').slice(-mostCharacters);
  }
}

/** How ggml begins what it says about an error of a GPU before it ends the process. */
const deviceError = /\b(?:CUDA|ROCm|MUSA) error\b/;

/** How ggml says that it has lost an RPC server, or could not have it, before it ends the process (patch 0014). */
const serverLost = /RPC server (\S+) ([^;]+)/;

/** The code of the error that the end of a process is for its requests. */
export function codeOfEnding(lastWords: string): ErrorCode {
  return deviceError.test(lastWords) ? 'ERR_DEVICE_FAILED' : 'ERR_ENGINE_CRASHED';
}

const meanings: Partial<Record<NodeJS.Signals, string>> = {
  SIGABRT: 'a check inside llama.cpp failed',
  SIGKILL: 'the system does that when memory runs out: lower `context` or `parallel`, or take smaller models',
  SIGBUS:
    'most likely a model file was cut or overwritten while it was in use: ' +
    'replace it by renaming a new file over it, or set `mmap: false` (--no-mmap)',
  SIGILL: `the native addon was built for another CPU: run "${buildCommand()}" on this one`,
};

const remedyForLoss = 'Look whether it runs and can be reached; a pass that takes longer needs a higher `rpcTimeout`';

/** How a process ended, in words: by which signal or exit code, what that means, and what it wrote last. */
export function describeEnding(
  code: number | null,
  signal: NodeJS.Signals | null,
  lastWords: string,
  what = "the engine's process",
): string {
  const [, server, loss] = serverLost.exec(lastWords) ?? [];
  if (server !== undefined) return `${what} has lost the RPC server ${server} and ended: it ${loss}. ${remedyForLoss}`;
  const meaning = signal === 'SIGABRT' && deviceError.test(lastWords) ? 'the GPU failed' : signal === null ? undefined : meanings[signal];
  // Windows has no signals; its exit codes of crashes are known by their hexadecimal form.
  const how =
    signal !== null
      ? `was ended by ${signal}${meaning === undefined ? '' : ` (${meaning})`}`
      : `ended with exit code ${code !== null && code > 255 ? `0x${code.toString(16)}` : code}`;
  return `${what} ${how}${lastWords === '' ? '' : `; it last wrote: ${lastWords}`}`;
}
