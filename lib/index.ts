export { calibrate } from './calibrate/calibrate.ts';
export type * from './calibrate/types.ts';
export { defaults, Nudging } from './engine.ts';
export { NudgingError, type ErrorCode } from './errors.ts';
export { demoPair, readPair, type Pair } from './pair.ts';
export { replay, type Replayed, type ReplayedDecision } from './replay.ts';
export type { DeferralRule, ResolvedRule, RuleName } from './rule.ts';
export { AnswerStream } from './stream.ts';
export type * from './types.ts';
