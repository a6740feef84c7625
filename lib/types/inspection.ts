// Asking one model.
import type { Top1, Candidate } from './answer.ts';
import type { SamplingOptions, LogitOptions, AbortSignalLike } from './generation.ts';
import type { Input } from './prompts.ts';

/** What {@link Nudging.countTokens} counts: a prompt as for generating, or a text by itself. */
export type Countable = Input | { text: string };

/** A question for {@link Nudging.inspect}. */
export interface Inspection {
  /**
   * `base`, `aligned`, `reference`, which is prompted as the base is, or a name among `otherModels`, which are prompted as the aligned
   * model is if they have a chat template, and else as the base.
   */
  lane: string;
  /**
   * The same inputs as for generating; for raw prompts only the one of `lane` is needed (the base's for the reference, the aligned model's
   * for others).
   */
  input: Input;
  /** Text after the prompt, tokenised together with it. */
  text?: string;
  /** Tokens after the text, taken as they are. */
  tokens?: readonly number[];
  /**
   * Choose the token with these settings; with the seed of an answer it is the token that the answer's run drew in this context. Default:
   * the most likely one, and seed 0.
   */
  sampling?: SamplingOptions & LogitOptions;
  /** How many of the likeliest tokens to list, 0 (default) to 1000. */
  candidates?: number;
  /**
   * Also judge each token of the context by what the model says before it: {@link Inspected.scores}. Default false. It takes a forward pass
   * for each, as an answer of so many tokens does.
   */
  scores?: boolean;
  /** Gives it up; `inspect` then rejects with the signal's reason. */
  signal?: AbortSignalLike;
}

/** A token, and what it shows. */
export interface TextToken {
  token: number;
  /** Not necessarily whole characters; empty for control tokens. */
  bytes: Uint8Array;
}

/** How probable a token was where it stands. */
export interface TokenScore {
  /** The token's bytes, not necessarily whole characters; empty for control tokens. */
  bytes: Uint8Array;
  /** Natural logarithm of its softmax probability over the whole vocabulary, at most 0. */
  logprob: number;
  /** The likeliest token there, its bytes, and its logarithm. */
  top: number;
  topBytes: Uint8Array;
  topLogprob: number;
}

/** The answer to an {@link Inspection}: what the model says next, and the tokens that it saw. */
export interface Inspected extends Top1 {
  runnerUp: number;
  entropy: number;
  /** The likeliest tokens, the likeliest first, if any were asked for. */
  candidates: Candidate[];
  context: number[];
  /** Only with `scores`: of each token of `context` but the first, in order. */
  scores?: TokenScore[];
}
