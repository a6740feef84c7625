export { defaults, Nudging } from './engine.ts';
export { NudgingError, type ErrorCode } from './errors.ts';
export { defaultInContextPrompt } from './in-context.ts';
export { demoPair, readPair, type Pair } from './pair.ts';
export { replay, type Replayed, type ReplayedDecision } from './replay.ts';
export type { DeferralRule, ResolvedRule, RuleName } from './rule.ts';
export type { TokenRule, TokenRuleName } from './token-rules.ts';
export { AnswerStream } from './stream.ts';
export type * from './types.ts';
