import { access, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { nearest } from '../nearest.ts';
import { NumpyRandom } from './data/numpy-random.ts';
import { readRecords } from './data/records.ts';
import { EvaluationError } from './evaluation-error.ts';
import type { Question, Task } from './task.ts';
import { tasks } from './tasks/index.ts';

/** A task with the questions that are asked. */
export interface Asked {
  task: Task;
  questions: Question[];
  /** How many the task has in all; missing for generated ones, which have no end. */
  available?: number;
  /** Where they come from: what must be the same where results are continued. */
  origin: { file: string; sha256: string } | { generated: true };
}

/** How many questions are generated where no limit is given: as many as the paper's last-letter task has. */
const generatedCount = 150;

export interface Choosing {
  /** Names of tasks; all that there is data for, if missing. */
  names?: readonly string[];
  /** Folder of data files. */
  data?: string;
  /** Questions of each task; all if missing. */
  limit?: number;
  seed: number;
}

/**
 * Reads the questions of the tasks. A limit takes the first of a random order, drawn as the authors draw it (numpy's legacy generator;
 * their seed is 609): the same seed takes the authors' questions where a file has theirs in their order, and a larger limit adds to a
 * smaller one.
 *
 * @throws EvaluationError
 */
export async function readQuestions({ names, data, limit, seed }: Choosing): Promise<Asked[]> {
  const wanted = names?.map(taskNamed);
  if (data !== undefined && !(await stat(data).catch(() => undefined))?.isDirectory()) {
    throw new EvaluationError(`--data "${data}" is no folder: check the path`);
  }
  const asked: Asked[] = [];
  for (const task of wanted ?? tasks) {
    const path = await fileOf(task, data);
    if (path !== undefined) asked.push(await fromFile(task, path, seed, limit));
    else if (task.generate) asked.push({ task, questions: task.generate(seed, limit ?? generatedCount), origin: { generated: true } });
    else if (wanted) throw noFile(task, data);
  }
  return asked;
}

/** The task of this name. @throws EvaluationError */
export function taskNamed(name: string): Task {
  const task = tasks.find((each) => each.name === name);
  if (task) return task;
  const known = tasks.map((each) => each.name);
  const meant = nearest(name, known);
  throw new EvaluationError(
    `there is no task "${name}": ${meant === undefined ? `it must be one of ${known.join(', ')}` : `did you mean ${meant}?`}`,
  );
}

/** The first of a task's files that is there; undefined if none is. */
export async function fileOf(task: Task, data: string | undefined): Promise<string | undefined> {
  if (data === undefined) return undefined;
  for (const file of task.files) {
    const path = join(data, file);
    try {
      await access(path);
      return path;
    } catch {
      // The next name, then.
    }
  }
  return undefined;
}

function noFile({ name, files, source }: Task, data: string | undefined): EvaluationError {
  const where = data === undefined ? 'with --data' : `in "${data}"`;
  return new EvaluationError(`the task ${name} needs a file of questions ${where}: put one of ${files.join(', ')} there (${source})`);
}

async function fromFile(task: Task, path: string, seed: number, limit: number | undefined): Promise<Asked> {
  const { records, sha256 } = await readRecords(path);
  const questions = records
    .filter(({ record }) => task.select?.(record) ?? true)
    .map(({ record, place }) => {
      try {
        return task.read(record, place);
      } catch (error) {
        if (!(error instanceof EvaluationError)) throw error;
        throw new EvaluationError(`record ${place.index + 1} of "${path}" ${error.message}: the task ${task.name} reads ${task.format}`);
      }
    });
  const seen = new Set(questions.map(({ id }) => id));
  if (questions.length === 0) throw new EvaluationError(`"${path}" holds no questions of the task ${task.name}: it reads ${task.format}`);
  if (seen.size < questions.length) throw new EvaluationError(`"${path}" holds the same question twice: take the official file as it is`);
  const order = new NumpyRandom(seed).permutation(questions.length).slice(0, limit);
  return {
    task,
    questions: order.map((index) => questions[index] as Question),
    available: questions.length,
    origin: { file: path, sha256 },
  };
}
