import { open, stat, type FileHandle } from 'node:fs/promises';
import { isDeepStrictEqual } from 'node:util';
import { isObject } from '../options.ts';
import { fileFailure, UsageError } from './failure.ts';
import type { Row } from './rows.ts';

/** Where the answers of --input go. */
export interface Output {
  /** Rows that were there already, and how many of them hold an error. */
  kept: number;
  keptErrors: number;
  write(line: string): Promise<void>;
  close(): Promise<void>;
}

export const standardOutput: Output = {
  kept: 0,
  keptErrors: 0,
  // Waiting for the reader keeps the answers out of memory when it is slow.
  write: (line) => new Promise((resolve, reject) => process.stdout.write(`${line}\n`, (error) => (error ? reject(error) : resolve()))),
  close: async () => {},
};

/**
 * Opens --output behind its last complete row.
 *
 * @throws UsageError if the file cannot be opened or is not the beginning of these rows' answers
 */
export async function openOutput(path: string, input: string, rows: readonly Row[]): Promise<Output> {
  let file: FileHandle;
  try {
    // Reading and writing, created if missing, never emptied.
    file = await open(path, 'a+');
  } catch (error) {
    throw fileFailure(error, 'the file of --output', path);
  }
  try {
    if (input !== '-' && (await isSameFile(input, file))) {
      throw new UsageError(`--output "${path}" is the file of --input: choose another file`);
    }
    const { kept, keptErrors, end } = await readKept(file, path, rows);
    // What follows was torn by a crash or a full disk.
    if ((await file.stat()).size > end) await file.truncate(end);
    return { kept, keptErrors, write: async (line) => void (await file.appendFile(`${line}\n`)), close: () => file.close() };
  } catch (error) {
    await file.close();
    if (error instanceof UsageError) throw error;
    throw fileFailure(error, 'the file of --output', path);
  }
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
  for await (const line of completeLines(file)) {
    const answer = parse(line.text);
    if (!isObject(answer) || !isObject(answer['row'])) throw new UsageError(`line ${kept + 1} of --output "${path}" is no answer of this command: ${remedy}`);
    if (kept >= rows.length) throw new UsageError(`--output "${path}" has more rows than the input (${rows.length}): ${remedy}`);
    if (!isDeepStrictEqual(answer['row'], rows[kept]?.value)) throw new UsageError(`--output "${path}" belongs to another input (row ${kept + 1} differs): ${remedy}`);
    kept += 1;
    if (answer['error'] !== undefined) keptErrors += 1;
    end = line.end;
  }
  return { kept, keptErrors, end };
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
