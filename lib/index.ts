/**
 * Engines, their answers, and all that is said about both. Begin with {@link Nudging}.
 *
 * @module nudging
 */

export { calibrate } from './calibrate/calibrate.ts';
export type * from './calibrate/types.ts';
export { defaults } from './defaults.ts';
export { Nudging } from './engine.ts';
export { NudgingError, type ErrorCode, type HubErrorCode } from './errors.ts';
export * from './explain/index.ts';
export type { ByteSource } from './gguf/bytes.ts';
export { describeModel, type ModelDescription, type NamedToken, type WeightsOfType } from './gguf/describe.ts';
export type { Suits } from './gguf/suits.ts';
export { refusalPhrases } from './guard.ts';
export { defaultInContextPrompt } from './in-context.ts';
export { demoPair } from './embedded-pairs.ts';
export { readPair, type Pair } from './pair.ts';
export { pull } from './pull.ts';
export { replay, type Replayed, type ReplayedDecision } from './replay.ts';
export { sealText, turnMarks, type TurnMarks } from './seal.ts';
export type { DeferralRule, ResolvedRule, RuleName } from './rule.ts';
export type { TokenRule, TokenRuleName } from './token-rules.ts';
export { AnswerStream } from './stream.ts';
export * from './telemetry/index.ts';
export type * from './types.ts';
