import { availableCores } from '../scripts/lib/cores.mjs';
import { onAbort, throwIfAborted } from './abort.ts';
import { CallbackFailure, Dispatcher, type LoadedEngine, type LoadFailure, type Sink } from './dispatcher.ts';
import { NudgingError, rememberCaller, type ErrorCode } from './errors.ts';
import { requireHere } from './here.ts';
import { hostMemory } from './host-memory.ts';
import { refuseChain } from './isolate/chain.ts';
import { Fitting } from './fitting.ts';
import { modelFiles } from './hub/load.ts';
import { IsolatedEngine } from './isolate/engine.ts';
import { mustBeIsolated } from './isolate/needed.ts';
import { allowedBuffers, buffersFromEnvironment, cpuBufferNames, harmfulBuffers } from './kernels.ts';
import { nativeGuard } from './native-guard.ts';
import {
  loadNative,
  type NativeEngine,
  type NativeEngineOptions,
  type NativeCounted,
  type NativeCounting,
  type NativeGeneration,
  type NativeInspected,
  type NativePrompt,
} from './native.ts';
import { inContext } from './in-context.ts';
import {
  lanesAsked,
  lanesOf,
  mustBeAsInPaper,
  mustHaveReference,
  promptedAs,
  promptsFor,
  referenceLane,
  weightsOf,
  type Models,
} from './lanes.ts';
import { logitDefaults, logitsOf } from './logits.ts';
import { mustBeUsed } from './mode-options.ts';
import { baseEndsAlone, nextQuestion } from './next-question.ts';
import {
  abortSignal,
  check,
  cpuBuffersRule,
  defined,
  flag,
  generateRules,
  integer,
  isObject,
  listOf,
  loadRules,
  logitRules,
  oneOf,
  reject,
  samplingRules,
  text as textRule,
} from './options.ts';
import { withPair } from './pair.ts';
import { placementOf } from './placement.ts';
import { lastQuestion, promptFor, readQuestion, type Question } from './prompts.ts';
import { compareAll, connectAll, describeServer, filesOf, remoteLanes, serverLength } from './remote/loading.ts';
import { Remotes } from './remote/remotes.ts';
import { mustSuitRemote } from './remote/suits.ts';
import { resolvedRule } from './rule.ts';
import { isTokenRule } from './token-rules.ts';
import { defaultRpcTimeout } from './rpc/endpoints.ts';
import { samplingDefaults, samplingOf } from './sampling.ts';
import { RiskMeter, tellsSignals } from './signals.ts';
import { abortedAtOnce } from './stats.ts';
import { AnswerStream, Arriving } from './stream.ts';
import { modelName, observedLoad } from './telemetry/load.ts';
import type { ObservedEngine } from './telemetry/messages.ts';
import { ObservedRequest, observedRefusal } from './telemetry/request.ts';
import { templateVariables } from './template-options.ts';
import { marksOf, ThinkingSplitter } from './thinking.ts';
import type {
  AbortSignalLike,
  Answer,
  Countable,
  GenerateOptions,
  Input,
  Inspected,
  Inspection,
  LaneName,
  LoadOptions,
  Mode,
  ServerState,
  TextToken,
} from './types.ts';

type Settings = Omit<GenerateOptions, 'signal'>;

/** What a generation does unless it, the pair or the engine says otherwise. `stop` is not here: its default depends on mode and prompt. */
export const defaults = {
  mode: 'nudge',
  alpha: 1,
  gamma: 0.4,
  rule: 'top1',
  lookahead: 16,
  maxTokens: 256,
  repeatLimit: 0,
  endRule: 'aligned',
  endCertainty: 0.9,
  shortDrafts: 'accept',
  lead: 0,
  punctuation: 'aligned',
  guard: false,
  sealBasePrompt: true,
  speculation: true,
  trace: 'rounds',
  highWaterMark: 64,
  ...samplingDefaults,
  ...logitDefaults,
} as const satisfies Settings;

/** Requests that may wait for a place, unless `maxQueue` says otherwise. */
const defaultMaxQueue = 1024;

/**
 * A base and an aligned model that answer together.
 *
 * ```ts
 * const nudging = await Nudging.load();
 * for await (const piece of nudging.stream('What is a harbor?')) process.stdout.write(piece.text);
 * await nudging.close();
 * ```
 *
 * It is an `AsyncDisposable`.
 */
export class Nudging {
  // Not declared by `implements`: not every user's compiler knows that interface.
  /** What was loaded: `base`, `aligned`, `reference` if there is one, and whatever `otherModels` named. */
  readonly models: Models;
  /** Requests that decode together; others wait their turn. */
  readonly parallel: number;
  /** Requests that may wait for a place. */
  readonly maxQueue: number;
  /** Whether a request gives the same bits whatever runs beside it; see {@link LoadOptions.deterministic}. */
  readonly deterministic: boolean;
  /** Why not, where `deterministic: false` was not asked for; undefined otherwise. */
  readonly whyNotDeterministic: string | undefined;
  /** What a generation does that sets nothing itself: by the options and the pair that it was loaded with, and the defaults. */
  readonly settings: Readonly<Omit<GenerateOptions, 'signal'>>;
  readonly #engine: NativeEngine;
  readonly #dispatcher: Dispatcher;
  readonly #remotes: Remotes;
  readonly #mostRequests: number;
  /** Requests that may be submitted again, without their oldest messages. */
  readonly #unplaced = new Set<Promise<void>>();
  #closing: Promise<void> | undefined;

  private constructor(
    engine: NativeEngine,
    dispatcher: Dispatcher,
    loaded: LoadedEngine,
    settings: Settings,
    maxQueue: number,
    remotes: Remotes,
  ) {
    this.#engine = engine;
    this.#remotes = remotes;
    this.#dispatcher = dispatcher;
    this.settings = Object.freeze(settings);
    this.#mostRequests = loaded.parallel + maxQueue;
    this.maxQueue = maxQueue;
    this.models = loaded.models;
    this.parallel = loaded.parallel;
    this.deterministic = loaded.deterministic;
    this.whyNotDeterministic = loaded.whyNotDeterministic || undefined;
  }

  /**
   * Loads two models and starts their engine. Files that another engine of this process has loaded are shared with it. Whether both models,
   * their caches and buffers fit into memory together is found out before anything is allocated.
   *
   * @param source the path of a pair's manifest, or options; by default the small demo pair that comes with the package
   * @throws NudgingError ERR_INVALID_OPTION, ERR_PAIR_INVALID, ERR_NATIVE_LOAD, ERR_MODEL_UNREADABLE, ERR_MODEL_INVALID,
   *   ERR_MODEL_UNSUPPORTED, ERR_TOKEN_UNKNOWN (an id in `logitBias`), ERR_CONTEXT_TOO_LARGE, ERR_KV_CACHE_UNSUPPORTED,
   *   ERR_NOT_DETERMINISTIC, ERR_DEVICE_UNSUITABLE, ERR_OUT_OF_MEMORY (with `needed` and `available`), ERR_ENGINE_CRASHED (with `isolate`);
   *   ERR_RPC_UNREACHABLE, ERR_RPC_VERSION (with `rpcServers`);
   *   ERR_REMOTE_UNREACHABLE, ERR_REMOTE_REFUSED, ERR_REMOTE_PROTOCOL, ERR_REMOTE_TIMEOUT for models on servers;
   *   the codes of {@link HubErrorCode} for models by name; rejects with the signal's reason if `signal` is aborted, and with what
   *   `onProgress` or `onWarning` throws
   */
  static async load(source: string | LoadOptions = {}): Promise<Nudging> {
    return observedLoad((observed) => Nudging.#load(source, observed));
  }

  static async #load(source: string | LoadOptions, observed: ObservedEngine): Promise<Nudging> {
    const failure = rememberCaller(Nudging.load);
    // Copies are checked and used, because a property may answer differently the next time.
    const given: LoadOptions = typeof source === 'string' ? { pair: source } : isObject(source) ? { ...source } : source;
    check(given, loadRules);
    // Its rule lets any object pass: what is wrong with one needs more words.
    if (given.templateOptions !== undefined) templateVariables(given.templateOptions);
    throwIfAborted(given.signal);
    // Before anything looks for a file of the package's.
    requireHere();
    refuseChain(given.isolate === true);
    if (given.pair === undefined && (given.base === undefined) !== (given.aligned === undefined)) {
      const missing = given.base === undefined ? 'base' : 'aligned';
      reject(missing, undefined, `the path of the ${missing} model, to go with the other one`);
    }

    const {
      pair,
      base,
      aligned,
      otherModels,
      reference,
      gpuLayers,
      devices,
      splitMode,
      tensorSplit,
      mainGpu,
      cpuMoe,
      overrideTensors,
      deviceTop1,
      padPasses,
      threads,
      context,
      kvCache,
      parallel,
      batch,
      overlap,
      deterministic,
      flashAttention,
      maxQueue,
      isolate,
      rpcServers,
      rpcTimeout,
      cpuBuffers,
      mmap,
      onProgress,
      onWarning,
      signal,
      ...settings
    } = await withPair(given);
    const isolated = mustBeIsolated(isolate, rpcServers);
    const named = { base, aligned, ...(reference === undefined ? {} : { [referenceLane]: reference }), ...otherModels };
    const files = await modelFiles(filesOf(named), { onProgress, signal }, remoteLanes(named));
    observed.model = modelName(files);
    throwIfAborted(signal);
    const remotes = new Remotes(named);
    const servers = await connectAll(remotes, signal);
    if (settings.mode === 'proxy-tuning') mustHaveReference(reference);
    if (settings.inContextPrompt !== undefined) inContext(settings.inContextPrompt);

    // The environment is this machine's and the pair is made for any.
    const buffers = given.cpuBuffers ?? buffersFromEnvironment() ?? cpuBuffers ?? 'all';
    if (!cpuBuffersRule.check(buffers))
      reject(
        'NUDGING_CPU_BUFFERS',
        process.env['NUDGING_CPU_BUFFERS'],
        `all, plain, or some of ${cpuBufferNames.join(', ')} with commas between them`,
      );
    const allowed = allowedBuffers(buffers);
    const harmful = (allowed?.length === 0 ? [] : await harmfulBuffers()).filter(({ buffer }) => allowed?.includes(buffer) ?? true);
    throwIfAborted(signal);

    const perLane = <T>(value: T | Partial<Record<LaneName, T>> | undefined, lane: string): T | undefined =>
      isObject(value) ? (value as Partial<Record<LaneName, T>>)[lane as LaneName] : value;
    const lane = (path: string, of: string) => {
      const server = servers.get(of);
      const length = server ? serverLength(perLane(context, of), server) : (perLane(context, of) ?? 0);
      const layers = perLane(gpuLayers, of) ?? -1;
      const cache = perLane(kvCache, of) ?? 'f16';
      const attention = perLane(flashAttention, of) ?? 'auto';
      if (attention === false && /^q\d/.test(cache)) reject('flashAttention', false, `true or "auto" for a quantised KV cache (${cache})`);
      const placement = placementOf({
        devices: perLane(devices, of),
        splitMode: perLane(splitMode, of),
        tensorSplit: perLane(tensorSplit, of),
        mainGpu: perLane(mainGpu, of),
        cpuMoe: perLane(cpuMoe, of),
        overrideTensors: perLane(overrideTensors, of),
      });
      if (placement.splitMode === 'tensor' && attention === false)
        reject('flashAttention', false, 'true or "auto" with `splitMode: "tensor"`');
      return {
        name: of,
        path,
        gpuLayers: layers === 'auto' ? -2 : layers,
        context: length === 'auto' ? -1 : length,
        kvCache: cache,
        flashAttention: attention === 'auto' ? -1 : Number(attention),
        placement,
        ...(server ? { remote: true } : {}),
      };
    };
    const options: NativeEngineOptions = {
      lanes: Object.entries(files).map(([of, path]) => lane(path, of)),
      threads: threads ?? 0,
      // Unlike the number that C++ can ask for, this one respects CPU affinity and the quotas of containers.
      cores: availableCores(),
      parallel: parallel === undefined || parallel === 'auto' ? 0 : parallel,
      batch: batch ?? 512,
      overlap: overlap === undefined ? -1 : Number(overlap),
      deterministic: deterministic === undefined ? -1 : Number(deterministic),
      deviceTop1: deviceTop1 ?? false,
      padPasses: padPasses ?? false,
      hostMemory: hostMemory(),
      cpuBuffers: allowed,
      mmap: mmap ?? true,
      harmfulCpuBuffers: harmful.map(({ buffer }) => buffer),
      rpcServers: [...(rpcServers ?? [])],
      rpcTimeout: rpcTimeout ?? defaultRpcTimeout,
    };
    if (options.batch < options.parallel)
      reject('batch', options.batch, `at least \`parallel\` (${options.parallel}): every request may need a place in the same decode call`);

    // Isolated, this process does not even load the addon.
    const EngineClass = isolated ? IsolatedEngine : loadNative().NativeEngine;
    const dispatcher = new Dispatcher(onProgress, onWarning, observed, remotes);
    for (const { message } of harmful) dispatcher.warn({ code: 'WARN_KERNEL_DISABLED', message });
    const engine = new EngineClass(options, dispatcher.dispatch);
    remotes.engine = engine;
    const forget = signal && onAbort(signal, () => engine.close(true));
    try {
      const loaded = await dispatcher.loaded;
      // The signal may have come too late to end the loading; the engine is closing then.
      throwIfAborted(signal);
      logitsOf(settings, loaded.models);
      for (const { name, model } of remotes.lanes) describeServer(loaded.models[name], model);
      const nudging = new Nudging(engine, dispatcher, loaded, { ...defaults, ...settings }, maxQueue ?? defaultMaxQueue, remotes);
      const tokensHere = async (text: string, lane: LaneName) => (await nudging.tokenize(text, { lane })).map(({ token }) => token);
      await compareAll(remotes, servers, loaded.models, tokensHere, signal);
      return nudging;
    } catch (reason) {
      engine.close(true);
      await dispatcher.closed;
      // What the callback threw is the cause, even if it aborted the signal too.
      if (reason instanceof CallbackFailure) throw reason.thrown;
      throwIfAborted(signal);
      if (reason instanceof NudgingError) throw reason;
      const { code, message, ...details } = reason as LoadFailure;
      throw failure(code, message, details);
    } finally {
      forget?.();
    }
  }

  /**
   * Answers, and returns when the answer is complete. Aborting `signal` resolves with what there is and `stopReason: 'aborted'`; `timeout`
   * does the same with `stopReason: 'timeout'`.
   *
   * @throws NudgingError ERR_INVALID_OPTION, ERR_CLOSED, ERR_BUSY, ERR_PROMPT_EMPTY, ERR_PROMPT_TOO_LONG, ERR_TEMPLATE_MISSING,
   *   ERR_TEMPLATE_FAILED, ERR_TOKEN_UNKNOWN, ERR_VOCABULARIES_DIFFER, ERR_DECODE_FAILED, ERR_MODEL_INVALID (a vocabulary that cannot
   *   express the prompt), ERR_OUT_OF_MEMORY, ERR_ENGINE_CRASHED (with `isolate`), ERR_REMOTE_… (with models on servers),
   *   ERR_RPC_UNREACHABLE and ERR_RPC_VERSION (with `rpcServers`, in a process that takes the place of one that ended)
   */
  async generate(input: Input, options?: GenerateOptions): Promise<Answer> {
    const arriving = this.#start(input, options, this.generate, false);
    arriving.wantWhole();
    return arriving.answer;
  }

  /**
   * Answers piece by piece, as soon as each is certain: nothing that was shown is taken back. The call itself throws for wrong options;
   * failures after that reject the iteration and `answer` with the errors of {@link generate}.
   */
  stream(input: Input, options?: GenerateOptions): AnswerStream {
    return new AnswerStream(this.#start(input, options, this.stream, true));
  }

  #start(input: Input, options: GenerateOptions | undefined, caller: (...args: never[]) => unknown, streams: boolean): Arriving {
    return observedRefusal(this.#dispatcher.observed, () => this.#begin(input, options, caller, streams));
  }

  #begin(input: Input, options: GenerateOptions | undefined, caller: (...args: never[]) => unknown, streams: boolean): Arriving {
    const failure = rememberCaller(caller);
    this.#mustBeOpen();
    const { question, settings, signal } = this.#read(input, options);
    const mode: Mode = settings.mode ?? defaults.mode;
    const own = settings.stop ?? (baseEndsAlone({ ...settings, mode }) ? nextQuestion(question, settings.basePrompt) : []);
    const stop = [...(typeof own === 'string' ? [own] : own), ...(mode === 'in-context' ? inContext(settings.inContextPrompt).stop : [])];
    const sampling = samplingOf(settings);
    const { base, aligned, others } = logitsOf(settings, this.models);
    const repeat = base.repeat;
    const lanes = lanesAsked(mode, settings, this.models);
    mustSuitRemote(
      lanes.filter((lane) => this.models[lane]?.remote),
      { settings: { ...settings, mode }, rule: resolvedRule(settings.rule), temperature: sampling.temperature, logits: { base, aligned } },
    );
    if (settings.compat !== undefined) mustBeAsInPaper(mode, settings, lanesOf(mode, settings, this.models));
    const guard = nativeGuard(settings);
    const prompts = (asked: Question) => promptsFor(lanes, asked, settings, this.models, others);

    let id = 0;
    let cancelled = false;
    const engine = this.#engine;
    const remote = {
      cancel: () => {
        cancelled = true;
        engine.cancel(id);
      },
      park: (parked: boolean) => engine.park(id, parked),
    };
    const marks = marksOf(settings.thinking);
    const gamma = settings.gamma ?? defaults.gamma;
    const rule = resolvedRule(settings.rule);
    const signals = tellsSignals(mode, settings.signals, rule) ? settings.signals : undefined;
    const lookahead = settings.lookahead ?? defaults.lookahead;
    const arriving = new Arriving(remote, failure, {
      highWaterMark: settings.highWaterMark ?? defaults.highWaterMark,
      seed: sampling.temperature > 0 ? sampling.seed : undefined,
      meter: signals && new RiskMeter(),
      splitter: marks && new ThinkingSplitter(marks),
      others: Object.keys(this.models).slice(2),
      decidedBy: settings.trace === 'full' && mode === 'nudge' && !isTokenRule(rule) ? { rule, gamma, lookahead } : undefined,
      asked: { question: lastQuestion(question), gamma, rule, mode },
    });
    const maxTokens = settings.maxTokens ?? defaults.maxTokens;
    const timeout = settings.timeout ?? 0;
    const began = performance.now();
    const observe = () => {
      const asked = { mode, kind: question.kind, streams, options: { ...settings, gamma, lookahead, maxTokens }, began };
      return ObservedRequest.begin(this.#dispatcher.observed, asked);
    };
    const timeLeft = () => timeout - (performance.now() - began);
    const request: Omit<NativeGeneration, 'id'> = {
      // The base does not know by what it learns.
      mode: mode === 'in-context' ? 'base' : mode,
      ...(mode === 'ensemble' ? { weights: weightsOf(settings, this.models) } : {}),
      ...(mode === 'proxy-tuning'
        ? { alpha: settings.alpha ?? defaults.alpha, reference: Object.keys(this.models).indexOf(referenceLane) }
        : {}),
      ...(settings.unit === undefined ? {} : { unit: settings.unit }),
      ...(settings.compat === undefined ? {} : { asInPaper: true }),
      gamma,
      rule,
      lookahead,
      repeatLimit: settings.repeatLimit ?? defaults.repeatLimit,
      endRule: settings.endRule ?? defaults.endRule,
      endCertainty: settings.endCertainty ?? defaults.endCertainty,
      checkShortDrafts: (settings.shortDrafts ?? defaults.shortDrafts) === 'check',
      lead: settings.lead ?? defaults.lead,
      keepPunctuation: (settings.punctuation ?? defaults.punctuation) === 'aligned',
      ...(signals ? { signals } : {}),
      ...(guard ? { guard } : {}),
      maxTokens,
      stop,
      ...(marks ? { thinking: marks } : {}),
      whole: settings.fit !== undefined,
      trace: settings.trace === 'full',
      streams,
      guesses: guessesOf(settings.speculation ?? defaults.speculation),
      timeout,
      sampling,
      ...(repeat ? { repeat } : {}),
      ...(lanes.includes('base') && base.biases ? { baseBiases: base.biases } : {}),
      ...(lanes.includes('aligned') && aligned.biases ? { alignedBiases: aligned.biases } : {}),
      ...prompts(question),
    };
    if (signal?.aborted) {
      arriving.observer = observe();
      arriving.finished(abortedAtOnce);
      return arriving;
    }

    this.#mustHaveRoom(failure);
    const submit = (wanted: Omit<NativeGeneration, 'id'> | Omit<NativeCounting, 'id'>, sink: Sink) => {
      id = this.#dispatcher.add(sink);
      try {
        engine.submit({ id, ...wanted });
      } catch (error) {
        this.#dispatcher.remove(id);
        // What the checks above let pass, such as an array that changes while it is read.
        throw new NudgingError('ERR_INVALID_OPTION', (error as Error).message, { option: 'input', value: input });
      }
    };
    if (settings.fit === undefined) {
      submit(request, arriving);
    } else {
      const { placed } = new Fitting(
        question,
        {
          // The first time, the prompts are there.
          generate: (chat, sink) =>
            submit(
              chat === question
                ? request
                : { ...request, ...prompts(chat), timeout: timeout === 0 ? 0 : Math.max(1, Math.ceil(timeLeft())) },
              sink,
            ),
          count: (chat, sink) => submit({ count: prompts(chat), plain: false }, sink),
          fits: ({ tokens }) =>
            lanes.every((lane) => (tokens[Object.keys(this.models).indexOf(lane)] ?? 0) + maxTokens <= (this.models[lane]?.context ?? 0)),
          over: () => (cancelled ? 'aborted' : timeout > 0 && timeLeft() <= 0 ? 'timeout' : undefined),
        },
        arriving,
      );
      this.#unplaced.add(placed);
      void placed.then(() => this.#unplaced.delete(placed));
    }
    arriving.observer = observe();
    if (signal) {
      const forget = onAbort(signal, remote.cancel);
      arriving.answer.then(forget, forget);
    }
    return arriving;
  }

  /**
   * Counts the tokens that an input is for one model. Of what {@link generate} takes, these are the tokens of the prompt that the same
   * options would give, BOS and template included: with an answer's tokens they make up the context. `{ text }` is a text by itself,
   * without any prompt around it. Nothing is decoded, no place is taken, and a prompt may be longer than the context. Long texts are
   * tokenised on a thread of their own.
   *
   * @param options `lane`: which model's tokens; the rest as for {@link generate}, as far as prompts depend on it
   * @throws as {@link generate}, but not for the prompt's length; rejects with the signal's reason if `signal` is aborted
   */
  async countTokens(input: Countable, options: { lane: LaneName } & GenerateOptions): Promise<number> {
    const failure = rememberCaller(this.countTokens);
    this.#mustBeOpen();
    if (!isObject(options)) reject('options', options, 'an object with `lane`');
    const { lane, ...others } = options;
    if (lane !== 'base' && lane !== 'aligned') reject('lane', lane, '"base" or "aligned"');
    const { prompt, signal } = this.#readCountable(input, lane, others);
    const { tokens } = await this.#count({ count: { [lane]: prompt }, plain: isText(input) }, signal, failure);
    return tokens[Object.keys(this.models).indexOf(lane)] ?? 0;
  }

  async #count(
    counting: Omit<NativeCounting, 'id'>,
    signal: AbortSignalLike | undefined,
    failure: ReturnType<typeof rememberCaller>,
  ): Promise<NativeCounted> {
    throwIfAborted(signal);
    this.#mustHaveRoom(failure);
    let forget: (() => void) | undefined;
    return await new Promise<NativeCounted>((resolve, fail) => {
      const id = this.#dispatcher.add({
        arrived: () => {},
        finished: (result) => (result.type === 'counted' ? resolve(result) : fail(failure('ERR_CLOSED', 'the count was aborted'))),
        failed: (code, message) => fail(failure(code, message)),
      });
      this.#engine.submit({ id, ...counting });
      forget = signal && onAbort(signal, () => this.#engine.cancel(id));
    })
      .finally(() => forget?.())
      .catch((reason: unknown) => {
        throwIfAborted(signal);
        throw reason;
      });
  }

  /**
   * The tokens of a text in one model's vocabulary, by itself: no BOS, and nothing in it is a control token. Nothing is decoded, and no
   * place is taken.
   *
   * @throws NudgingError ERR_INVALID_OPTION, ERR_CLOSED, ERR_BUSY, ERR_PROMPT_TOO_LONG (2 MiB without a place to cut), ERR_MODEL_INVALID,
   *   ERR_OUT_OF_MEMORY, ERR_ENGINE_CRASHED; rejects with the signal's reason if `signal` is aborted
   */
  async tokenize(text: string, options: { lane: LaneName; signal?: AbortSignalLike }): Promise<TextToken[]> {
    check({ text }, { text: textRule }, 'text');
    return this.#list(text, [], options, rememberCaller(this.tokenize));
  }

  /**
   * What tokens of one model's vocabulary show, one behind the other. Control tokens show nothing.
   *
   * @throws as {@link tokenize}, and ERR_TOKEN_UNKNOWN for a token that the vocabulary does not have
   */
  async detokenize(tokens: readonly number[], options: { lane: LaneName; signal?: AbortSignalLike }): Promise<Uint8Array> {
    check({ tokens }, { tokens: listOf(integer(0, 2 ** 31 - 1)) }, 'tokens');
    const listed = await this.#list('', [...tokens], options, rememberCaller(this.detokenize));
    const bytes = new Uint8Array(listed.reduce((sum, token) => sum + token.bytes.length, 0));
    let at = 0;
    for (const token of listed) {
      bytes.set(token.bytes, at);
      at += token.bytes.length;
    }
    return bytes;
  }

  async #list(
    text: string,
    list: number[],
    options: { lane: LaneName; signal?: AbortSignalLike },
    failure: ReturnType<typeof rememberCaller>,
  ): Promise<TextToken[]> {
    this.#mustBeOpen();
    check(options, { lane: oneOf('base', 'aligned'), signal: abortSignal });
    const { lane, signal } = options;
    if (lane === undefined) reject('lane', lane, '"base" or "aligned"');
    const counted = await this.#count({ count: { [lane]: { segments: [{ text, special: false }] } }, plain: true, list }, signal, failure);
    return counted.listed ?? [];
  }

  /**
   * Asks one model one question from nothing, with no cache: what comes after this prompt, text and tokens? For replaying a trace and for
   * finding out why an answer went as it did. Slow by design. The settings of the engine and of `input` do not sample here: only `sampling`
   * does.
   *
   * @throws as {@link generate}
   */
  async inspect(inspection: Inspection): Promise<Inspected> {
    const failure = rememberCaller(this.inspect);
    this.#mustBeOpen();
    const { lane, input, text = '', tokens = [], sampling = {}, candidates = 0, scores = false, signal } = inspection;
    const lanes = Object.keys(this.models);
    if (!lanes.includes(lane)) reject('lane', lane, lanes.map((name) => `"${name}"`).join(' or '));
    if (this.models[lane]?.remote) reject('lane', lane, 'a model that is loaded here: a server does not say all that an inspection tells');
    check({ candidates, scores, signal }, { candidates: integer(0, 1000), scores: flag, signal: abortSignal }, 'inspection');
    check(sampling, { ...samplingRules, ...logitRules }, 'sampling');
    const logits = logitsOf(sampling, this.models)[lane === 'base' || lane === 'aligned' ? lane : 'others'];
    const { question, settings } = this.#read(input, undefined);
    const prompt = promptFor(promptedAs(lane, question, this.models), question, settings);
    throwIfAborted(signal);
    this.#mustHaveRoom(failure);
    let forget: (() => void) | undefined;
    const event = await new Promise<NativeInspected>((resolve, fail) => {
      const id = this.#dispatcher.add({
        arrived: () => {},
        finished: (result) => (result.type === 'inspected' ? resolve(result) : fail(failure('ERR_CLOSED', 'the inspection was aborted'))),
        failed: (code, message) => fail(failure(code, message)),
      });
      this.#engine.submit({
        id,
        lane: lanes.indexOf(lane),
        prompt,
        text,
        tokens: [...tokens],
        sampling: samplingOf({ ...sampling, seed: sampling.seed ?? 0 }),
        ...logits,
        candidates,
        ...(scores ? { scores } : {}),
      });
      forget = signal && onAbort(signal, () => this.#engine.cancel(id));
    })
      .finally(() => forget?.())
      .catch((reason: unknown) => {
        throwIfAborted(signal);
        throw reason;
      });
    return { ...event.top1, candidates: event.candidates, context: event.context, ...(scores ? { scores: event.scores } : {}) };
  }

  /** Waits for what runs, then frees both models. Idempotent; later calls of other methods throw or reject with ERR_CLOSED. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    // A closing engine takes nothing more, and these may have to come again.
    if (this.#unplaced.size > 0) await Promise.all(this.#unplaced);
    this.#engine.close(false);
    await this.#dispatcher.closed;
  }

  /** The servers that this engine asks, by the names of their models' lanes, and whether they answer now: each is asked for its health. */
  async servers(): Promise<Record<string, ServerState>> {
    const states = this.#remotes.lanes.map(async (lane) => [lane.name, { ...lane.state, answers: await lane.answers() }] as const);
    return Object.fromEntries(await Promise.all(states));
  }

  /** The same as {@link close}, for `await using`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #mustBeOpen(): void {
    if (this.#closing) throw new NudgingError('ERR_CLOSED', 'this engine is closed: load another one');
  }

  #mustHaveRoom(failure: (code: ErrorCode, message: string) => NudgingError): void {
    const requests = this.#dispatcher.size;
    if (requests >= this.#mostRequests)
      throw failure('ERR_BUSY', `${requests} requests run or wait already: try again later, or raise \`maxQueue\` or \`parallel\``);
  }

  #readCountable(
    input: Countable,
    lane: LaneName,
    options: GenerateOptions,
  ): { prompt: NativePrompt; signal: AbortSignalLike | undefined } {
    if (!isText(input)) {
      const { question, settings, signal } = this.#read(input, options);
      return { prompt: promptFor(lane, question, settings), signal };
    }
    check(options, generateRules);
    const { text, ...unknown } = input;
    check(unknown, {}, 'text');
    if (typeof text !== 'string') reject('text', text, 'a string');
    return { prompt: { segments: [{ text, special: false }] }, signal: options.signal };
  }

  /** Splits an input into what is asked and how, and checks both. */
  #read(input: Input, options: GenerateOptions | undefined) {
    let inline: Record<string, unknown> = {};
    if (isObject(input)) {
      const { messages, base, aligned, ...rest } = input as Record<string, unknown>;
      inline = rest;
    }
    check(inline, generateRules);
    const given = isObject(options) ? { ...options } : options;
    if (given !== undefined) check(given, generateRules);
    const own = { ...defined(inline), ...defined(given ?? {}) };
    const { signal, ...settings } = { ...this.settings, ...own } as GenerateOptions;
    mustBeUsed(own, settings);
    const question = readQuestion(input, settings.prefill);
    if (settings.mode !== 'in-context') return { question, settings: settings as Settings, signal };
    if (question.kind === 'raw') reject('mode', settings.mode, '"base" for raw prompts, which have no place for examples');
    const { prompt } = inContext(settings.inContextPrompt, settings.sealBasePrompt);
    return { question, settings: { ...settings, basePrompt: prompt } as Settings, signal };
  }
}

function isText(input: Countable): input is { text: string } {
  return isObject(input) && 'text' in input;
}

function guessesOf(speculation: boolean | number): number {
  return typeof speculation === 'number' ? speculation : speculation ? -1 : 0;
}
