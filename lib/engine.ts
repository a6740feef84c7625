import { onAbort, throwIfAborted } from './abort.ts';
import { defaults, settingsIn, type Settings } from './defaults.ts';
import { CallbackFailure, Dispatcher, type LoadedEngine, type LoadFailure, type Sink } from './dispatcher.ts';
import { buffersFor, engineOptions } from './engine-options.ts';
import { NudgingError, rememberCaller, type ErrorCode } from './errors.ts';
import { generationOf } from './generation.ts';
import { requireHere } from './here.ts';
import { refuseChain } from './isolate/chain.ts';
import { Fitting } from './fitting.ts';
import { modelFiles } from './hub/load.ts';
import { isText, readCountable, readInput } from './input.ts';
import { IsolatedEngine } from './isolate/engine.ts';
import { mustBeIsolated } from './isolate/needed.ts';
import { harmfulBuffers } from './kernels.ts';
import {
  loadNative,
  type NativeEngine,
  type NativeCounted,
  type NativeCounting,
  type NativeGeneration,
  type NativeInspection,
} from './native.ts';
import { inContext } from './in-context.ts';
import { mustHaveReference, promptedAs, referenceLane, type Models } from './lanes.ts';
import { logitsOf } from './logits.ts';
import {
  abortSignal,
  check,
  flag,
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
import { promptFor } from './prompts.ts';
import { compareAll, connectAll, describeServer, filesOf, remoteLanes } from './remote/loading.ts';
import { Remotes } from './remote/remotes.ts';
import { samplingOf } from './sampling.ts';
import { abortedAtOnce } from './stats.ts';
import { AnswerStream, Arriving } from './stream.ts';
import { modelName, observedLoad } from './telemetry/load.ts';
import type { ObservedEngine } from './telemetry/messages.ts';
import { ObservedRequest, observedRefusal } from './telemetry/request.ts';
import { templateVariables } from './template-options.ts';
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
  ServerState,
  TextToken,
} from './types.ts';

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

    const options = await withPair(given);
    const { base, aligned, otherModels, reference, rpcServers, cpuBuffers, onProgress, onWarning, signal } = options;
    const settings = settingsIn(options);
    const isolated = mustBeIsolated(options.isolate, rpcServers);
    const named = { base, aligned, ...(reference === undefined ? {} : { [referenceLane]: reference }), ...otherModels };
    const files = await modelFiles(filesOf(named), { onProgress, signal }, remoteLanes(named));
    observed.model = modelName(files);
    throwIfAborted(signal);
    const remotes = new Remotes(named);
    const servers = await connectAll(remotes, signal);
    if (settings.mode === 'proxy-tuning') mustHaveReference(reference);
    if (settings.inContextPrompt !== undefined) inContext(settings.inContextPrompt);

    const allowed = buffersFor(given.cpuBuffers, cpuBuffers);
    const harmful = (allowed?.length === 0 ? [] : await harmfulBuffers()).filter(({ buffer }) => allowed?.includes(buffer) ?? true);
    throwIfAborted(signal);
    const native = engineOptions(options, files, servers, { allowed, harmful: harmful.map(({ buffer }) => buffer) });

    // Isolated, this process does not even load the addon.
    const EngineClass = isolated ? IsolatedEngine : loadNative().NativeEngine;
    const dispatcher = new Dispatcher(onProgress, onWarning, observed, remotes);
    for (const { message } of harmful) dispatcher.warn({ code: 'WARN_KERNEL_DISABLED', message });
    const engine = new EngineClass(native, dispatcher.dispatch);
    remotes.engine = engine;
    const forget = signal && onAbort(signal, () => engine.close(true));
    try {
      const loaded = await dispatcher.loaded;
      // The signal may have come too late to end the loading; the engine is closing then.
      throwIfAborted(signal);
      logitsOf(settings, loaded.models);
      for (const { name, model } of remotes.lanes) describeServer(loaded.models[name], model);
      const nudging = new Nudging(engine, dispatcher, loaded, { ...defaults, ...settings }, options.maxQueue ?? defaultMaxQueue, remotes);
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
    const { question, settings, signal } = readInput(input, options, this.settings);
    const generation = generationOf(question, settings, this.models);
    const { lanes, prompts } = generation;
    const { maxTokens, timeout = 0 } = generation.settings;

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
    const arriving = new Arriving(remote, failure, generation.arriving);
    const began = performance.now();
    const observe = () => {
      const asked = { mode: generation.mode, kind: question.kind, streams, options: generation.settings, began };
      return ObservedRequest.begin(this.#dispatcher.observed, asked);
    };
    const timeLeft = () => timeout - (performance.now() - began);
    const request: Omit<NativeGeneration, 'id'> = { ...generation.request, streams, ...prompts(question) };
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
          count: (chat, sink) => submit({ count: prompts(chat), plain: false, ...(request.guard ? { guard: request.guard } : {}) }, sink),
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
    const { prompt, signal } = readCountable(input, lane, others, this.settings);
    const { tokens } = await this.#count({ count: { [lane]: prompt }, plain: isText(input) }, signal, failure);
    return tokens[Object.keys(this.models).indexOf(lane)] ?? 0;
  }

  #count(
    counting: Omit<NativeCounting, 'id'>,
    signal: AbortSignalLike | undefined,
    failure: ReturnType<typeof rememberCaller>,
  ): Promise<NativeCounted> {
    return this.#ask(counting, signal, failure, (result) => (result.type === 'counted' ? result : 'the count was aborted'));
  }

  /**
   * Submits a request that has one answer and no pieces.
   *
   * @param read the answer in how it ended, or why there is none
   */
  async #ask<T extends object>(
    request: Omit<NativeCounting, 'id'> | Omit<NativeInspection, 'id'>,
    signal: AbortSignalLike | undefined,
    failure: ReturnType<typeof rememberCaller>,
    read: (result: Parameters<Sink['finished']>[0]) => T | string,
  ): Promise<T> {
    throwIfAborted(signal);
    this.#mustHaveRoom(failure);
    let forget: (() => void) | undefined;
    return await new Promise<T>((resolve, fail) => {
      const id = this.#dispatcher.add({
        arrived: () => {},
        finished: (result) => {
          const answer = read(result);
          if (typeof answer === 'string') fail(failure('ERR_CLOSED', answer));
          else resolve(answer);
        },
        failed: (code, message) => fail(failure(code, message)),
      });
      this.#engine.submit({ id, ...request } as NativeCounting | NativeInspection);
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
    const { question, settings } = readInput(input, undefined, this.settings);
    const prompt = promptFor(promptedAs(lane, question, this.models), question, settings);
    const asked = {
      lane: lanes.indexOf(lane),
      prompt,
      text,
      tokens: [...tokens],
      sampling: samplingOf({ ...sampling, seed: sampling.seed ?? 0 }),
      ...logits,
      candidates,
      ...(scores ? { scores } : {}),
    };
    const event = await this.#ask(asked, signal, failure, (result) =>
      result.type === 'inspected' ? result : 'the inspection was aborted',
    );
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

  /**
   * The servers that this engine asks, by the names of their models' lanes, and whether they answer: each is asked for its health, at most
   * about once a second.
   */
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
}
