import { mkdir, open, type FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { isObject } from '../options.ts';
import { EvaluationError } from './evaluation-error.ts';
import { keyOf, type AnswerRow, type ErrorRow, type Judgement, type Line, type RowKey, type RunRecord } from './rows.ts';

/** All that a file of results holds. */
export interface Contents {
  run?: RunRecord;
  answers: (AnswerRow | ErrorRow)[];
  judgements: Judgement[];
}

/**
 * results.jsonl: a line for what the run is made with, for each answer and each judgement. Lines are only added. A line that an
 * interruption tore is cut off, so the same command goes on with no row lost or doubled.
 */
export class Results {
  readonly contents: Contents;
  readonly #file: FileHandle;
  readonly #answered: Set<string>;
  readonly #judged: Set<string>;
  #writing: Promise<void> = Promise.resolve();

  private constructor(file: FileHandle, contents: Contents) {
    this.#file = file;
    this.contents = contents;
    this.#answered = new Set(contents.answers.map(keyOf));
    this.#judged = new Set(contents.judgements.filter(({ scores }) => scores !== undefined).map((each) => judgedKey(each, each.judge)));
  }

  /** Opens a file, which is made if it is not there. @throws EvaluationError if it holds something else */
  static async open(path: string): Promise<Results> {
    await mkdir(dirname(path), { recursive: true });
    // Reading and writing, created if missing, never emptied.
    const file = await open(path, 'a+');
    try {
      const { contents, end } = parseResults(path, await file.readFile());
      if ((await file.stat()).size > end) await file.truncate(end);
      return new Results(file, contents);
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  /**
   * A file that has rows is only continued with what they were made with. Tasks and systems may be added.
   *
   * @param describe names what differs between two records of settings; empty if nothing does
   * @throws EvaluationError that names what differs
   */
  mustFit(run: RunRecord, describe: (was: Record<string, unknown>, now: Record<string, unknown>) => string): void {
    const was = this.contents.run;
    const difference = was && differenceOf(was, run, describe);
    if (difference === undefined) return;
    throw new EvaluationError(`the results were made with other settings (${difference}): use the same, or choose another --out`);
  }

  /** Says what the rows that follow are made with, unless those before them say the same. */
  async begin(run: RunRecord): Promise<void> {
    const was = this.contents.run;
    const merged = { ...run, tasks: { ...was?.tasks, ...run.tasks }, systems: { ...was?.systems, ...run.systems } };
    const now = JSON.parse(JSON.stringify(merged)) as RunRecord;
    if (isDeepStrictEqual(was, now)) return;
    this.contents.run = now;
    await this.#append({ run: now });
  }

  has(key: RowKey): boolean {
    return this.#answered.has(keyOf(key));
  }

  /** Whether this judge gave a readable opinion; one that failed is asked again. */
  isJudged(key: RowKey, judge: string): boolean {
    return this.#judged.has(judgedKey(key, judge));
  }

  async addAnswer(answer: AnswerRow | ErrorRow): Promise<void> {
    if (this.has(answer)) throw new Error(`the row ${keyOf(answer)} is there already`);
    this.#answered.add(keyOf(answer));
    this.contents.answers.push(answer);
    await this.#append({ answer });
  }

  async addJudgement(judgement: Judgement): Promise<void> {
    if (judgement.scores) this.#judged.add(judgedKey(judgement, judgement.judge));
    // Where a failed one is asked again, the last line counts (parseResults).
    this.contents.judgements.push(judgement);
    await this.#append({ judgement });
  }

  async close(): Promise<void> {
    await this.#writing.catch(() => {});
    await this.#file.close();
  }

  /** One after the other: two appends at a time could mix their bytes. */
  #append(line: Line): Promise<void> {
    this.#writing = this.#writing.then(() => this.#file.appendFile(`${JSON.stringify(line)}\n`));
    return this.#writing;
  }
}

const judgedKey = (key: RowKey, judge: string) => `${judge} ${keyOf(key)}`;

/** Reads the complete lines of a file of results; `end` is the offset behind them. @throws EvaluationError */
export function parseResults(path: string, bytes: Buffer): { contents: Contents; end: number } {
  const end = bytes.lastIndexOf(10) + 1;
  const contents: Contents = { answers: [], judgements: [] };
  const answered = new Set<string>();
  const judgements = new Map<string, Judgement>();
  for (const [index, text] of bytes.subarray(0, end).toString('utf8').split('\n').entries()) {
    if (text === '') continue;
    const line = parse(text);
    const where = `line ${index + 1} of "${path}"`;
    if (!isObject(line)) throw new EvaluationError(`${where} is no line of results: choose another --out, or remove that file`);
    const { run, answer, judgement } = line as { run?: RunRecord; answer?: AnswerRow | ErrorRow; judgement?: Judgement };
    if (run) contents.run = run;
    else if (judgement) {
      // The last one counts, and comes last.
      judgements.delete(keyOf(judgement));
      judgements.set(keyOf(judgement), judgement);
    } else if (answer) {
      if (answered.has(keyOf(answer)))
        throw new EvaluationError(`${where} answers a question again: remove the line, or choose another --out`);
      answered.add(keyOf(answer));
      contents.answers.push(answer);
    } else throw new EvaluationError(`${where} is no line of results: choose another --out, or remove that file`);
  }
  if (contents.answers.length > 0 && !contents.run)
    throw new EvaluationError(`"${path}" does not say what it was made with: choose another --out`);
  contents.judgements = [...judgements.values()];
  return { contents, end };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function differenceOf(
  was: RunRecord,
  given: RunRecord,
  describe: (was: Record<string, unknown>, now: Record<string, unknown>) => string,
): string | undefined {
  // As it will be read: what is undefined is not there.
  const now = JSON.parse(JSON.stringify(given)) as RunRecord;
  const settings = describe(was.madeWith, now.madeWith);
  if (settings !== '') return settings;
  if (was.seed !== now.seed) return `--seed was ${was.seed}, now ${now.seed}`;
  if (!isDeepStrictEqual(was.prompts, now.prompts))
    return `prompts were ${JSON.stringify(was.prompts)}, now ${JSON.stringify(now.prompts)}`;
  for (const [what, before, after] of [
    ['the questions of the task', was.tasks, now.tasks],
    ['the settings of the system', was.systems, now.systems],
  ] as const) {
    const name = Object.keys(after).find((each) => before[each] !== undefined && !isDeepStrictEqual(before[each], after[each]));
    if (name !== undefined) return `${what} ${name} are others`;
  }
  return undefined;
}
