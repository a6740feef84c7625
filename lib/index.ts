export { defaults, Nudging } from './engine.ts';
export { NudgingError, type ErrorCode } from './errors.ts';
export * from './explain/index.ts';
export { describeModel, type ModelDescription, type NamedToken, type WeightsOfType } from './gguf/describe.ts';
export type { ByteSource } from './gguf/bytes.ts';
export type { Suits } from './gguf/suits.ts';
export { demoPair, readPair, type Pair } from './pair.ts';
export { AnswerStream } from './stream.ts';
export type * from './types.ts';
