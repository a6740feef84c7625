import { meanOf, wilson, type Interval } from './stats/intervals.ts';
import { mcnemar, type Comparison } from './stats/mcnemar.ts';
import type { Contents } from './results.ts';
import { isAnswer, keyOf, type AnswerRow, type Judgement } from './rows.ts';
import { tasks as allTasks } from './tasks/index.ts';
import type { Task } from './task.ts';

/** A share of rows with its 95 % interval. */
export interface Share extends Interval {
  right: number;
  rows: number;
  share: number;
}

/** What one system did in one task. */
export interface Cell {
  rows: number;
  errors: number;
  /** The figure that is compared and drawn: the authors' rule for numbers, the lenient reading elsewhere; missing without right answers. */
  accuracy?: Share;
  strict?: Share;
  lenient?: Share;
  /** Answers that said several things, or nothing of the kind. */
  ambiguous: number;
  missing: number;
  /** Wrong answers to questions for a number that hold the right one further up. */
  buried: number;
  refusals: Share;
  /** Mean of the paper's share of nudged words, and nudged tokens over tokens; missing where one model answers alone. */
  nudged?: { words: number; tokens: number };
  tokens: number;
  /** Tokens over the time of the answers, waiting for a place left out, others beside them included. */
  tokensPerSecond: number;
  /** Answers that were cut by the limit of tokens. */
  cut: number;
  judged?: Judged;
}

export interface Judged {
  judge: string;
  rows: number;
  /** Replies without scores: in no mean. */
  failures: number;
  /** Means by aspect. */
  aspects: Record<string, { mean: number } & Partial<Interval>>;
}

export interface SystemInfo {
  name: string;
  mode: string;
  gamma?: number;
}

/** One system against another one on the same questions, of one task or of all. */
export interface Paired extends Comparison {
  task?: string;
  system: string;
  against: string;
}

export interface Summary {
  tasks: Task[];
  systems: SystemInfo[];
  /** By task and system; missing where there is no row. */
  cell: (task: string, system: string) => Cell | undefined;
  /** Mean of the accuracies of the tasks that have one, each task alike; undefined if the system lacks one of them. */
  average: (system: string) => { mean: number; tasks: number } | undefined;
  paired: Paired[];
  answers: readonly AnswerRow[];
}

/** Counts everything that the reports show. */
export function summarise(contents: Contents): Summary {
  const answers = inOrder(contents.answers.filter(isAnswer), Object.keys(contents.run?.systems ?? {}));
  const judgements = new Map(contents.judgements.map((judgement) => [keyOf(judgement), judgement]));
  const tasks = allTasks.filter(({ name }) => contents.answers.some((row) => row.task === name));
  const systems = Object.entries(contents.run?.systems ?? {})
    .filter(([name]) => contents.answers.some((row) => row.system === name))
    .map(([name, options]) => infoOf(name, options));
  const cells = new Map<string, Cell>();
  const at = (task: string, system: string) => JSON.stringify([task, system]);
  for (const task of tasks) {
    for (const { name, mode } of systems) {
      const rows = answers.filter((row) => row.task === task.name && row.system === name);
      const errors = contents.answers.filter((row) => row.task === task.name && row.system === name && !isAnswer(row)).length;
      if (rows.length + errors > 0) cells.set(at(task.name, name), cellOf(task, rows, errors, judgements, isAlone(mode)));
    }
  }
  const cell = (task: string, system: string) => cells.get(at(task, system));
  return { tasks, systems, cell, average: averageOf(tasks, cell), paired: pairsOf(tasks, systems, answers), answers };
}

/** Lines come as answers are done; what a report shows must not depend on that. */
function inOrder(answers: readonly AnswerRow[], systems: readonly string[]): AnswerRow[] {
  const places = new Map(allTasks.map(({ name }, index) => [name, index]));
  const place = ({ task }: AnswerRow) => places.get(task) ?? allTasks.length;
  const byName = new Intl.Collator('en', { numeric: true });
  return answers.toSorted(
    (one, other) =>
      place(one) - place(other) || byName.compare(one.id, other.id) || systems.indexOf(one.system) - systems.indexOf(other.system),
  );
}

function infoOf(name: string, options: object): SystemInfo {
  const { mode, gamma } = options as { mode?: string; gamma?: number };
  return { name, mode: name.split(':')[0] === 'large' ? 'large' : String(mode), ...(gamma === undefined ? {} : { gamma }) };
}

const isAlone = (mode: string) => mode === 'base' || mode === 'aligned' || mode === 'large';

/** Whether an answer counts as right in the figure that is compared: see {@link Cell.accuracy}. */
export function isRight({ task, score }: AnswerRow): boolean | undefined {
  if (!score) return undefined;
  return allTasks.find(({ name }) => name === task)?.paperScorer === 'rule' ? score.strict : score.lenient;
}

function share(rows: readonly AnswerRow[], right: (row: AnswerRow) => boolean): Share {
  const count = rows.filter(right).length;
  return { right: count, rows: rows.length, share: rows.length === 0 ? 0 : count / rows.length, ...wilson(count, rows.length) };
}

function cellOf(task: Task, rows: readonly AnswerRow[], errors: number, judgements: ReadonlyMap<string, Judgement>, alone: boolean): Cell {
  const sum = (of: (row: AnswerRow) => number) => rows.reduce((total, row) => total + of(row), 0);
  const count = (of: (row: AnswerRow) => boolean) => rows.filter(of).length;
  const tokens = sum((row) => row.tokens);
  const judged = judgedOf(rows, judgements);
  return {
    rows: rows.length,
    errors,
    ...(task.score
      ? {
          accuracy: share(rows, (row) => isRight(row) === true),
          strict: share(rows, (row) => row.score?.strict === true),
          lenient: share(rows, (row) => row.score?.lenient === true),
        }
      : {}),
    ambiguous: count((row) => row.score?.found === 'ambiguous'),
    missing: count((row) => row.score?.found === 'missing'),
    buried: count((row) => row.score?.buried === true),
    refusals: share(rows, (row) => row.refusal),
    ...(alone || tokens === 0
      ? {}
      : { nudged: { words: sum((row) => row.wordRatio) / rows.length, tokens: sum((row) => row.nudgedTokens) / tokens } }),
    tokens,
    tokensPerSecond:
      tokens === 0
        ? 0
        : (1000 * tokens) /
          Math.max(
            1,
            sum((row) => row.ms),
          ),
    cut: count((row) => row.stopReason === 'length'),
    ...(judged ? { judged } : {}),
  };
}

function judgedOf(rows: readonly AnswerRow[], judgements: ReadonlyMap<string, Judgement>): Judged | undefined {
  const keys = new Set(rows.map(keyOf));
  const own = [...judgements].flatMap(([key, judgement]) => (keys.has(key) ? [judgement] : []));
  // Opinions of two judges are no mean: those of the one who was asked last.
  const judge = own.at(-1)?.judge;
  if (judge === undefined) return undefined;
  const same = own.filter((judgement) => judgement.judge === judge);
  const scored = same.flatMap(({ scores }) => (scores ? [scores] : []));
  const names = [...new Set(scored.flatMap((scores) => Object.keys(scores)))];
  const means = names.flatMap((name) => {
    const mean = meanOf(scored.flatMap((scores) => scores[name] ?? []));
    return mean ? [[name, mean] as const] : [];
  });
  return { judge, rows: scored.length, failures: same.length - scored.length, aspects: Object.fromEntries(means) };
}

function averageOf(tasks: readonly Task[], cell: Summary['cell']): Summary['average'] {
  return (system) => {
    const scored = tasks.filter(({ score }) => score);
    const accuracies = scored.map(({ name }) => cell(name, system)?.accuracy?.share);
    if (scored.length === 0 || accuracies.some((accuracy) => accuracy === undefined)) return undefined;
    return { mean: accuracies.reduce<number>((sum, accuracy) => sum + (accuracy ?? 0), 0) / scored.length, tasks: scored.length };
  };
}

/** Every system that is no single model of the pair, against the base and the aligned model alone, by task and over all. */
function pairsOf(tasks: readonly Task[], systems: readonly SystemInfo[], answers: readonly AnswerRow[]): Paired[] {
  const alone = systems.filter(({ mode }) => mode === 'base' || mode === 'aligned');
  const others = systems.filter((system) => !alone.includes(system));
  return others.flatMap(({ name: system }) =>
    alone.flatMap(({ name: against }) => {
      const pairs = new Map(answers.filter((row) => row.system === against).map((row) => [keyOf({ ...row, system: '' }), row]));
      const compared = answers
        .filter((row) => row.system === system)
        .flatMap((row) => {
          const [mine, theirs] = [isRight(row), isRight(pairs.get(keyOf({ ...row, system: '' })) ?? row)];
          if (!pairs.has(keyOf({ ...row, system: '' })) || mine === undefined || theirs === undefined) return [];
          return [{ task: row.task, pair: [mine, theirs] as const }];
        });
      const of = (task?: string) => mcnemar(compared.filter((each) => task === undefined || each.task === task).map(({ pair }) => pair));
      const scored = tasks.filter(({ name, score }) => score && compared.some((each) => each.task === name));
      const each = scored.map(({ name }) => ({ task: name, system, against, ...of(name) }));
      return scored.length > 1 ? [...each, { system, against, ...of() }] : each;
    }),
  );
}
