import { stripVTControlCharacters } from 'node:util';
import { NudgingError, type ErrorCode } from '../errors.ts';
import { NotAFileError } from '../text-file.ts';
import { inFlagNames } from './flags.ts';

export const exitCodes = { ok: 0, failed: 1, usage: 2, interrupted: 130 } as const;

/** Something that whoever typed the command can mend. The message is "what is wrong: how to mend it". */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** Failures that are nobody's fault on this command line. Every other code of the library says that its input is wrong. */
const runtimeCodes: ReadonlySet<ErrorCode> = new Set([
  'ERR_NATIVE_LOAD',
  'ERR_CLOSED',
  'ERR_OUT_OF_MEMORY',
  'ERR_DECODE_FAILED',
  'ERR_DEVICE_FAILED',
  'ERR_ENGINE_CRASHED',
  'ERR_RPC_UNREACHABLE',
  'ERR_RPC_VERSION',
  'ERR_REMOTE_UNREACHABLE',
  'ERR_REMOTE_TIMEOUT',
  'ERR_HUB_RATE_LIMITED',
  'ERR_HUB_UNREACHABLE',
  'ERR_HUB_DAMAGED',
  'ERR_HUB_NO_SPACE',
  'ERR_HUB_CACHE',
  'ERR_INTERNAL',
]);

export function exitCodeOf(error: unknown): number {
  if (error instanceof UsageError) return exitCodes.usage;
  return error instanceof NudgingError && !runtimeCodes.has(error.code) ? exitCodes.usage : exitCodes.failed;
}

/** An error as one line. */
export function describe(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  if (error instanceof UsageError) return oneLine(message);
  if (!(error instanceof NudgingError)) return oneLine(`${message}: run it again with --verbose to see where`);
  switch (error.code) {
    // A manifest's properties have the library's names, not the flags'.
    case 'ERR_PAIR_INVALID':
      return oneLine(message.replaceAll('`', '"'));
    case 'ERR_TEMPLATE_MISSING':
      return oneLine(`${inFlagNames(message)}: name a Jinja template with --aligned-prompt`);
    case 'ERR_TEMPLATE_FAILED':
      return oneLine(`${message}: name another Jinja template with --aligned-prompt`);
    default:
      return oneLine(inFlagNames(message));
  }
}

/** Messages may quote a file, and files hold anything. */
export function oneLine(text: string): string {
  const line = stripVTControlCharacters(text)
    .replace(/[\s\p{Cc}]+/gu, ' ')
    .trim();
  return line.length > 600 ? `${line.slice(0, 600)}…` : line;
}

/** A failed file operation as an error with a remedy. `as` says what the file is to the command, such as `the file of --input`. */
export function fileFailure(error: unknown, as: string, path: string): UsageError {
  if (error instanceof NotAFileError) return new UsageError(`${as} "${path}" ${error.message}: name a file`);
  const { code, message } = error as NodeJS.ErrnoException;
  const known: Record<string, string> = {
    ENOENT: 'does not exist: check the path',
    ENOTDIR: 'does not exist: check the path',
    EACCES: 'may not be opened: check its permissions',
    EPERM: 'may not be opened: check its permissions',
    EROFS: 'is on a read-only disk: choose another place',
    EISDIR: 'is a directory: name a file in it',
    ENAMETOOLONG: 'has too long a name: check the path',
  };
  return new UsageError(`${as} "${path}" ${known[code ?? ''] ?? `cannot be opened: ${message}`}`);
}
