export { defaults, Nudging } from './engine.ts';
export { NudgingError, type ErrorCode } from './errors.ts';
export { defaultInContextPrompt } from './in-context.ts';
export { demoPair, readPair, type Pair } from './pair.ts';
export { AnswerStream } from './stream.ts';
export type * from './types.ts';
