import { open, stat, type FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { isObject } from '../options.ts';
import { fileFailure, UsageError } from './failure.ts';
import { OtherSettingsError, type MadeWith } from './made-with.ts';
import type { Row } from './rows.ts';

/** Where the answers of --input go. */
export interface Output {
  /** Rows that were there already, and how many of them hold an error. */
  kept: number;
  keptErrors: number;
  write(line: object): Promise<void>;
  close(): Promise<void>;
}

export const standardOutput: Output = {
  kept: 0,
  keptErrors: 0,
  // Waiting for the reader keeps the answers out of memory when it is slow.
  write: (line) =>
    new Promise((resolve, reject) => process.stdout.write(`${JSON.stringify(line)}\n`, (error) => (error ? reject(error) : resolve()))),
  close: async () => {},
};

/** What --output has to go with. */
export interface Opening {
  path: string;
  /** The path of --input, or `-`. */
  input: string;
  rows: readonly Row[];
  /** What this run makes its answers with. */
  now: MadeWith;
  /** Go on although the file says that it was made with something else, or says nothing. */
  append: boolean;
}

/**
 * Opens --output behind its last complete row. The first row that is written says what it and those after it are made with, unless the rows
 * before it say the same. In a row, readers find nothing but rows, the record moves with the file, and it is there as soon as there is
 * anything to go on from.
 *
 * @throws UsageError if the file cannot be opened or is not the beginning of these rows' answers; OtherSettingsError
 */
export async function openOutput({ path, input, rows, now, append }: Opening): Promise<Output> {
  let file: FileHandle;
  try {
    // Reading and writing, created if missing, never emptied.
    file = await open(path, 'a+');
  } catch (error) {
    throw (await noFolder(path)) ?? fileFailure(error, 'the file of --output', path);
  }
  try {
    if (input !== '-' && (await isSameFile(input, file))) {
      throw new UsageError(`--output "${path}" is the file of --input: choose another file`);
    }
    const { kept, keptErrors, end, was } = await readKept(file, path, rows);
    const same = was !== undefined && isDeepStrictEqual(was, now);
    if (kept > 0 && !same && !append) throw new OtherSettingsError(path, was, now);
    // What follows was torn by a crash or a full disk.
    if ((await file.stat()).size > end) await file.truncate(end);
    let said = same;
    const write = async (line: object) => {
      await file.appendFile(`${JSON.stringify(said ? line : { ...line, madeWith: now })}\n`);
      said = true;
    };
    return { kept, keptErrors, write, close: () => file.close() };
  } catch (error) {
    await file.close();
    if (error instanceof UsageError) throw error;
    throw fileFailure(error, 'the file of --output', path);
  }
}

/** What is wrong with the folder of a file that should be made in it; nothing if it is there. */
async function noFolder(path: string): Promise<UsageError | undefined> {
  const folder = dirname(path);
  const found = await stat(folder).catch((error: NodeJS.ErrnoException) => error);
  if (found instanceof Error) {
    const missing = found.code === 'ENOENT' || found.code === 'ENOTDIR';
    return missing ? new UsageError(`the folder of --output "${folder}" does not exist: create it`) : undefined;
  }
  return found.isDirectory() ? undefined : new UsageError(`the folder of --output "${folder}" is no folder: choose another place`);
}

/** By inode: the same file can have several paths, and a process substitution has none. */
async function isSameFile(path: string, file: FileHandle): Promise<boolean> {
  const [one, other] = await Promise.all([stat(path, { bigint: true }), file.stat({ bigint: true })]);
  return one.isFile() && one.ino === other.ino && one.dev === other.dev;
}

async function readKept(file: FileHandle, path: string, rows: readonly Row[]) {
  const remedy = 'choose another --output, or remove that file';
  let kept = 0;
  let keptErrors = 0;
  let end = 0;
  // The last one that was said: after --append there are several.
  let was: MadeWith | undefined;
  for await (const line of completeLines(file)) {
    // An editor may have put a byte order mark in front.
    const answer = parse(kept === 0 ? line.text.replace(/^\ufeff/, '') : line.text);
    if (!isObject(answer) || !isObject(answer['row']))
      throw new UsageError(`line ${kept + 1} of --output "${path}" is no answer of this command: ${remedy}`);
    if (kept >= rows.length) throw new UsageError(`--output "${path}" has more rows than the input (${rows.length}): ${remedy}`);
    if (!isDeepStrictEqual(answer['row'], rows[kept]?.value))
      throw new UsageError(`--output "${path}" belongs to another input (row ${kept + 1} differs): ${remedy}`);
    kept += 1;
    if (answer['error'] !== undefined) keptErrors += 1;
    if (isObject(answer['madeWith'])) was = answer['madeWith'];
    end = line.end;
  }
  return { kept, keptErrors, end, was };
}

/** The lines of a file that end with a newline, each with the offset behind it. Outputs can be larger than memory. */
async function* completeLines(file: FileHandle): AsyncGenerator<{ text: string; end: number }> {
  const chunk = Buffer.alloc(1 << 16);
  let rest: Buffer[] = [];
  for (let offset = 0; ; ) {
    const { bytesRead } = await file.read(chunk, 0, chunk.length, offset);
    if (bytesRead === 0) return;
    let start = 0;
    for (let at = chunk.indexOf(10); at !== -1 && at < bytesRead; at = chunk.indexOf(10, at + 1)) {
      yield { text: Buffer.concat([...rest, chunk.subarray(start, at)]).toString('utf8'), end: offset + at + 1 };
      rest = [];
      start = at + 1;
    }
    rest.push(Buffer.from(chunk.subarray(start, bytesRead)));
    offset += bytesRead;
  }
}

function parse(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
