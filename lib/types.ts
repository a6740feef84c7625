// The public types, by subject; each file says of its own.
export type * from './types/answer.ts';
export type * from './types/models.ts';
export type * from './types/prompts.ts';
export type * from './types/generation.ts';
export type * from './types/loading.ts';
export type * from './types/inspection.ts';

declare global {
  // `AnswerStream` and `Nudging` have such a method, and every supported runtime has the symbol. Compilers know of it only by `lib:
  // esnext.disposable` or @types/node, which declare the same: declarations of a user without either would not compile.
  interface SymbolConstructor {
    readonly asyncDispose: unique symbol;
  }
}
