import { answerReliability, boundaryReliability } from '../calibration.ts';
import type { Paper } from '../paper.ts';
import type { Cell, Summary } from '../summary.ts';
import { percent1, pText, shareText, speedText, systemLabel } from './numbers.ts';
import { paperTable } from './paper-table.ts';

/** A table that both reports show. */
export interface Table {
  title: string;
  /** What the reader must know to read it. */
  about: string;
  head: string[];
  rows: string[][];
}

/** All tables, in order; one that would be empty is left out. */
export function tablesOf(summary: Summary, paper: Paper): Table[] {
  return [
    accuracyTable(summary),
    pairedTable(summary),
    readingTable(summary),
    nudgeTable(summary),
    judgeTable(summary),
    refusalTable(summary),
    calibrationTable(summary),
    paperTable(summary, paper),
  ].filter(({ rows }) => rows.length > 0);
}

type Chosen = (task: Summary['tasks'][number]) => boolean;
const hasAnswers: Chosen = ({ score }) => score !== undefined;

/** One row per task and one column per system. */
function grid({ tasks, systems, cell }: Summary, chosen: Chosen, text: (cell: Cell) => string) {
  const rows = tasks.filter(chosen).map((task) => [
    task.name,
    ...systems.map(({ name }) => {
      const own = cell(task.name, name);
      return own ? text(own) : '–';
    }),
  ]);
  return { head: ['task', ...systems.map(({ name }) => systemLabel(name))], rows };
}

/** One row per task and system. */
function list({ tasks, systems, cell }: Summary, chosen: Chosen, texts: (cell: Cell) => string[]): string[][] {
  return tasks.filter(chosen).flatMap((task) =>
    systems.flatMap(({ name }) => {
      const own = cell(task.name, name);
      return own ? [[task.name, systemLabel(name), ...texts(own)]] : [];
    }),
  );
}

/** `20`, or of systems that have answered differently many `9 to 11`. */
function span(counts: readonly number[]): string {
  const [least, most] = [Math.min(...counts), Math.max(...counts)];
  return least === most ? String(most) : `${least} to ${most}`;
}

function accuracyTable(summary: Summary): Table {
  const { tasks, systems, cell, average } = summary;
  const { head, rows } = grid(summary, hasAnswers, ({ accuracy }) => (accuracy ? shareText(accuracy) : '–'));
  const counts = tasks.filter(hasAnswers).map(({ name }) => new Set(systems.flatMap((system) => cell(name, system.name)?.rows ?? [])));
  for (const [index, row] of rows.entries()) row.splice(1, 0, span([...(counts[index] ?? [])]));
  if (rows.length > 1) {
    const means = systems.map(({ name }) => average(name)).map((mean) => (mean ? percent1(mean.mean) : '–'));
    rows.push(['mean of the tasks', '', ...means]);
  }
  return {
    title: 'Accuracy',
    about:
      'Percent right, in parentheses the 95 % Wilson interval. gsm8k, svamp and multiarith by the rule of the authors (the last number ' +
      'counts). The other tasks by a lenient offline reading, where the paper asks GPT-4o: not comparable with its figures.',
    head: head.toSpliced(1, 0, 'answers'),
    rows,
  };
}

function pairedTable({ paired }: Summary): Table {
  return {
    title: 'Against one model alone, question by question',
    about:
      'Questions that only one of the two got right, and the exact test of McNemar on them, two-sided. No correction for several ' +
      'tests.',
    head: ['task', 'system', 'against', 'questions', 'only it', 'only the other', 'p'],
    rows: paired
      .filter(({ pairs }) => pairs > 0)
      .map(({ task, system, against, pairs, won, lost, p }) => [
        task ?? 'all tasks',
        systemLabel(system),
        systemLabel(against),
        String(pairs),
        String(won),
        String(lost),
        pText(p),
      ]),
  };
}

function readingTable(summary: Summary): Table {
  return {
    title: 'How plainly it was said',
    about:
      'Percent of answers. Strict: right, and stated unmistakably; for numbers, right by the rule of the authors. Lenient: right ' +
      'in the most favourable reading of its end. Ambiguous: it says several things. Missing: nothing of the kind is there. ' +
      'Buried: the last number is wrong, and the right one stands further up.',
    head: ['task', 'system', 'strict', 'lenient', 'ambiguous', 'missing', 'buried'],
    rows: list(summary, hasAnswers, ({ strict, lenient, ambiguous, missing, buried, rows: n }) => [
      ...[strict?.share ?? 0, lenient?.share ?? 0].map(percent1),
      ...[ambiguous, missing, buried].map((part) => percent1(part / Math.max(1, n))),
    ]),
  };
}

function nudgeTable(summary: Summary): Table {
  return {
    title: 'Nudges, length and speed',
    about:
      'Percent of tokens that the aligned model wrote; percent of words as the paper counts them, without the last nudge. Tokens ' +
      'of an answer; tokens per second of one answer, with others beside it. Answers cut by the limit of tokens. Questions with an ' +
      'error, which are in no other figure.',
    head: ['task', 'system', 'tokens nudged', 'words nudged', 'tokens', 'tokens/s', 'cut', 'errors'],
    rows: list(
      summary,
      () => true,
      ({ nudged, tokens, rows: n, tokensPerSecond, errors, cut }) => [
        ...(nudged ? [nudged.tokens, nudged.words].map(percent1) : ['–', '–']),
        (tokens / Math.max(1, n)).toFixed(0),
        speedText(tokensPerSecond),
        String(cut),
        String(errors),
      ],
    ),
  };
}

function judgeTable(summary: Summary): Table {
  const { tasks, systems, cell } = summary;
  const judges = new Set(tasks.flatMap(({ name }) => systems.flatMap((system) => cell(name, system.name)?.judged?.judge ?? [])));
  return {
    title: `Judged by ${[...judges].join(', ')}`,
    about:
      'Means with their 95 % intervals: from 1 to 5 by aspect, or the share of answers that come to the reference (correct). The ' +
      'rubrics are ours, and the judge differs from that of the paper. Replies without a verdict are counted and in no mean.',
    head: ['task', 'system', 'judged', 'no verdict', 'means'],
    rows: list(
      summary,
      ({ name }) => systems.some((system) => cell(name, system.name)?.judged),
      ({ judged }) => {
        if (!judged) return ['0', '0', '–'];
        const means = Object.entries(judged.aspects).map(([aspect, { mean, low, high }]) => {
          const interval = low === undefined || high === undefined ? '' : ` (${low.toFixed(2)}–${high.toFixed(2)})`;
          return `${aspect} ${mean.toFixed(2)}${interval}`;
        });
        return [String(judged.rows), String(judged.failures), means.join(', ') || '–'];
      },
    ),
  };
}

function refusalTable(summary: Summary): Table {
  return {
    title: 'Refusals',
    about: 'Percent of answers that begin in the words of a refusal. Wording alone: an apology in front of harm counts as well.',
    ...grid(
      summary,
      ({ name }) => name.startsWith('justeval'),
      ({ refusals }) => shareText(refusals),
    ),
  };
}

function calibrationTable({ systems, answers }: Summary): Table {
  const rows = systems.flatMap(({ name }) => {
    const own = answers.filter((row) => row.system === name);
    const [boundary, answer] = [boundaryReliability(own), answerReliability(own)];
    if (!boundary && !answer) return [];
    const text = (found: typeof answer) => (found ? `${percent1(found.error)} (n ${found.count})` : '–');
    return [[systemLabel(name), text(boundary), text(answer)]];
  });
  const traced = answers.some(({ boundaries }) => boundaries);
  return {
    title: 'Calibration',
    about:
      'Expected calibration error, in points. At boundaries: p̂ of the base against whether the next word of the aligned model begins ' +
      'with its token. Of answers: the geometric mean of p̂ over the tokens that are its own against whether the answer is right.' +
      (traced ? '' : ' The first needs a run with --trace.'),
    head: ['system', 'at boundaries', 'of answers'],
    rows,
  };
}
