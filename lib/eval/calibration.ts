import type { AnswerRow } from './rows.ts';
import { isRight } from './summary.ts';

/** A bin of probabilities: how sure the model was on average, and how often it was right. */
export interface Bin {
  low: number;
  high: number;
  count: number;
  confidence: number;
  right: number;
}

export interface Reliability {
  bins: Bin[];
  /** Expected calibration error: the mean gap between confidence and rightness, weighed by the bins' counts. */
  error: number;
  count: number;
}

/**
 * How far a probability can be believed: ten bins of equal width, and the expected calibration error (Guo et al. 2017, arXiv 1706.04599,
 * section 2).
 */
export function reliability(judged: readonly (readonly [probability: number, right: boolean])[], bins = 10): Reliability | undefined {
  if (judged.length === 0) return undefined;
  const filled = Array.from({ length: bins }, (_, index): Bin => {
    const own = judged.filter(([p]) => Math.min(bins - 1, Math.floor(p * bins)) === index);
    const mean = (values: number[]) => (values.length === 0 ? 0 : values.reduce((sum, value) => sum + value, 0) / values.length);
    return {
      low: index / bins,
      high: (index + 1) / bins,
      count: own.length,
      confidence: mean(own.map(([p]) => p)),
      right: mean(own.map(([, right]) => Number(right))),
    };
  }).filter(({ count }) => count > 0);
  const error = filled.reduce((sum, { count, confidence, right }) => sum + (count / judged.length) * Math.abs(confidence - right), 0);
  return { bins: filled, error, count: judged.length };
}

/**
 * The base's p̂ at boundaries, against whether the aligned model says the same there. That is what nudging relies on: where p̂ is high, the
 * two should agree. Needs traced rows.
 */
export function boundaryReliability(answers: readonly AnswerRow[]): Reliability | undefined {
  return reliability(answers.flatMap(({ boundaries = [] }) => boundaries));
}

/** The geometric mean of p̂ over an answer's own tokens, against whether the answer is right. */
export function answerReliability(answers: readonly AnswerRow[]): Reliability | undefined {
  return reliability(
    answers.flatMap((row) => {
      const right = isRight(row);
      return right === undefined || row.confidence === undefined ? [] : [[Math.exp(row.confidence), right] as const];
    }),
  );
}
