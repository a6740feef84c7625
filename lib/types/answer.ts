// An answer, and what is told of how it came about.
import type { Explanation } from '../explain/explanation.ts';
import type { ResolvedRule } from '../rule.ts';
import type { GenerateOptions } from './generation.ts';
import type { Inspected } from './inspection.ts';

/** The two models. */
export type LaneName = 'base' | 'aligned';

/**
 * `nudge`: both models together; the base decodes, and the aligned model writes the words that it is unsure of. `reverse`: the other way
 * round. `base`, `aligned`: one of them alone, with the same engine. `in-context`: the base alone, shown by
 * examples what an answer is like ({@link GenerateOptions.inContextPrompt}). `ensemble`, `proxy-tuning`: several models of one vocabulary
 * token by token, for comparison ({@link GenerateOptions.weights}, {@link GenerateOptions.alpha}).
 */
export type Mode = 'nudge' | 'reverse' | 'base' | 'aligned' | 'in-context' | 'ensemble' | 'proxy-tuning';

/**
 * Whose end of text ends the answer. `aligned`: the aligned model's. `either`: the base's too, where it is sure of it. `base`: the base's
 * alone.
 */
export type EndRule = 'aligned' | 'either' | 'base';

/**
 * Why a generation ended. `end`: a model reached its end of text, see {@link Answer.endedBy}. `length`:
 * `maxTokens`. `stop`: a stop string, which is not part of the text. `context`: one model's context is full. `stalled`: a round added
 * nothing, or the same words were nudged `repeatLimit` times. `aborted`: by `signal`, or by leaving a `for await`. `timeout`: the time is
 * up. `refused`: the `guard` found that the aligned model would not answer, see {@link Answer.refusal}.
 */
export type StopReason = 'end' | 'length' | 'stop' | 'context' | 'stalled' | 'aborted' | 'timeout' | 'refused';

/**
 * A stretch of the answer that came from one model. Concatenated, the pieces are the text, and those that are thinking are
 * {@link Answer.thinking}.
 */
export interface Piece {
  text: string;
  /** Only with the option `thinking`: true for what belongs to the model's thinking and not to its answer; else missing. */
  thinking?: true;
  /**
   * `base`: the base's own token. `nudge`: the aligned model's word or token, in the mode `reverse` as well, where the base is the guest.
   * `mix`: a token of several models together.
   */
  source: 'base' | 'nudge' | 'mix';
  /**
   * In [0, 1]. For the base's token (or the one model that runs): its probability; where tokens are sampled, that of the most likely token
   * there. For a nudge: the base's top-1 probability where the word stands; missing where the base was not asked, as for the first word of
   * the answer, for what a draft goes on with that ends the answer (one piece), and for a `lead`. In the mode `reverse` it is that of the
   * model whose token it is. For a mix: the likeliest token's probability in the mixture.
   */
  topProbability?: number;
  /**
   * Only with the option `signals`: whether the aligned model would have said it. True for its own words; for the base's tokens missing
   * where it is not known.
   */
  agreed?: boolean;
  /**
   * Only with the option `signals`: of the last seven pieces up to this one of which `agreed` is known, the share that the aligned model
   * would not have said, in [0, 1]; missing as long as there is none.
   */
  risk?: number;
}

/**
 * One round of the trace: words of the aligned model, then what the base went on with: its run, or in the mode `reverse` its word.
 * Concatenated, words and base of all rounds are what the models wrote: the text, and with the option `thinking` also the thinking part,
 * its marks and the white space beside them.
 */
export interface Round {
  words: string;
  base: string;
  /**
   * What ended the asking. `agree`: the base's token begins the next word. `confident`: the rule lets it speak (`top1`: its probability is
   * at least γ). `base-end`: the base would end. `none`: nobody took over, or the answer ended before the base was asked. `end`: the
   * aligned model reached its end of text. `limit`: `maxTokens` cut the draft. `lead`: the aligned model led (option `lead`). `unsure`: in
   * the mode `reverse`, its probability was below γ.
   */
  by: 'agree' | 'confident' | 'base-end' | 'none' | 'end' | 'limit' | 'lead' | 'unsure';
}

/**
 * What a model says comes next. How sure it is, is measured on its logits as `logitBias` and `repeatPenalty` leave them: no temperature, no
 * filter.
 */
export interface Top1 {
  /** The most likely token, or the one that was sampled. */
  token: number;
  /** The token's bytes, not necessarily whole characters; empty for control tokens. */
  bytes: Uint8Array;
  /** Softmax probability of the most likely token over the whole vocabulary, in [0, 1]; also where another one was sampled. */
  probability: number;
  /** Logit of the token minus the next best logit, at least 0; with sampling, the same of what was compared (docs/semantics.md, R15). */
  margin: number;
  /** Softmax probability of the second most likely token. Only of the base with the rule `margin`, and in {@link Inspected}. */
  runnerUp?: number;
  /** −Σ p log p over the whole vocabulary, in nats. Only of the base with the rule `entropy`, and in {@link Inspected}. */
  entropy?: number;
  /** Whether the token ends a generation. */
  ends: boolean;
}

/** A token that may come next. */
export interface Candidate {
  token: number;
  /** The token's bytes, not necessarily whole characters; empty for control tokens. */
  bytes: Uint8Array;
  /** Softmax probability over the whole vocabulary, in [0, 1]. */
  probability: number;
}

/** One judgement of a run; `trace: 'full'` returns all of them. */
export interface Decision extends Top1 {
  /**
   * `boundary`: the base was asked at a boundary of a draft, or in the mode `reverse` for a word. `run`: it went on with its own run or
   * word, or answered alone. `draft`: the aligned model drafted, or decoded in the mode `reverse` or alone. `lead`: it led.
   */
  kind: 'boundary' | 'run' | 'draft' | 'lead';
  /** Bytes (UTF-8) of what the rounds hold, and of the draft, before the question. A prefill is not counted: it belongs to the prompt. */
  position: number;
  /**
   * Who speaks there by the {@link DeferralRule}. Missing where it was not asked: of drafts, of what shows nothing, and at a boundary where
   * the base agrees.
   */
  speaks?: 'base' | 'aligned';
  /**
   * How probable each model finds its own next word, where the rule compared them (docs/semantics.md, R18). That of the base is no more
   * than an upper bound where it defers: its word is not read further than it takes to know.
   */
  words?: { base: number; aligned: number };
  /** γ as it was there, with the rule `adaptive`, which moves it. */
  gamma?: number;
}

/** One forward pass. Times in milliseconds since the request left the queue. */
export interface DecodeSpan {
  /** `base`, `aligned`, `reference`, or a name among `otherModels`. */
  lane: string;
  begin: number;
  end: number;
  /** Tokens in its batch, those of other requests included. */
  tokens: number;
}

/** What one model did for one generation. Times in milliseconds. */
export interface LaneStats {
  promptTokens: number;
  /** Prompt tokens that were still in the KV cache from the request before. */
  cachedPromptTokens: number;
  /** Tokens decoded, the prompt's included. */
  decodedTokens: number;
  /** Forward passes. */
  decodes: number;
  /** Questions "what comes next?", and how many of them were answered without a forward pass. */
  questions: number;
  remembered: number;
  /** Tokens decoded ahead because the aligned model expects them, and how many of them came true. */
  guessed: number;
  guessesRight: number;
  /** Times the KV cache was cut back to a common prefix, and the tokens cut. */
  rewinds: number;
  rewoundTokens: number;
  /** Times the memory could not be cut and the context was decoded again from its start. */
  recomputations: number;
  /** Tokens decoded before anybody asked, while the other model was busy (see `overlap`). */
  anticipated: number;
  decodeMs: number;
  top1Ms: number;
  tokenizeMs: number;
  /** Only of a model on another machine. `decodes` counts the places where it was waited for, and `decodeMs` how long. */
  remote?: RemoteStats;
}

/** What a model on another machine was asked for one generation. */
export interface RemoteStats {
  /** Questions over HTTP, and the round trips that they took, with those that were tried again. */
  calls: number;
  roundTrips: number;
  /** Bytes of bodies. */
  sentBytes: number;
  receivedBytes: number;
}

/** What a guard has done for one generation. It is part of what `aligned` of the {@link AnswerStats} says, and not beside it. */
export interface GuardStats {
  /** Times that it looked. */
  checks: number;
  /** Questions that it asked the aligned model, and how many of them were answered without a forward pass. */
  questions: number;
  remembered: number;
  /** Tokens decoded for it. */
  tokens: number;
  /** Forward passes. */
  passes: number;
  /** Milliseconds of these passes. */
  decodeMs: number;
  /** Milliseconds that the answer waited for it, those of other requests' passes included. */
  waitMs: number;
}

/** What an answer took, of all models together and of each. */
export interface AnswerStats {
  /** Tokens of the answer, as `maxTokens` counts them. */
  tokens: number;
  baseTokens: number;
  nudgedTokens: number;
  /** Tokens of several models together; tokens is the sum of the three. */
  mixedTokens: number;
  /** Rounds in which words were taken from the aligned model. */
  nudges: number;
  /** nudgedTokens ÷ tokens, in [0, 1]; 0 for an empty answer. */
  nudgeRatio: number;
  /** All models' rewinds. */
  rewinds: number;
  base: LaneStats;
  aligned: LaneStats;
  /** Of the models beside them, by name: the reference, and those of `otherModels`. */
  others: Record<string, LaneStats>;
  /** Only with the option `guard`. */
  guard?: GuardStats;
  /**
   * Milliseconds. `total` runs from leaving the queue; `other` is what is left of it after the named phases. Making the prompts ready
   * (rendering and tokenising them) belongs to `queued`, `tokenize` is that of the answer.
   */
  times: {
    queued: number;
    firstPiece: number;
    total: number;
    baseDecode: number;
    alignedDecode: number;
    /** Of all models beside the two. */
    othersDecode: number;
    top1: number;
    tokenize: number;
    other: number;
  };
}

/** A finished generation. */
export interface Answer {
  /** The answer: without a prefill, which belongs to the prompt, and with the option `thinking` without the thinking part. */
  text: string;
  /**
   * Only with the option `thinking`: what the model thought before it answered, without the marks and the white space beside them; empty if
   * it did not. What OpenAI-compatible servers call `reasoning_content`. If `maxTokens` cut it, all is thinking and `text` is empty.
   */
  thinking?: string;
  stopReason: StopReason;
  /** Which model's end of text it was, where `stopReason` is `end`; missing elsewhere. */
  endedBy?: LaneName;
  /**
   * Only where `stopReason` is `refused`: how the aligned model would have gone on, cut after the guard's `tokens`. It is no part of
   * `text`, which is what was shown before.
   */
  refusal?: string;
  pieces: Piece[];
  rounds: Round[];
  /**
   * Decisions that might have gone otherwise in other company (docs/semantics.md, Ties): those that stand in the answer and were closer
   * than batch shapes have been measured to move the model that took them. That is γ where the base's probability was that near to it and γ
   * decided, and a token where the next best one was that near. Each counts once; what was drafted and dropped does not. Always 0 where the
   * engine is {@link Nudging.deterministic}: nothing goes otherwise there, however close it was. 0 elsewhere means that another run
   * probably says the same, not that it must.
   */
  ties: number;
  /** Only with the option `fit`: how many of the oldest messages were left out. */
  droppedMessages?: number;
  /** What tokens were sampled with, if they were: together with the same settings it gives the same text again. */
  seed?: number;
  /** Only with `trace: 'full'`. */
  decisions?: Decision[];
  /** Only with `trace: 'full'`, and only of both models together: what the decisions were made by. */
  decidedBy?: { rule: ResolvedRule; gamma: number; lookahead: number };
  /** Only with `trace: 'full'`: every forward pass that this answer had a part in, by its begin. */
  spans?: DecodeSpan[];
  stats: AnswerStats;
  /**
   * Who wrote each word, why, and what the base would have said instead: from the decisions, so only with `trace: 'full'`, or where one
   * model wrote all. `explanationHtml`, `explanationSvg` and `explanationText` show it. Not enumerable: a copy of the answer does not have
   * it.
   *
   * @throws NudgingError ERR_INVALID_OPTION without `trace: 'full'`
   */
  explain(): Explanation;
}

/**
 * What several models write an answer in together. `token`: tokens, which takes one vocabulary, else ERR_VOCABULARIES_DIFFER. `byte`: the
 * bytes of the text, with models of any vocabularies, from what each says exactly about the next one, whatever tokens it would say it in.
 * Without a choice, tokens if the vocabularies are one, and else bytes.
 */
export type Unit = 'token' | 'byte';
