import type { Nudging } from '../engine.ts';
import { NudgingError, type ErrorCode } from '../errors.ts';
import { inParallel } from '../in-parallel.ts';
import type { AnswerStats } from '../types.ts';
import type { Arguments } from './args.ts';
import { exitCodes } from './failure.ts';
import type { Interrupt } from './interrupt.ts';
import { answerJson } from './json.ts';
import { load, withFiles } from './load.ts';
import { madeWith } from './made-with.ts';
import { openOutput, standardOutput, type Output } from './output.ts';
import { Progress } from './progress.ts';
import { readRows, type Row } from './rows.ts';

/** What can be wrong with one row's prompt alone. Anything else would fail for the rows after it too. */
const rowCodes: ReadonlySet<ErrorCode> = new Set(['ERR_INVALID_OPTION', 'ERR_PROMPT_EMPTY', 'ERR_PROMPT_TOO_LONG', 'ERR_TEMPLATE_FAILED']);

/** Answers the rows of --input. Returns the exit code. */
export async function batch(args: Arguments & { input: string }, interrupt: Interrupt): Promise<number> {
  const rows = await readRows(args.input, args.load, interrupt.signal);
  const { input, output: path, append } = args;
  const models = await withFiles(args.load, interrupt.signal);
  const output = path === undefined ? standardOutput : await openOutput({ path, input, rows, append, now: await madeWith(models) });
  try {
    // A bar would be written into the rows if both go to the same terminal.
    const progress = new Progress(rows.length, output.kept, output.keptErrors, output === standardOutput && process.stdout.isTTY === true);
    if (output.kept < rows.length) {
      const nudging = await load(models, interrupt.signal, args.verbose);
      try {
        await answerAll(nudging, rows, nudging.parallel, output, progress, interrupt.signal);
      } finally {
        progress.hide();
        await nudging.close();
      }
    }
    progress.summary(interrupt.signal.aborted, args.output);
    return interrupt.exitCode ?? (progress.errors > 0 ? exitCodes.failed : exitCodes.ok);
  } finally {
    await output.close();
  }
}

/** Keeps `parallel` rows going and writes their answers in the order of the rows. */
async function answerAll(
  nudging: Nudging,
  rows: readonly Row[],
  parallel: number,
  output: Output,
  progress: Progress,
  interrupted: AbortSignal,
): Promise<void> {
  const done = new Map<number, RowResult>();
  const { kept } = output;
  let written = kept;
  let writing = Promise.resolve();

  /** Writes what is complete up to the first gap. Chained, because rows that finish together would overtake each other. */
  const flush = () => {
    writing = writing.then(async () => {
      for (let result = done.get(written); result !== undefined; result = done.get(written)) {
        done.delete(written);
        await output.write(result.line);
        written += 1;
        progress.written(result.stats);
      }
    });
    return writing;
  };

  await inParallel(rows.slice(kept), parallel, undefined, async (row, ending, index) => {
    if (interrupted.aborted) return;
    const result = await answerRow(nudging, row, AbortSignal.any([interrupted, ending]));
    // An interrupted answer is not complete: it is made again when the run is continued.
    if (result === undefined) return;
    done.set(kept + index, result);
    await flush();
  });
}

interface RowResult {
  line: object;
  /** Missing: the row has an error. */
  stats?: AnswerStats;
}

/** What is written for one row; undefined if it was aborted. */
async function answerRow(nudging: Nudging, { value, input }: Row, signal: AbortSignal): Promise<RowResult | undefined> {
  try {
    const answer = await nudging.generate(input, { signal });
    if (answer.stopReason === 'aborted') return undefined;
    return { line: { row: value, ...answerJson(answer) }, stats: answer.stats };
  } catch (error) {
    if (!(error instanceof NudgingError) || !rowCodes.has(error.code)) throw error;
    return { line: { row: value, error: { code: error.code, message: error.message } } };
  }
}
