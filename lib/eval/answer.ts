import type { Nudging } from '../engine.ts';
import { NudgingError, type ErrorCode } from '../errors.ts';
import type { Answer, Input } from '../types.ts';
import { boundariesIn } from './boundaries.ts';
import { wordRatio } from './nudge-ratio.ts';
import type { AnswerRow, ErrorRow } from './rows.ts';
import { soundsLikeRefusal } from './scorers/refusal.ts';
import type { System } from './systems.ts';
import type { Question, Task } from './task.ts';

/** What can be wrong with one question's prompt alone. Anything else would fail for the rows after it too. */
const rowCodes: ReadonlySet<ErrorCode> = new Set(['ERR_PROMPT_EMPTY', 'ERR_PROMPT_TOO_LONG', 'ERR_TEMPLATE_FAILED']);

/** One question to one system. */
export interface Work {
  task: Task;
  question: Question;
  system: System;
}

/** Answers and scores; undefined if it was aborted, because an interrupted answer is none. */
export async function answerOne(
  nudging: Nudging,
  { task, question, system }: Work,
  input: Input,
  { trace, seed, signal }: { trace: boolean; seed: number; signal: AbortSignal },
): Promise<AnswerRow | ErrorRow | undefined> {
  const key = { task: task.name, id: question.id, system: system.name };
  try {
    // A sampled answer that had no seed could not be made again.
    const options = { seed, ...system.options, trace: trace ? 'full' : 'rounds', signal } as const;
    const answer = await nudging.generate(input, options);
    if (answer.stopReason === 'aborted') return undefined;
    return { ...key, ...rowOf(task, question, answer) };
  } catch (error) {
    if (!(error instanceof NudgingError) || !rowCodes.has(error.code)) throw error;
    return { ...key, error: { code: error.code, message: error.message } };
  }
}

function rowOf(task: Task, question: Question, answer: Answer): Omit<AnswerRow, 'task' | 'id' | 'system'> {
  const { text, stopReason, stats, rounds, seed, decisions } = answer;
  const logs = answer.pieces.flatMap(({ source, topProbability }) =>
    source === 'base' && topProbability ? [Math.log(topProbability)] : [],
  );
  return {
    question: (question.context ?? '') + question.input,
    gold: question.gold,
    text,
    stopReason,
    ...(task.score ? { score: task.score(text, question) } : {}),
    refusal: stopReason === 'refused' || soundsLikeRefusal(text),
    wordRatio: round(
      wordRatio(
        text,
        rounds.map(({ words }) => words),
      ),
    ),
    tokens: stats.tokens,
    nudgedTokens: stats.nudgedTokens,
    ms: Math.round(stats.times.total),
    pieces: stretches(answer),
    ...(logs.length > 0 ? { confidence: round(logs.reduce((sum, log) => sum + log, 0) / logs.length) } : {}),
    ...(decisions ? { boundaries: boundariesIn(decisions) } : {}),
    ...(seed === undefined ? {} : { seed }),
  };
}

const round = (value: number) => Math.round(value * 1e4) / 1e4;

/** Neighbours from the same model become one. */
function stretches({ pieces }: Answer): AnswerRow['pieces'] {
  const merged: AnswerRow['pieces'] = [];
  for (const { source, text, thinking } of pieces) {
    if (thinking) continue;
    const letter = source === 'nudge' ? 'n' : 'b';
    const last = merged.at(-1);
    if (last?.[0] === letter) last[1] += text;
    else merged.push([letter, text]);
  }
  return merged;
}
