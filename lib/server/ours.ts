import { answerJson } from '../cli/json.ts';
import type { Answer, Piece, StopReason } from '../types.ts';
import type { Telling } from './settings.ts';

/** Fields of ours in answers, which OpenAI's clients pass over. */

export interface OfPiece {
  source: Piece['source'];
  top_probability?: number;
}

/** Who wrote a stretch of text, and how sure the base was there: see {@link Piece}. */
export function ofPiece({ source, topProbability }: Piece): OfPiece {
  return { source, ...(topProbability === undefined ? {} : { top_probability: topProbability }) };
}

/** What is known of an answer when it is whole. */
export function ofAnswer(answer: Answer, trace: Telling['trace']): object {
  const { stopReason, endedBy, refusal, stats, seed } = answer;
  return {
    stop_reason: stopReason,
    ...(endedBy === undefined ? {} : { ended_by: endedBy }),
    ...(refusal === undefined ? {} : { refusal }),
    ...(seed === undefined ? {} : { seed }),
    base_tokens: stats.baseTokens,
    nudged_tokens: stats.nudgedTokens,
    nudge_ratio: stats.nudgeRatio,
    ...(trace === undefined ? {} : { answer: answerJson(answer) }),
  };
}

/** OpenAI has three words for it; `stop_reason` has all. */
export function finishReason(reason: StopReason): 'stop' | 'length' | 'content_filter' {
  if (reason === 'refused') return 'content_filter';
  return reason === 'length' || reason === 'context' || reason === 'timeout' || reason === 'aborted' ? 'length' : 'stop';
}
