export { defaults, Nudging } from './engine.ts';
export { NudgingError, type ErrorCode, type HubErrorCode } from './errors.ts';
export * from './explain/index.ts';
export { demoPair, readPair, type Pair } from './pair.ts';
export { pull } from './pull.ts';
export { AnswerStream } from './stream.ts';
export type * from './types.ts';
