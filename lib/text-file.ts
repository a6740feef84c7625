import { realpathSync, statSync, readFileSync, type Stats } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';

/**
 * The text of a file. A byte order mark says how its bytes are to be read, and is no part of the text: editors and shells of Windows write
 * UTF-8 and UTF-16 with one.
 */
export function decodeText(bytes: Uint8Array): string {
  const mark = ((bytes[0] ?? 0) << 8) | (bytes[1] ?? 0);
  // Each decoder takes its own mark away.
  return new TextDecoder(mark === 0xfffe ? 'utf-16le' : mark === 0xfeff ? 'utf-16be' : 'utf-8').decode(bytes);
}

/** A path that leads to something that is not read like a file. The message goes on from the path. */
export class NotAFileError extends Error {
  override readonly name = 'NotAFileError';
}

/** @throws NotAFileError, or what the file system says */
export async function readTextFile(path: string): Promise<string> {
  mustEnd(path, await stat(path));
  return decodeText(await readFile(path));
}

/** @throws NotAFileError, or what the file system says */
export function readTextFileSync(path: string): string {
  mustEnd(path, statSync(path));
  return decodeText(readFileSync(path));
}

/**
 * Opening a named pipe waits until somebody writes into it, where nothing can end the waiting, and a device may have no end. The pipe of a
 * process substitution, `<(…)`, has its writer.
 *
 * @throws NotAFileError
 */
export function mustEnd(path: string, stats: Stats): void {
  const what = kindOf(path, stats);
  if (what !== undefined) throw new NotAFileError(`is ${what}, not a file`);
}

function kindOf(path: string, stats: Stats): string | undefined {
  if (stats.isFIFO()) return isNameless(path) ? undefined : 'a named pipe';
  if (stats.isCharacterDevice() || stats.isBlockDevice()) return 'a device';
  return stats.isSocket() ? 'a socket' : undefined;
}

/** Whether a pipe is only known by a descriptor. Linux makes up a target for it that is not there. */
function isNameless(path: string): boolean {
  try {
    return realpathSync.native(path).startsWith('/dev/');
  } catch {
    return true;
  }
}
