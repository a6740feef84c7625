import { readdir, readFile, stat } from 'node:fs/promises';
import { createHash } from 'node:crypto';
import { basename, extname, join } from 'node:path';
import { isObject } from '../../options.ts';
import { decodeText, mustEnd, NotAFileError } from '../../text-file.ts';
import type { DataRecord, RecordPlace } from '../task.ts';
import { readCsv } from './csv.ts';
import { EvaluationError } from '../evaluation-error.ts';

/** What a task's file holds. */
export interface Records {
  records: { record: DataRecord; place: RecordPlace }[];
  /** SHA-256 of the bytes, in hexadecimal: what tells this file from another edition of it. */
  sha256: string;
}

/**
 * Reads a file of JSON (an array, or an object with an array under `examples` or `data`), JSON lines or CSV, or all CSV files of a folder.
 *
 * @throws EvaluationError with the path and the remedy
 */
export async function readRecords(path: string): Promise<Records> {
  const hash = createHash('sha256');
  const records: Records['records'] = [];
  for (const file of await filesOf(path)) {
    const bytes = await bytesOf(file);
    hash.update(bytes);
    const name = basename(file, extname(file));
    for (const [index, record] of parse(file, bytes).entries()) records.push({ record, place: { index, file: name } });
  }
  if (records.length === 0) throw new EvaluationError(`"${path}" holds no questions: take the official file as it is`);
  return { records, sha256: hash.digest('hex') };
}

/** A named pipe would be waited for without an end, and a device may have none. */
async function bytesOf(path: string): Promise<Buffer> {
  try {
    mustEnd(path, await stat(path));
    return await readFile(path);
  } catch (error) {
    const reason = error instanceof NotAFileError ? error.message : `cannot be read (${(error as Error).message})`;
    throw new EvaluationError(`"${path}" ${reason}: take the official file as it is`);
  }
}

async function filesOf(path: string): Promise<string[]> {
  if (!(await stat(path)).isDirectory()) return [path];
  const names = (await readdir(path)).filter((name) => name.endsWith('.csv')).sort();
  if (names.length === 0) throw new EvaluationError(`the folder "${path}" has no CSV files: put the official ones into it`);
  return names.map((name) => join(path, name));
}

function parse(path: string, bytes: Buffer): DataRecord[] {
  // Every parquet file begins and ends with these letters, whatever its name is.
  if (path.endsWith('.parquet') || bytes.subarray(0, 4).toString('latin1') === 'PAR1') {
    throw new EvaluationError(`"${path}" is a Parquet file, which is not read: save its table as JSON lines (${parquetRemedy})`);
  }
  const text = decodeText(bytes);
  if (path.endsWith('.csv')) return readCsv(text);
  return path.endsWith('.jsonl') || path.endsWith('.ndjson') ? jsonLines(path, text) : json(path, text);
}

/** The shortest way that needs only what whoever has such a file has as well. */
export const parquetRemedy = 'in Python, pandas.read_parquet("FILE").to_json("NAME.jsonl", orient="records", lines=True)';

function jsonLines(path: string, text: string): DataRecord[] {
  return text.split('\n').flatMap((line, index) => {
    if (line.trim() === '') return [];
    try {
      return [mustBeObject(JSON.parse(line))];
    } catch (error) {
      throw new EvaluationError(
        `line ${index + 1} of "${path}" is no JSON object (${(error as Error).message}): take the official file as it is`,
      );
    }
  });
}

function json(path: string, text: string): DataRecord[] {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    // Many JSON-lines files are called .json.
    if (text.trimStart().startsWith('{') && text.includes('}\n{')) return jsonLines(path, text);
    throw new EvaluationError(`"${path}" is no JSON (${(error as Error).message}): take the official file as it is`);
  }
  const rows = Array.isArray(value) ? value : isObject(value) ? (value['examples'] ?? value['data']) : undefined;
  if (!Array.isArray(rows)) {
    // One record that fills a whole file.
    if (isObject(value)) return [value];
    throw new EvaluationError(`"${path}" holds neither an array nor one under "examples" or "data": take the official file as it is`);
  }
  try {
    return rows.map(mustBeObject);
  } catch (error) {
    throw new EvaluationError(`"${path}" holds something else than objects (${(error as Error).message}): take the official file as it is`);
  }
}

function mustBeObject(value: unknown): Record<string, unknown> {
  if (!isObject(value)) throw new Error(`${JSON.stringify(value)?.slice(0, 40)} is none`);
  return value;
}
