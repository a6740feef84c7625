import type { Scorer } from './scorers/score.ts';

/** One question of a task. */
export interface Question {
  /** Unique within its task, and the same whenever the same file is read. */
  id: string;
  /** What stands before the prompt's prefix, such as a subject. */
  context?: string;
  /** The question itself, without a prefix. */
  input: string;
  /** What the authors compare with. A judge sees it; the scorers read what they need from it. Empty where no answer is known. */
  gold: string;
  /** Options of a multiple-choice question, in order. */
  choices?: readonly Choice[];
}

export interface Choice {
  /** A letter, or in some sets a digit. */
  label: string;
  text: string;
}

/** A record of a file: a JSON object, or the fields of a CSV line in order. */
export type DataRecord = Record<string, unknown> | string[];

/** What is asked of a judge model about a task's answers. */
export type Rubric = 'equivalence' | 'quality' | 'safety';

/** How a file becomes questions. It throws a EvaluationError that says what a record should hold. */
export type ReadRecord = (record: DataRecord, place: RecordPlace) => Question;

export interface RecordPlace {
  /** The record's position in its file, from 0. */
  index: number;
  /** The file's name without folder and ending. */
  file: string;
}

/** One task: all that distinguishes it from the others. */
export interface Task {
  name: string;
  title: string;
  /** Where the questions come from, and where their official file is to be had. */
  source: string;
  licence: string;
  /** Paths below `--data`, the first that is there is read. One that ends with / is a folder of CSV files. */
  files: readonly string[];
  /** What the files hold, in a few words. */
  format: string;
  read: ReadRecord;
  /** Which records of the file belong to the task; all if missing. */
  select?: (record: DataRecord) => boolean;
  /** Makes questions from a seed, where no file is needed. */
  generate?: (seed: number, count: number) => Question[];
  /** The authors' system text. */
  system: string;
  /** What the authors put before a question, in both models' prompts. */
  prefix: string;
  /** Missing: there is no right answer, only a judge's opinion. */
  score?: Scorer;
  /** How the paper scored it. */
  paperScorer: 'rule' | 'gpt-4o-mini' | 'gpt-4o';
  /** What a judge is asked; missing: none is needed, the rule is the paper's own. */
  rubric?: Rubric;
}

/** Limits of the authors' runs: tokens of an answer, how far the aligned model looks ahead, and how often the same words may be nudged. */
export const limits = { maxTokens: 512, lookahead: 16, repeatLimit: 4 } as const;

/** The authors' system texts. */
export const systemTexts = {
  reasoning: 'Answer the question by walking through the reasoning steps.',
  instruct: 'You are a helpful assistant.',
} as const;
