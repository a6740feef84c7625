import { createReadStream } from 'node:fs';
import { addAbortSignal, type Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { check, generateRules, isObject } from '../options.ts';
import { promptFor, readQuestion } from '../prompts.ts';
import { decodeText } from '../text-file.ts';
import type { GenerateOptions, Input, LoadOptions } from '../types.ts';
import { fileFailure, oneLine, UsageError } from './failure.ts';
import { StraySettings } from './stray-settings.ts';

/** One question of --input. */
export interface Row {
  /** The object that its line holds, to be written back untouched. */
  value: Record<string, unknown>;
  input: Input;
}

/**
 * Reads and checks all rows: a mistake in the last one must not show up after hours. Warns on stderr of fields that look like settings,
 * which rows do not have.
 *
 * @param path `-` is standard input
 * @throws UsageError with the line's number
 */
export async function readRows(path: string, settings: LoadOptions, signal: AbortSignal): Promise<Row[]> {
  const name = path === '-' ? 'standard input' : path;
  let content: string;
  try {
    const source: Readable = path === '-' ? process.stdin : createReadStream(path);
    content = decodeText(await buffer(addAbortSignal(signal, source)));
  } catch (error) {
    signal.throwIfAborted();
    throw fileFailure(error, 'the file of --input', path);
  }
  return rowsIn(content, name, settings);
}

/** The rows of a text, likewise. @param name of the text, for messages */
export function rowsIn(content: string, name: string, settings: LoadOptions): Row[] {
  const rows: Row[] = [];
  const stray = new StraySettings();
  const warnings: string[] = [];
  for (const [index, line] of content.split('\n').entries()) {
    if (line.trim() === '') continue;
    const where = `line ${index + 1} of ${name}`;
    try {
      const row = readRow(line, settings);
      rows.push(row);
      warnings.push(...stray.warnings(where, row.value));
    } catch (error) {
      throw new UsageError(`${where} ${oneLine((error as Error).message)}`);
    }
  }
  if (rows.length === 0) throw new UsageError(`${name} has no rows: write one {"question": "…"} a line`);
  // Only now: a command that fails says one thing.
  for (const warning of warnings) console.error(`nudging: ${oneLine(warning)}`);
  return rows;
}

const shapes = 'write {"question": "…"}, {"messages": […]} or {"base": "…", "aligned": "…"}';

function readRow(line: string, settings: LoadOptions): Row {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch (error) {
    throw new Error(`is not JSON (${(error as Error).message}): ${shapes}`);
  }
  if (!isObject(value)) throw new Error(`is no JSON object: ${shapes}`);
  const { question, messages, base, aligned } = value;
  const own = ownOptions(value);
  const raw = base !== undefined || aligned !== undefined;
  const given = [question !== undefined && 'question', messages !== undefined && 'messages', raw && 'base or aligned'].filter(Boolean);
  if (given.length === 0) throw new Error(`holds no question: ${shapes}`);
  if (given.length > 1) throw new Error(`holds ${given.join(' and ')}: keep one prompt and rename the other fields`);
  if (question !== undefined) {
    if (typeof question !== 'string') throw new Error('has a question that is no string: put it in quotes');
    if (question.trim() === '') throw new Error('has an empty question: write one or remove the line');
  }
  const prompts = raw
    ? { ...(base === undefined ? {} : { base }), ...(aligned === undefined ? {} : { aligned }) }
    : { messages: messages ?? [{ role: 'user', content: question }] };
  const input = { ...prompts, ...own } as Input;
  checkPrompts(input, own, settings);
  return { value, input };
}

/** Options that a row has for itself. */
function ownOptions({ templateOptions, prefill }: Record<string, unknown>): GenerateOptions {
  return {
    ...(templateOptions === undefined ? {} : { templateOptions }),
    ...(prefill === undefined ? {} : { prefill }),
  } as GenerateOptions;
}

/** Asks the library for the prompts now, so that its own checks tell what is wrong with a row. */
function checkPrompts(input: Input, own: GenerateOptions, settings: LoadOptions): void {
  const { mode = 'nudge' } = settings;
  try {
    check(own, generateRules);
    const all = { ...settings, ...own };
    const question = readQuestion(input, all.prefill);
    for (const lane of ['base', 'aligned'] as const) {
      if ((mode !== 'base' && mode !== 'aligned') || mode === lane) promptFor(lane, question, all);
    }
  } catch (error) {
    // The names in the message are the row's own fields here.
    throw new Error(`is wrong: ${(error as Error).message.replaceAll('`', '"')}`);
  }
}
