import type { ErrorCode } from '../errors.ts';
import type { StopReason } from '../types.ts';
import type { Rubric } from './task.ts';
import type { Score } from './scorers/score.ts';

/** What a line of results.jsonl is about: one question to one system. */
export interface RowKey {
  task: string;
  id: string;
  system: string;
}

export const keyOf = ({ task, id, system }: RowKey): string => JSON.stringify([task, id, system]);

/** An answer, scored. */
export interface AnswerRow extends RowKey {
  question: string;
  gold: string;
  text: string;
  stopReason: StopReason;
  /** Missing where a task has no right answers. */
  score?: Score;
  /** Whether it begins in the words of a refusal, or its guard ended it. */
  refusal: boolean;
  /** The paper's share of nudged words, in [0, 1]. */
  wordRatio: number;
  tokens: number;
  nudgedTokens: number;
  /** Milliseconds from leaving the queue. */
  ms: number;
  /** Stretches of the text, each by one model: `b` the base's (or the only one's), `n` nudged. */
  pieces: [source: 'b' | 'n', text: string][];
  /** Mean logarithm of the top-1 probabilities of the base's own tokens; missing if it wrote none. */
  confidence?: number;
  /** With --trace: at each boundary where the base was asked, its top-1 probability and whether the aligned model says the same. */
  boundaries?: [probability: number, agrees: boolean][];
  /** What was sampled with, if it was. */
  seed?: number;
}

/** A prompt that one of the models does not take; the others go on. */
export interface ErrorRow extends RowKey {
  error: { code: ErrorCode; message: string };
}

/** A judge's opinion of an answer. */
export interface Judgement extends RowKey {
  rubric: Rubric;
  judge: string;
  /** 1 to 5 by aspect, or 0 and 1 for equivalence; missing where it gave no readable opinion. */
  scores?: Record<string, number>;
  /** Why there are none. */
  failure?: string;
}

/** What all rows of a file are made with. */
export interface RunRecord {
  /** Models and settings, as files of `--output` say it. */
  madeWith: Record<string, unknown>;
  prompts: Record<string, unknown>;
  seed: number;
  tasks: Record<string, { questions?: number; sha256?: string; generated?: true }>;
  systems: Record<string, object>;
  /** How many answers were made together: only speed depends on it. */
  parallel?: number;
}

/** One line of results.jsonl. */
export type Line = { run: RunRecord } | { answer: AnswerRow | ErrorRow } | { judgement: Judgement };

export const isAnswer = (row: AnswerRow | ErrorRow): row is AnswerRow => !('error' in row);
