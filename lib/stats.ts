import { NudgingError } from './errors.ts';
import { explanationOf, type Asked, type Explainable, type Explanation } from './explain/explanation.ts';
import type { NativeFinished } from './native.ts';
import { isTokenRule } from './token-rules.ts';
import type { Answer, GuardStats, LaneStats, Piece } from './types.ts';

/** What an answer says of its request. */
export interface AnswerSettings {
  seed?: number | undefined;
  /** Whether its pieces tell thinking apart. */
  thinks?: boolean;
  droppedMessages?: number | undefined;
  /** The names of the models beside the two, in the order of their places. */
  others?: readonly string[];
  decidedBy?: Answer['decidedBy'];
  /** What its explanation says of it. */
  asked?: Asked;
}

const textOf = (pieces: readonly Piece[], thinking: boolean) =>
  pieces
    .filter((piece) => (piece.thinking ?? false) === thinking)
    .map(({ text }) => text)
    .join('');

/** The public answer from the native engine's last event. */
export function toAnswer(event: NativeFinished, pieces: readonly Piece[], settings: AnswerSettings = {}): Answer {
  const { seed, thinks, droppedMessages, decidedBy, others = [], asked = {} } = settings;
  const { stats, decisions, spans } = event;
  const { base, aligned, tokens, baseTokens, mixedTokens } = stats;
  const nudgedTokens = tokens - baseTokens - mixedTokens;
  const sum = (key: Exclude<keyof LaneStats, 'remote'>) => [base, aligned, ...stats.others].reduce((total, lane) => total + lane[key], 0);
  const othersDecode = stats.others.reduce((total, lane) => total + lane.decodeMs, 0);
  const top1 = sum('top1Ms');
  const tokenize = sum('tokenizeMs');
  const answer = {
    text: thinks ? textOf(pieces, false) : event.text,
    ...(thinks ? { thinking: textOf(pieces, true) } : {}),
    stopReason: event.stopReason,
    ...(event.stopReason === 'end' && event.endedBy !== undefined ? { endedBy: event.endedBy } : {}),
    ...(event.guard?.refusal === undefined ? {} : { refusal: event.guard.refusal }),
    pieces: [...pieces],
    rounds: event.rounds,
    ties: stats.ties,
    ...(droppedMessages === undefined ? {} : { droppedMessages }),
    ...(seed === undefined ? {} : { seed }),
    ...(decisions.length > 0 ? { decisions } : {}),
    ...(decidedBy === undefined ? {} : { decidedBy }),
    ...(spans.length > 0 ? { spans } : {}),
    stats: {
      tokens,
      baseTokens,
      nudgedTokens,
      mixedTokens,
      nudges: event.rounds.filter((round) => round.words !== '').length,
      nudgeRatio: tokens === 0 ? 0 : nudgedTokens / tokens,
      rewinds: sum('rewinds'),
      base,
      aligned,
      others: Object.fromEntries(others.map((name, index) => [name, stats.others[index] ?? nothing])),
      ...(event.guard === undefined ? {} : { guard: guardStats(event.guard) }),
      times: {
        queued: stats.queuedMs,
        firstPiece: stats.firstPieceMs,
        total: stats.totalMs,
        baseDecode: base.decodeMs,
        alignedDecode: aligned.decodeMs,
        othersDecode,
        top1,
        tokenize,
        other: Math.max(0, stats.totalMs - base.decodeMs - aligned.decodeMs - othersDecode - top1 - tokenize),
      },
    },
  };
  // Answers are data, to be compared, copied and written down, and a method is not.
  return Object.defineProperty(answer as Answer, 'explain', { value: () => explained(answer, asked) });
}

function guardStats({ refusal, ...stats }: NonNullable<NativeFinished['guard']>): GuardStats {
  return stats;
}

function explained(answer: Explainable, asked: Asked): Explanation {
  // Where models speak token by token there are no decisions to trace.
  const byWords = (asked.mode ?? 'nudge') === 'nudge' && !(asked.rule && isTokenRule(asked.rule));
  if (byWords && answer.rounds.length > 0 && !answer.decisions) {
    const message = "`trace` must be 'full' for an answer that is to be explained: ask again with it";
    throw new NudgingError('ERR_INVALID_OPTION', message, { option: 'trace', value: 'rounds' });
  }
  return explanationOf(answer, asked);
}

const nothing: LaneStats = {
  promptTokens: 0,
  cachedPromptTokens: 0,
  decodedTokens: 0,
  decodes: 0,
  questions: 0,
  remembered: 0,
  guessed: 0,
  guessesRight: 0,
  rewinds: 0,
  rewoundTokens: 0,
  recomputations: 0,
  anticipated: 0,
  decodeMs: 0,
  top1Ms: 0,
  tokenizeMs: 0,
};

/** The last event of a request that was aborted before it was submitted. */
export const abortedAtOnce: NativeFinished = {
  type: 'finished',
  id: 0,
  stopReason: 'aborted',
  text: '',
  rounds: [],
  decisions: [],
  spans: [],
  stats: {
    base: nothing,
    aligned: nothing,
    others: [],
    tokens: 0,
    baseTokens: 0,
    mixedTokens: 0,
    ties: 0,
    queuedMs: 0,
    firstPieceMs: 0,
    totalMs: 0,
  },
};
