import { availableParallelism, freemem } from 'node:os';
import { onAbort } from './abort.ts';
import { Dispatcher } from './dispatcher.ts';
import { NudgingError, rememberCaller, type ErrorCode } from './errors.ts';
import { loadNative, type NativeEngine, type NativeEngineOptions, type NativeGeneration, type NativeInspected } from './native.ts';
import { check, generateRules, isObject, loadRules, reject } from './options.ts';
import { demoPair, readPair, type Pair } from './pair.ts';
import { promptFor, readQuestion } from './prompts.ts';
import { abortedAtOnce } from './stats.ts';
import { AnswerStream } from './stream.ts';
import type { Answer, GenerateOptions, Input, Inspected, Inspection, LaneName, LoadOptions, Mode, ModelInfo } from './types.ts';

type Settings = Omit<GenerateOptions, 'signal'>;

/** What a generation does unless it, the pair or the engine says otherwise. */
export const defaults = { mode: 'nudge', gamma: 0.4, lookahead: 16, maxTokens: 256, stop: [], repeatLimit: 0, speculation: true, trace: 'rounds' } as const satisfies Settings;

/**
 * A base and an aligned model that answer together.
 *
 * ```ts
 * await using nudging = await Nudging.load();
 * for await (const piece of nudging.stream('What is a harbor?')) process.stdout.write(piece.text);
 * ```
 */
export class Nudging implements AsyncDisposable {
  /** What was loaded. */
  readonly models: Readonly<Record<LaneName, ModelInfo>>;
  readonly #engine: NativeEngine;
  readonly #dispatcher: Dispatcher;
  readonly #settings: Settings;
  #closing: Promise<void> | undefined;

  private constructor(engine: NativeEngine, dispatcher: Dispatcher, models: Record<LaneName, ModelInfo>, settings: Settings) {
    this.#engine = engine;
    this.#dispatcher = dispatcher;
    this.#settings = settings;
    this.models = models;
  }

  /**
   * Loads two models and starts their engine.
   *
   * @param source the path of a pair's manifest, or options; by default the small demo pair that comes with the package
   * @throws NudgingError ERR_INVALID_OPTION, ERR_PAIR_INVALID, ERR_NATIVE_LOAD, ERR_MODEL_UNREADABLE, ERR_MODEL_INVALID, ERR_MODEL_UNSUPPORTED,
   *   ERR_CONTEXT_TOO_LARGE, ERR_OUT_OF_MEMORY; rejects with the signal's reason if `signal` is aborted
   */
  static async load(source: string | LoadOptions = {}): Promise<Nudging> {
    const failure = rememberCaller(Nudging.load);
    // Copies are checked and used, because a property may answer differently the next time.
    const given: LoadOptions = typeof source === 'string' ? { pair: source } : isObject(source) ? { ...source } : source;
    check(given, loadRules);
    const { pair: manifest, base: basePath, aligned: alignedPath, gpuLayers, threads, context, parallel, batch, onProgress, signal, ...own } = given;
    signal?.throwIfAborted();
    if (manifest === undefined && (basePath === undefined) !== (alignedPath === undefined)) {
      const missing = basePath === undefined ? 'base' : 'aligned';
      reject(missing, undefined, `the path of the ${missing} model, to go with the other one`);
    }

    const withoutManifest = manifest === undefined && basePath !== undefined && alignedPath !== undefined;
    const pair: Pair = withoutManifest ? { base: basePath, aligned: alignedPath } : await readPair(manifest ?? demoPair);
    const { name, description, base, aligned, ...fromPair } = { ...pair, ...defined({ base: basePath, aligned: alignedPath }) };

    const perLane = <T extends number | string>(value: T | Partial<Record<LaneName, T>> | undefined, lane: LaneName) => (typeof value === 'object' ? value[lane] : value);
    const lane = (path: string, of: LaneName) => {
      const length = perLane(context, of) ?? 0;
      return { path, gpuLayers: perLane(gpuLayers, of) ?? -1, context: length === 'auto' ? -1 : length };
    };
    const options: NativeEngineOptions = {
      base: lane(base, 'base'),
      aligned: lane(aligned, 'aligned'),
      threads: threads ?? 0,
      // Unlike the number that C++ can ask for, this one respects CPU affinity.
      cores: availableParallelism(),
      parallel: parallel ?? 1,
      batch: batch ?? 512,
      hostMemory: process.availableMemory?.() ?? freemem(),
    };
    if (options.batch < options.parallel) reject('batch', options.batch, `at least \`parallel\` (${options.parallel}): every request may need a place in the same decode call`);

    const native = loadNative();
    const dispatcher = new Dispatcher(onProgress);
    const engine = new native.NativeEngine(options, dispatcher.dispatch);
    const abort = () => engine.close(true);
    signal?.addEventListener('abort', abort, { once: true });
    try {
      const models = await dispatcher.loaded;
      return new Nudging(engine, dispatcher, models, { ...defaults, ...fromPair, ...defined(own) });
    } catch (reason) {
      engine.close(true);
      await dispatcher.closed;
      signal?.throwIfAborted();
      const { code, message } = reason as { code: ErrorCode; message: string };
      throw failure(code, message);
    } finally {
      signal?.removeEventListener('abort', abort);
    }
  }

  /**
   * Answers, and returns when the answer is complete. Aborting `signal` resolves with what there is and `stopReason: 'aborted'`.
   *
   * @throws NudgingError ERR_INVALID_OPTION, ERR_CLOSED, ERR_PROMPT_EMPTY, ERR_PROMPT_TOO_LONG, ERR_TEMPLATE_MISSING, ERR_TEMPLATE_FAILED, ERR_DECODE_FAILED,
   *   ERR_MODEL_INVALID (a vocabulary that cannot express the prompt), ERR_OUT_OF_MEMORY
   */
  async generate(input: Input, options?: GenerateOptions): Promise<Answer> {
    return this.#start(input, options, this.generate).answer;
  }

  /**
   * Answers piece by piece, as soon as each is certain: nothing that was shown is taken back. The call itself throws for wrong options; failures
   * after that reject the iteration and `answer` with the errors of {@link generate}.
   */
  stream(input: Input, options?: GenerateOptions): AnswerStream {
    return this.#start(input, options, this.stream);
  }

  #start(input: Input, options: GenerateOptions | undefined, caller: (...args: never[]) => unknown): AnswerStream {
    const failure = rememberCaller(caller);
    this.#mustBeOpen();
    const { question, settings, signal } = this.#read(input, options);
    const mode: Mode = settings.mode ?? defaults.mode;
    const stop = settings.stop ?? defaults.stop;

    let id = 0;
    const cancel = () => this.#engine.cancel(id);
    const stream = new AnswerStream(cancel, failure);
    const request: Omit<NativeGeneration, 'id'> = {
      mode,
      gamma: settings.gamma ?? defaults.gamma,
      lookahead: settings.lookahead ?? defaults.lookahead,
      repeatLimit: settings.repeatLimit ?? defaults.repeatLimit,
      maxTokens: settings.maxTokens ?? defaults.maxTokens,
      stop: typeof stop === 'string' ? [stop] : [...stop],
      trace: settings.trace === 'full',
      guesses: guessesOf(settings.speculation ?? defaults.speculation),
      ...(mode !== 'aligned' ? { base: promptFor('base', question, settings) } : {}),
      ...(mode !== 'base' ? { aligned: promptFor('aligned', question, settings) } : {}),
    };
    if (signal?.aborted) {
      stream.finished(abortedAtOnce);
      return stream;
    }

    id = this.#dispatcher.add(stream);
    try {
      this.#engine.submit({ id, ...request });
    } catch (error) {
      this.#dispatcher.remove(id);
      // What the checks above let pass, such as an array that changes while it is read.
      throw new NudgingError('ERR_INVALID_OPTION', (error as Error).message, { option: 'input', value: input });
    }
    if (signal) {
      const forget = onAbort(signal, cancel);
      stream.answer.then(forget, forget);
    }
    return stream;
  }

  /**
   * Asks one model one question from nothing, with no cache: what comes after this prompt, text and tokens? For replaying a trace and for finding out
   * why an answer went as it did. Slow by design.
   *
   * @throws as {@link generate}
   */
  async inspect(inspection: Inspection): Promise<Inspected> {
    const failure = rememberCaller(this.inspect);
    this.#mustBeOpen();
    const { lane, input, text = '', tokens = [] } = inspection;
    if (lane !== 'base' && lane !== 'aligned') reject('lane', lane, '"base" or "aligned"');
    const { question, settings } = this.#read(input, undefined);
    const prompt = promptFor(lane, question, settings);
    const event = await new Promise<NativeInspected>((resolve, fail) => {
      const id = this.#dispatcher.add({
        pieces: () => {},
        finished: (result) => (result.type === 'inspected' ? resolve(result) : fail(failure('ERR_CLOSED', 'the inspection was aborted'))),
        failed: (code, message) => fail(failure(code, message)),
      });
      this.#engine.submit({ id, lane, prompt, text, tokens: [...tokens] });
    });
    return { ...event.top1, context: event.context };
  }

  /** Waits for what runs, then frees both models. Idempotent; later calls of other methods throw or reject with ERR_CLOSED. */
  close(): Promise<void> {
    if (!this.#closing) {
      this.#engine.close(false);
      this.#closing = this.#dispatcher.closed;
    }
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #mustBeOpen(): void {
    if (this.#closing) throw new NudgingError('ERR_CLOSED', 'this engine is closed: load another one');
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
    const { signal, ...settings } = { ...this.#settings, ...defined(inline), ...defined(given ?? {}) } as GenerateOptions;
    return { question: readQuestion(input), settings: settings as Settings, signal };
  }
}

function guessesOf(speculation: boolean | number): number {
  return typeof speculation === 'number' ? speculation : speculation ? -1 : 0;
}

/** Without the properties that are undefined, so that they do not hide a default. */
function defined<T extends object>(options: T): Partial<T> {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as Partial<T>;
}
