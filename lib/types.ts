import type { Explanation } from './explain/explanation.ts';
import type { DeferralRule, ResolvedRule } from './rule.ts';

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
   * the answer and for a `lead`. In the mode `reverse` it is that of the model whose token it is. For a mix: the likeliest token's
   * probability in the mixture.
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
   * at least γ). `base-end`: the base would end. `none`: nobody took over. `end`: the aligned model reached its end of text. `limit`:
   * `maxTokens` cut the draft. `lead`: the aligned model led (option `lead`). `unsure`: in the mode `reverse`, its probability was below γ.
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

/** How a model is divided over several GPUs. */
export type SplitMode = 'none' | 'layer' | 'row' | 'tensor';

/** Puts weights elsewhere than the rest of their layer. */
export interface TensorOverride {
  /** A regular expression, found anywhere in the weight's name, such as `^blk\\.[0-9]\\.ffn_.*_exps`. */
  pattern: string;
  /** One of the model's GPUs by its name, or `CPU`. */
  device: string;
}

/** ggml's names of what a KV cache can hold: numbers of 16 or 32 bits, or blocks of 32 numbers of 8, 5 or 4 bits. */
export type KvCacheType = 'f16' | 'bf16' | 'f32' | 'q8_0' | 'q5_1' | 'q5_0' | 'q4_1' | 'q4_0';

/** What a model takes, in bytes, over host and GPUs. */
export interface MemoryUse {
  /** Weights. Engines of one process that load the same file with the same `gpuLayers` share them. */
  weights: number;
  /**
   * Those among the weights that are the file's own pages: other processes share them, and a system short of memory drops them and reads
   * them again.
   */
  mapped: number;
  /**
   * The weights again, by llama.cpp's name of the kind of memory they are in: "CPU" as they are in the file; "CPU_REPACK" and "AMX" in an
   * order of their own, for faster kernels (see `cpuBuffers`); others on GPUs.
   */
  buffers: Record<string, number>;
  /** KV cache or recurrent state, of all `parallel` requests. */
  cache: number;
  /** Buffers of the forward pass. */
  compute: number;
}

/** What is known of a loaded model. */
export interface ModelInfo {
  path: string;
  /** Such as "llama 8B Q4_0". */
  description: string;
  parameters: number;
  /** Size of the weights. */
  bytes: number;
  /** Tokens that a request's prompt and answer can have together. */
  context: number;
  /** Tokens that the model was trained with. */
  trainedContext: number;
  /** Number of tokens in the vocabulary. */
  vocabulary: number;
  hasChatTemplate: boolean;
  /** Layers on the GPU, the output layer counted as one; 0 without a GPU. */
  gpuLayers: number;
  /**
   * How many of them are on which GPU, by its name: `{ CUDA0: 17, CUDA1: 16 }`. With `splitMode` `row` or `tensor` the shares of what is
   * divided.
   */
  devices: Record<string, number>;
  /** Whether its likeliest tokens are found where its output layer is; see `deviceTop1`. */
  deviceTop1: boolean;
  kvCache: KvCacheType;
  memory: MemoryUse;
}

/** One message of a chat. The last one is the user's, unless the answer is begun (`prefill: true`). */
export interface ChatMessage {
  role: 'system' | 'user' | 'assistant';
  content: string;
}

/** A stretch of a raw prompt. In a `special` stretch, text that spells a control token becomes that token: never put user text there. */
export interface PromptSegment {
  text: string;
  special: boolean;
}

/** A prompt that is used as it is. A string is one segment with `special: true`: it is the program's own text. */
export type RawPrompt = string | readonly PromptSegment[];

/**
 * What to answer: a question; chat messages, the last from the user, or with `prefill: true` the beginning of the answer from the
 * assistant; or one raw prompt for each model.
 */
export type Input =
  | string
  | readonly ChatMessage[]
  | ({ messages: readonly ChatMessage[] } & GenerateOptions)
  | ({ base?: RawPrompt; aligned?: RawPrompt } & GenerateOptions);

/**
 * Makes the base model's prompt: plain text. A string is a template for one question, in which `{question}` stands for the question and
 * `{system}` for the system text with an empty line after it (nothing if there is none). Earlier turns of a chat are put in front with the
 * same template, without the system text, each followed by its answer and an empty line.
 */
export type BasePrompt = string | ((chat: { system: string; messages: readonly ChatMessage[] }) => string);

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

/** A plain JSON value. */
export type TemplateValue = string | number | boolean | null | readonly TemplateValue[] | { readonly [name: string]: TemplateValue };

/**
 * More variables for the aligned model's chat template, such as `{ enable_thinking: true }`. Names are those of Jinja variables;
 * `messages`, `add_generation_prompt`, `bos_token`, `eos_token`, and words and functions of Jinja are refused. All together at most 65,536
 * characters of JSON, 16 levels deep, whole numbers within ±(2^53 - 1). Strings are data as message contents are: nothing that a template
 * makes of them becomes a control token. `enable_thinking` is false unless it is set here or by `thinking`.
 */
export interface TemplateOptions {
  readonly [name: string]: TemplateValue | undefined;
}

/** What stands around the thinking of a model. At most 100 characters each, no white space at either end. */
export interface ThinkingMarks {
  open: string;
  close: string;
}

/**
 * What several models write an answer in together. `token`: tokens, which takes one vocabulary, else ERR_VOCABULARIES_DIFFER. `byte`: the
 * bytes of the text, with models of any vocabularies, from what each says exactly about the next one, whatever tokens it would say it in.
 * Without a choice, tokens if the vocabularies are one, and else bytes.
 */
export type Unit = 'token' | 'byte';

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
   * `oldest-first`: where a chat and `maxTokens` do not fit into the context of a model that takes part, its oldest turns are left out
   * until they do: a user's message with the answers to it each time, never a system message, nor the last turn.
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

/** How far loading is. What is named and not in the cache is downloaded first. */
export type LoadProgress = WeightsProgress | (DownloadProgress & { /** As for {@link WeightsProgress}. */ lane: string });

/** How far the reading of a model is. */
export interface WeightsProgress {
  kind: 'load';
  /** `base`, `aligned`, `reference`, or a name among `otherModels`. */
  lane: string;
  /** Fraction of this model's weights, in [0, 1]. */
  fraction: number;
}

/** How far the download of one file is. At most ten times a second for each file, and whenever its state changes. */
export interface DownloadProgress {
  kind: 'download';
  /** The model's name, as it was given. */
  name: string;
  /** The file's path in its repository; a split model has several. */
  file: string;
  /**
   * `waiting`: another process is downloading it. `checking`: what an earlier attempt left is read again. `done`: it is in the cache, and
   * is what the hub says it is.
   */
  state: 'waiting' | 'checking' | 'receiving' | 'done';
  /** Bytes that are here, those of an earlier attempt included. */
  received: number;
  /** Bytes of the whole file. */
  bytes: number;
  /** received ÷ bytes, in [0, 1]. */
  fraction: number;
}

/** Options of {@link pull}. */
export interface PullOptions {
  /** Whether the hub is asked what the revision means now. Default true; with false, what the cache has is good enough, as for loading. */
  update?: boolean;
  /** Called as files arrive. What it throws ends the downloads, and `pull` rejects with it. */
  onProgress?: (progress: DownloadProgress) => void;
  /** Ends the downloads; the next ones go on from there. `pull` then rejects with the signal's reason. */
  signal?: AbortSignalLike;
}

/** What {@link pull} found or fetched. */
export interface Pulled {
  /** The file to load, in the cache: of a split model the first. */
  path: string;
  /** All files of the model. */
  paths: string[];
  /** The commit that the revision means. */
  commit: string;
  /** Bytes of all files. */
  bytes: number;
  /** Bytes of those that were fetched for this call. */
  downloaded: number;
}

/** Something that a user should know though all goes on. */
export interface NudgingWarning {
  /**
   * Stable, for programs. `WARN_KERNEL_DISABLED`: a kernel of an extra CPU buffer multiplies wrongly or crashes on this machine, and the
   * buffer is not used (see `cpuBuffers`).
   */
  code: 'WARN_KERNEL_DISABLED';
  message: string;
}

/** llama.cpp's extra CPU buffers: kinds of memory in which weights lie in an order of their own, for kernels of their own. */
export type CpuBuffer = 'amx' | 'repack' | 'kleidiai' | 'spacemit';

/** What to load. Everything from {@link GenerateOptions} is the default of the engine's generations. */
export interface LoadOptions extends Omit<GenerateOptions, 'signal'> {
  /**
   * A pair's manifest (pair.json), or the name of a pair that is known (docs/models.md), unless there is a file of that name. Default: the
   * demo pair, unless `base` and `aligned` are given. Options given beside it win over it.
   */
  pair?: string;
  /**
   * Path of the base model's GGUF file, or its name on the Hugging Face hub: `hf:owner/repo`, `hf:owner/repo:Q4_K_M` or
   * `hf:owner/repo/FILE.gguf`, with `@REVISION` at the end or not. What the cache has of a name is loaded without asking the hub; else it
   * is downloaded first (docs/models.md).
   */
  base?: string;
  /** Path or name of the aligned model, likewise. */
  aligned?: string;
  /**
   * Further models by names of your own, as paths of GGUF files or names on the hub, at most 14. They are loaded beside the pair, into the
   * same memory plan and with the same settings as both models, and answer {@link Nudging.inspect}. No rule asks them by itself;
   * `mode: 'ensemble'` does if `weights` names them. Names are 1 to 32 letters, digits, - and _, not only digits, and other than `base`,
   * `aligned` and `reference`.
   */
  otherModels?: Record<string, string>;
  /**
   * Path of the model that the aligned one was before it was aligned (the small base), for `mode: 'proxy-tuning'`. It is loaded beside the
   * pair, as `otherModels` are, under the name `reference`, and prompted as the base is.
   */
  reference?: string;
  /**
   * Layers on the GPU, for both models or each, the output layer counted as one; -1 (default): all. `auto`: as many as fit beside contexts
   * of at most 4096 tokens, first the aligned model's, which is small and called most often, then the base's. Without a GPU backend it has
   * no effect.
   */
  gpuLayers?: number | 'auto' | Partial<Record<LaneName, number | 'auto'>>;
  /**
   * GPUs by llama.cpp's names, such as `['CUDA0', 'CUDA1']`, 1 to 16, for both models or each: those that the model may use. Default: all.
   * `nudging doctor` lists them. Upper and lower case are the same. Rejects with ERR_DEVICE_UNSUITABLE for one that is not there.
   */
  devices?: readonly string[] | Partial<Record<LaneName, readonly string[]>>;
  /**
   * How a model is divided over several GPUs, for both models or each. `layer`: each has some of the layers; `none`: one has all; `tensor`:
   * all work on every layer together, with parts of its weights (not with all architectures, and with flash attention); `row`: parts of
   * weights by their rows, which llama.cpp v0.5.0 has for SYCL and not for CUDA. Default: the base by layers over all, each other model
   * whole on the one where most is left, or by layers where it fits on none. With fewer than two GPUs it has no effect. Rejects with
   * ERR_DEVICE_UNSUITABLE where the GPUs cannot do it.
   */
  splitMode?: SplitMode | Partial<Record<LaneName, SplitMode>>;
  /**
   * Proportions of the model on its GPUs, in their order, for both models or each: as many numbers from 0 to 1,000,000 as it has GPUs.
   * Default: by the memory that is left there.
   */
  tensorSplit?: readonly number[] | Partial<Record<LaneName, readonly number[]>>;
  /** The GPU that has all of the model, by its place among them, 0 to 15, for both models or each. It implies `splitMode: 'none'`. */
  mainGpu?: number | Partial<Record<LaneName, number>>;
  /**
   * Keeps the experts of a mixture-of-experts model on the host: all with `true`, or of so many layers from the first on, 0 to 100,000; for
   * both models or each. Default false. It has no effect on other models.
   */
  cpuMoe?: boolean | number | Partial<Record<LaneName, boolean | number>>;
  /**
   * Weights that are elsewhere than the rest of their layers, at most 64, for both models or each; the first pattern that is found in a
   * weight's name decides, and `cpuMoe` comes after them. Patterns are simple regular expressions: nothing that repeats is inside of
   * something that does, and what could take long to match is refused. Rejects with ERR_DEVICE_UNSUITABLE for a device that the model may
   * not use or that cannot compute with such a weight, and for a pattern that is in no name.
   */
  overrideTensors?: readonly TensorOverride[] | Partial<Record<LaneName, readonly TensorOverride[]>>;
  /**
   * Whether what models find likeliest is computed where their output layers are, so that logits stay on a GPU but for those of which more
   * is wanted (sampling, `logitBias`, the entropy, distributions). Default false, because it has not run on a GPU yet. The same as the
   * host would find, within 1e-5, but for exact ties. On a CPU it works and is slower. Where a device cannot, the host does it:
   * `models.base.deviceTop1` tells.
   */
  deviceTop1?: boolean;
  /**
   * Fills passes up to a few numbers of tokens with dummies that nobody reads, so that llama.cpp uses its last graph again. Default false.
   * It has an effect with `deviceTop1` alone, and where sequences share one cache, which takes places for the dummies. It may pay on a GPU
   * (docs/gpu.md), and never does on a CPU.
   */
  padPasses?: boolean;
  /**
   * CPU threads for each model, 1 to 512. Default: the cores that this process may use, by affinity and by a container's CPU quota, fewer
   * for a small model, whose threads would wait for each other on a busy machine.
   */
  threads?: number;
  /**
   * Tokens of prompt and answer together, for both models or each. Default: what the model was trained with, at most 4096. `auto`: what it
   * was trained with, or as much of that as fits into memory beside the weights of both models, but at least 256 tokens; what does not fit
   * is cut to the same length for both.
   */
  context?: number | 'auto' | Partial<Record<LaneName, number | 'auto'>>;
  /**
   * Type of the KV caches, for both models or each. Default `f16`. `q8_0` takes 53 % of that, `q4_0` 28 %; the quantised types need
   * attention heads of a multiple of 32 numbers, and change what the model says a little.
   */
  kvCache?: KvCacheType | Partial<Record<LaneName, KvCacheType>>;
  /**
   * Requests that decode together, 1 to 256; others wait their turn. Each takes a KV cache, used or not. `auto` (default): up to 4, as many
   * as fit into half of the memory that one leaves free; `context` goes first. {@link Nudging.parallel} says how many there are.
   */
  parallel?: number | 'auto';
  /** Most tokens in one decode call, 1 to 65536. Default 512. */
  batch?: number;
  /** Requests that may wait for a place, 0 to 1,000,000,000; further ones fail at once with ERR_BUSY. Default 1024. */
  maxQueue?: number;
  /**
   * Whether both models decode at the same time, and the aligned model drafts on while the base is busy. Default: if one of them runs on a
   * GPU; on a CPU they would take each other's cores. Where one GPU has both, several requests at once gain from it, and a single one was
   * faster without (docs/gpu.md). It never changes which rules apply; as for `speculation`, a tie may go otherwise
   * where the engine is not {@link Nudging.deterministic}.
   */
  overlap?: boolean;
  /**
   * Whether a request gives the same bits (decisions and probabilities) alone and beside any others, with or without speculation, overlap
   * and shared prefixes, after parking, and for any number of threads, on one machine with one build. Default: where it can be had, which
   * is on CPUs with nearly all architectures ({@link Nudging.deterministic} says whether it is so). `true` rejects with
   * ERR_NOT_DETERMINISTIC where it cannot; `false` takes llama.cpp's own kernels, which are seldom faster (docs/determinism.md).
   */
  deterministic?: boolean;
  /**
   * Whether attention is computed in tiles, without a matrix of all scores, for both models or each. `auto` (default): yes where the engine
   * is deterministic, which has a kernel of its own, on a GPU, with a quantised `kvCache` (which needs it), and for contexts up to 512
   * tokens; else no, because llama.cpp's own kernel for CPUs takes twice as long from some hundred tokens on. Either way is deterministic,
   * each with its own bits; without it, sequences do not share prefixes then.
   */
  flashAttention?: boolean | 'auto' | Partial<Record<LaneName, boolean | 'auto'>>;
  /**
   * Runs the engine in a process of its own, behind the same API. Default false. What would end this process (a failed check inside
   * llama.cpp, a fault in a GPU driver, the system's out-of-memory killer) then rejects that engine's requests with ERR_ENGINE_CRASHED, and
   * the next request starts another process and loads the models again. Its price is in docs/isolation.md. The process gets this one's
   * environment (without a debugger's options) and working directory, and ends with it.
   */
  isolate?: boolean;
  /**
   * Which of llama.cpp's extra CPU buffers the weights may be put into: `'all'` (default) that this machine has, `'plain'`: none, or a list
   * of names. They copy the weights and are faster. `NUDGING_CPU_BUFFERS` (a name, or several with commas) holds where the option is
   * missing. Upper and lower case are the same. Whatever is chosen, a buffer whose kernels give wrong answers here is left out, with a
   * warning.
   */
  cpuBuffers?: 'all' | 'plain' | readonly CpuBuffer[];
  /**
   * Whether weights may be pages of the model's file, as llama.cpp has them where it can. Default true: nothing is copied, and processes
   * share them. But a file that is cut or overwritten in place then ends the process with SIGBUS. `false` reads the weights into memory of
   * their own, and the file is not needed any more (docs/model-files.md).
   */
  mmap?: boolean;
  /** Called as models are downloaded and weights are read. What it throws ends the loading, and `load` rejects with it. */
  onProgress?: (progress: LoadProgress) => void;
  /**
   * Called for each warning while loading. Default: `process.emitWarning`, which prints it once with the type `NudgingWarning`. What it
   * throws ends the loading, as for `onProgress`.
   */
  onWarning?: (warning: NudgingWarning) => void;
  /** Gives up loading; `load` then rejects with the signal's reason. */
  signal?: AbortSignalLike;
}

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

declare global {
  // `AnswerStream` and `Nudging` have such a method, and every supported runtime has the symbol. Compilers know of it only by `lib:
  // esnext.disposable` or @types/node, which declare the same: declarations of a user without either would not compile.
  interface SymbolConstructor {
    readonly asyncDispose: unique symbol;
  }
}
