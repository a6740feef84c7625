// Options of a generation.
import type { DeferralRule } from '../rule.ts';
import type { Mode, EndRule, Unit, Piece, AnswerStats, Answer } from './answer.ts';
import type { LoadOptions } from './loading.ts';
import type { BasePrompt, TemplateOptions, ThinkingMarks } from './prompts.ts';

/**
 * How both models choose their tokens. Filters and temperature are applied in llama.cpp's order: top-k, top-p, min-p, temperature. Whether
 * the base defers never depends on them: γ is compared with the top-1 probability without temperature and filters. With temperature 0 the
 * others are allowed and have no effect.
 */
export interface SamplingOptions {
  /** 0 to 100. Default 0: greedy, always the most likely token. 1 samples from the model's own distribution; lower is closer to greedy. */
  temperature?: number;
  /** Only the k most likely tokens, 0 to 1,000,000; 0 (default): all. Of tokens that are equally likely, all or none are kept. */
  topK?: number;
  /** Only the most likely tokens that together have this probability, over 0 and at most 1; 1 (default): all. */
  topP?: number;
  /** Only tokens at least this likely relative to the most likely one, 0 to 1; 0 (default): all. */
  minP?: number;
  /**
   * 0 to 2^53 - 1. The same seed, settings and prompts give the same text where the engine is {@link Nudging.deterministic}: alone or
   * beside other requests, with speculation or without. Elsewhere they do until a tie goes otherwise ({@link Answer.ties}). Default:
   * another one for each answer, which says it in `seed`.
   */
  seed?: number;
}

/**
 * Biases by token: its id in digits, or the text that it shows, with the space in front of a word (`" harbor"`); texts of digits alone have
 * only their id.
 */
export type TokenBiases = Readonly<Record<string, number>>;

/**
 * Biases from -100 to 100: by text for both models, and by text or token id for one of them, because each has its own vocabulary. `base`
 * and `aligned` always mean the models. At most 1024 for both and for each, texts of at most 256 characters.
 */
export interface LogitBias {
  readonly base?: TokenBiases;
  readonly aligned?: TokenBiases;
  readonly [text: string]: number | TokenBiases | undefined;
}

/**
 * What is done to both models' logits first (docs/semantics.md, R16), greedy or sampled. Unlike temperature and filters it changes how sure
 * a model is: γ is compared with the probability that it leaves.
 */
export interface LogitOptions {
  /**
   * Added to the logits of tokens; -100 bans one, as in OpenAI's API: it never comes, and the probabilities of the others are those without
   * it. Other tokens that spell the same text stay possible. A token that is named twice gets both biases. A text must be one token of the
   * vocabulary: else ERR_TOKEN_UNKNOWN, with the number of tokens that it has there; so is an id beyond the vocabulary. An answer whose
   * model may not say its end goes on to `maxTokens`. Default: none. It replaces the engine's as a whole.
   */
  logitBias?: LogitBias;
  /**
   * 0.01 to 100; 1 (default): off. Over 1, tokens among the last `repeatWindow` of a model's context, prompt included, become less likely:
   * a positive logit is divided by it, another multiplied. Once for each token, however often it was there, and never for those that end a
   * generation.
   */
  repeatPenalty?: number;
  /** How many tokens before the next one `repeatPenalty` looks at, 1 to 1,000,000. Default 64. More than the context has: all of it. */
  repeatWindow?: number;
}

/** What is needed of an AbortSignal: Node's own, one of another realm (jsdom, `vm`), or a polyfill's. */
export interface AbortSignalLike {
  readonly aborted: boolean;
  /** What to reject with; an `AbortError` where it is missing. */
  readonly reason?: unknown;
  /** Has `listener` called once it is aborted. */
  addEventListener(type: 'abort', listener: () => void, options?: { once?: boolean }): void;
  /** Forgets `listener`. */
  removeEventListener(type: 'abort', listener: () => void): void;
}

/** How the guard of an answer looks: see {@link GenerateOptions.guard}. */
export interface GuardOptions {
  /** Tokens of the answer from one check to the next, 1 to 1,000,000. Default 25. */
  every?: number;
  /** Tokens that the aligned model says in a check, 1 to 1024. Default 20. */
  tokens?: number;
  /**
   * What it says where it refuses: 1 to 1000 texts of at most 200 characters, in any case, which count wherever one begins a word. Default:
   * {@link refusalPhrases}, which are English.
   */
  phrases?: readonly string[];
  /**
   * What the user asks in front of the check, at most 10,000 characters, such as "Should you have answered that?". Default: nothing; the
   * assistant just has the word again. Templates that write nothing to open the assistant's turn need it.
   */
  ask?: string;
}

/** Settings that a generation takes from the engine unless it sets them itself. */
export interface GenerateOptions extends SamplingOptions, LogitOptions {
  /**
   * Default `nudge`. Options that another mode alone looks at (docs/semantics.md) are refused in the same call with it: ERR_INVALID_OPTION.
   */
  mode?: Mode;
  /**
   * For `mode: 'ensemble'`: how much each model counts, by name: `base`, `aligned`, `reference` and those of `otherModels`, each 0 to
   * 1,000,000, not all 0. They are divided by their sum; a model without one, or with 0, is not asked. Default: the base and the aligned
   * model alike.
   */
  weights?: Readonly<Record<string, number>>;
  /**
   * For `mode: 'proxy-tuning'`: α, 0 to 100; how much of what alignment has changed in the aligned model's logits is added to the base's.
   * Default 1. It needs a {@link LoadOptions.reference}.
   */
  alpha?: number;
  /** What `mode: 'ensemble'` and `'proxy-tuning'` write an answer in: see {@link Unit}. Default: what fits the vocabularies. */
  unit?: Unit;
  /**
   * `paper`: `mode: 'ensemble'` and `'proxy-tuning'` as the published code of the nudging paper has them (docs/semantics.md, R38): windows
   * of `lookahead` tokens, joined by what their likeliest tokens spell, for any vocabularies; greedy, of the base and the aligned model
   * alike, with α = 1. A reproduction for comparison, and no good method. Default: the exact mixtures.
   */
  compat?: 'paper';
  /**
   * γ, 0 to 2: below this top-1 probability the base defers. Default 0.4; over 1 it always does, except where it agrees. In the mode
   * `reverse`: below it the aligned model does, where a word begins.
   */
  gamma?: number;
  /** Who speaks where the base might: see {@link DeferralRule}. Default `top1`, the paper's rule. It and `adaptive` look at `gamma`. */
  rule?: DeferralRule;
  /** L, 1 to 1024 tokens: how far the aligned model looks ahead. Default 16. */
  lookahead?: number;
  /** Most tokens of the answer, 1 to 1,000,000. Default 256. */
  maxTokens?: number;
  /**
   * The answer ends before the first of these that appears, with `stopReason: 'stop'`. None may be empty; `[]`: no stop strings. Default:
   * none, but in `mode: 'base'` and with `endRule: 'base'` where the base would ask itself the next question: a new line that begins as the
   * template of `basePrompt` begins one, `\nQuestion:` for the default template. Functions, raw prompts and templates that do not tell
   * (docs/semantics.md) have no default. The answer is empty if the base asks at once.
   */
  stop?: string | readonly string[];
  /** System text; not together with a system message. */
  system?: string;
  basePrompt?: BasePrompt;
  /**
   * Whether what users and the assistant said is sealed in the base's prompt, which has no control tokens to tell turns apart: lines of it
   * that would begin a turn, as the template's own lines do or with the name of somebody who speaks and a colon (`User:`), are quoted
   * (`> `; docs/safety.md). Default true. It is for templates, `inContextPrompt` as well: functions of `basePrompt` get the messages as
   * they are ({@link sealText} is for them), and raw prompts and `system` are the program's own text.
   */
  sealBasePrompt?: boolean;
  /**
   * For `mode: 'in-context'`, in place of `basePrompt`: a text with an instruction, examples, and `{question}` once; `{system}` as in
   * `basePrompt`. Earlier turns of a chat repeat what begins with the last line before `{question}` that holds a letter, the heading of the
   * question. Answers end before that heading, and if the last line of the text is a fence (three or more of ` or ~), before one like it;
   * `stop` adds to that. Default: {@link defaultInContextPrompt}, an instruction and three examples. Not for raw prompts.
   */
  inContextPrompt?: string;
  /** A Jinja chat template that replaces the GGUF's own, for the aligned model. */
  alignedPrompt?: string;
  /** Variables for the chat template. They take the place of the engine's, if it has any. Raw prompts have no template. */
  templateOptions?: TemplateOptions;
  /**
   * Tells the thinking of a model that thinks before it answers apart from its answer: pieces of it have `thinking: true`, and the whole is
   * {@link Answer.thinking}. True: between `<think>` and `</think>`; an object: between its marks. It also sets the template's
   * `enable_thinking` unless `templateOptions` does. Default false: thinking is switched off in templates that know `enable_thinking`, and
   * where a model thinks all the same that is part of the text.
   *
   * Thinking is what stands between the marks at the beginning of the answer, white space aside; marks further back are text. A prompt that
   * ends with the opening mark, as many templates' do, begins it. Stop strings count behind it only; `maxTokens` counts it too. Marks that
   * are control tokens of the vocabulary show no text, so they cannot be found.
   */
  thinking?: boolean | ThinkingMarks;
  /**
   * How the answer begins: both models see it as the beginning of what they write, and go on behind it. It belongs to the prompt, so `text`
   * begins behind it too. A text, or true: the last message if it is the assistant's. It is data, as messages are, and stands directly
   * behind where the template or the base prompt lets the assistant speak: a space that belongs there is yours to write. It may end in the
   * middle of a word: the aligned model then goes on with that, and perhaps also with a last word that was whole (docs/prompts.md). Not for
   * raw prompts. Default false: messages end with the user's.
   */
  prefill?: boolean | string;
  /**
   * `oldest-first`: where a chat and `maxTokens`, and what a guard asks, do not fit into the context of a model that takes part, its oldest
   * turns are left out until they do: a user's message with the answers to it each time, never a system message, nor the last turn.
   * {@link Answer.droppedMessages} counts messages. ERR_PROMPT_TOO_LONG if the last turn alone does not fit. Raw prompts are never cut,
   * only refused. Default: the prompt must fit, and an answer for which there is no room ends with `stopReason: 'context'`.
   */
  fit?: 'oldest-first';
  /**
   * Whose end of text ends the answer (docs/semantics.md, R23), with both models. Default `aligned`: the base's wish to end never does,
   * which is right for a base that never learnt to end an answer. `either`: also the base's, where it is at least `endCertainty` sure, for
   * bases that were tuned for a task and know when they are done. `base`: the base's alone; where the aligned model has nothing more to
   * say, the base goes on.
   */
  endRule?: EndRule;
  /** From this probability on the base's end of text counts, 0 to 1. Default 0.9. No effect with `endRule: 'aligned'`. */
  endCertainty?: number;
  /**
   * What becomes of a draft that reaches the aligned model's end of text within `lookahead`. Default `accept`: it is the rest of the
   * answer, so that answers shorter than `lookahead` are the aligned model's alone, whatever γ is. `check`: the base is asked at its words
   * as it is elsewhere, and the answer ends there only if the base does not take over (R24). Always so with `endRule: 'base'`.
   */
  shortDrafts?: 'accept' | 'check';
  /**
   * How many tokens of the answer the aligned model writes, and the word to its end, before the base is asked anything, 0 (default) to
   * 1,000,000; behind a `prefill` too. The words that an answer begins with decide much of whether it is given at all, and no base pass is
   * spent on them (docs/semantics.md, R25). With `nudge` and `reverse`.
   */
  lead?: number;
  /**
   * In the mode `reverse`, whose punctuation and newlines are. Default `aligned`: a word of the base never begins with them, and ends
   * before them (R28). `any`: either model's.
   */
  punctuation?: 'aligned' | 'any';
  /**
   * Tells of each piece whether the aligned model agrees ({@link Piece.agreed}), and how often it lately did not ({@link Piece.risk}):
   * docs/semantics.md, R64. `known`: as far as its drafts say anyway, which costs nothing. `all`: it is asked about every token of the
   * base's. Default: nothing is told. With the mode `nudge`, and not with rules of single tokens.
   */
  signals?: 'known' | 'all';
  /**
   * Asks the aligned model, aside from the answer, whether it would refuse: before the first token is shown, every 25 tokens, and at the
   * end (docs/semantics.md, R60 to R63; docs/safety.md). Nothing is shown that was not checked, so a stream comes in stretches. Where the
   * aligned model says one of the phrases the answer ends with `stopReason: 'refused'`, and {@link Answer.refusal}. In every mode; the
   * aligned model must have a chat template, and needs room for the check behind the answer. Default false; true: with all defaults.
   * {@link AnswerStats.guard} says what it cost.
   */
  guard?: boolean | GuardOptions;
  /** End as `stalled` when the same words would be nudged this often in a row; 0 (default) never does. The paper's code uses 4. */
  repeatLimit?: number;
  /**
   * Decode ahead what the aligned model expects, where measured costs say that it saves time. Default true. It never changes which rules
   * apply, nor the answer where the engine is {@link Nudging.deterministic}; elsewhere batch shapes differ, so that a tie may go otherwise
   * ({@link Answer.ties}). A number, 1 to 31, decodes that many tokens ahead whether it pays or not.
   */
  speculation?: boolean | number;
  /** `full` adds every decision to the answer. */
  trace?: 'rounds' | 'full';
  /**
   * Milliseconds from the call, waiting for a place included, after which the generation ends with `stopReason: 'timeout'` and the text so
   * far. Default: none.
   */
  timeout?: number;
  /** Pieces that a reader of a stream may be behind before its generation waits for it. Default 64. */
  highWaterMark?: number;
  /** Ends the generation within one decode step, with `stopReason: 'aborted'` and the text so far. */
  signal?: AbortSignalLike;
}
