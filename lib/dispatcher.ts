import type { NativeAsked, NativeBegun, NativeCounted, NativeEvent, NativeFinished, NativeInspected } from './native.ts';
import type { ErrorCode } from './errors.ts';
import { isObserved, publish } from './telemetry/channels.ts';
import type { ObservedEngine } from './telemetry/messages.ts';
import type { LoadProgress, ModelInfo, NudgingWarning, Piece, RemoteStats } from './types.ts';

/** Where the events of one request go. */
export interface Sink {
  begun?(event: NativeBegun): void;
  arrived(pieces: Piece[]): void;
  finished(event: NativeFinished | NativeInspected | NativeCounted): void;
  failed(code: ErrorCode, message: string): void;
}

/** Who takes questions to models on other machines. */
export interface Elsewhere {
  asked(event: NativeAsked): void;
  givenUp(call: number): void;
  /** What a request has taken that has ended, by the places of the models. */
  finished(request: number): ReadonlyMap<number, RemoteStats>;
  /** Nothing more is asked, and nobody waits. */
  close(): void;
}

export interface LoadedEngine {
  /** By their lanes' names. */
  models: Record<'base' | 'aligned', ModelInfo> & Record<string, ModelInfo>;
  parallel: number;
  deterministic: boolean;
  /** Empty where it is, or was declined. */
  whyNotDeterministic: string;
}

/** What {@link Dispatcher.loaded} rejects with, unless one of the user's callbacks threw. */
export interface LoadFailure {
  code: ErrorCode;
  message: string;
  needed?: number;
  available?: number;
}

/** What a callback of the user's threw while loading: whatever it is, `load` rejects with it. */
export class CallbackFailure {
  readonly thrown: unknown;

  constructor(thrown: unknown) {
    this.thrown = thrown;
  }
}

/** Where warnings go that nobody asked for. */
export function emitWarning({ code, message }: NudgingWarning): void {
  process.emitWarning(message, { code, type: 'NudgingWarning' });
}

/**
 * Hands native events to whom they concern. It knows nothing of the engine: the native callback refers to it, and an engine that nobody
 * refers to any more must be collectable.
 */
export class Dispatcher {
  readonly #sinks = new Map<number, Sink>();
  readonly #onProgress: (progress: LoadProgress) => void;
  readonly #onWarning: (warning: NudgingWarning) => void;
  readonly #remotes: Elsewhere | undefined;
  /** As telemetry knows the engine. */
  readonly observed: ObservedEngine;
  readonly loaded: Promise<LoadedEngine>;
  readonly closed: Promise<void>;
  #resolveLoaded!: (loaded: LoadedEngine) => void;
  #rejectLoaded!: (failure: LoadFailure | CallbackFailure) => void;
  /** How loading has ended, if it has: callbacks hear nothing more then. */
  #ended: 'well' | 'badly' | undefined;
  /** Whether a callback has returned a promise. */
  #awaits = false;
  #resolveClosed!: () => void;
  #nextId = 1;

  constructor(
    onProgress: (progress: LoadProgress) => void = () => {},
    onWarning: (warning: NudgingWarning) => void = emitWarning,
    observed: ObservedEngine = { id: 0, model: '' },
    remotes?: Elsewhere,
  ) {
    this.#remotes = remotes;
    this.observed = observed;
    this.#onProgress = onProgress;
    this.#onWarning = onWarning;
    this.loaded = new Promise((resolve, reject) => {
      this.#resolveLoaded = (loaded) => {
        this.#ended ??= 'well';
        resolve(loaded);
      };
      this.#rejectLoaded = (failure) => {
        this.#ended ??= 'badly';
        reject(failure);
      };
    });
    // A callback may fail before anybody waits for this.
    this.loaded.catch(() => {});
    this.closed = new Promise((resolve) => {
      this.#resolveClosed = resolve;
    });
  }

  /** Registers a request and returns its id. */
  add(sink: Sink): number {
    // Ids are 32-bit in the native engine; one that is still in use is skipped.
    while (this.#sinks.has(this.#nextId)) this.#nextId = (this.#nextId + 1) >>> 0;
    const id = this.#nextId;
    this.#nextId = (this.#nextId + 1) >>> 0;
    this.#sinks.set(id, sink);
    return id;
  }

  /** Requests that have not ended. */
  get size(): number {
    return this.#sinks.size;
  }

  remove(id: number): void {
    this.#sinks.delete(id);
  }

  /** The native engine's callback. */
  readonly dispatch = (events: NativeEvent[]): void => {
    for (const event of events) this.#one(event);
    if (isObserved('nudging:tick')) this.#tell(events);
  };

  #tell(events: NativeEvent[]): void {
    const pieces = events.flatMap((event) => (event.type === 'pieces' ? event.parts.map((part) => part.pieces.length) : []));
    const ended = events.filter(({ type }) => ['finished', 'failed', 'inspected', 'counted'].includes(type)).length;
    const sum = pieces.reduce((total, count) => total + count, 0);
    publish('nudging:tick', { engine: this.observed, requests: this.#sinks.size, pieces: sum, ended });
  }

  /** Warns as the engine's own events do. */
  warn(warning: NudgingWarning): void {
    this.#call(this.#onWarning, warning);
  }

  /**
   * Calls the user's function. The native engine calls from where nobody could catch what is thrown, and another process's messages come
   * from there as well, so it ends the loading that the call belongs to. A promise that rejects counts as thrown; once loading has ended it
   * is nobody's but its maker's.
   */
  #call<T>(callback: (value: T) => unknown, value: T): void {
    if (this.#ended) return;
    try {
      const returned = callback(value);
      if (!isThenable(returned)) return;
      this.#awaits = true;
      returned.then(undefined, (thrown: unknown) => {
        if (this.#ended === 'well') throw thrown;
        // Of several, the first counts.
        this.#rejectLoaded(new CallbackFailure(thrown));
      });
    } catch (thrown) {
      this.#rejectLoaded(new CallbackFailure(thrown));
    }
  }

  #one(event: NativeEvent): void {
    switch (event.type) {
      case 'progress':
        return this.#call(this.#onProgress, { kind: 'load', lane: event.lane, fraction: event.fraction });
      case 'warning':
        return this.warn({ code: event.code, message: event.message });
      case 'loaded': {
        const { parallel, deterministic, whyNotDeterministic } = event;
        const models = Object.fromEntries(event.models.map(({ name, ...model }) => [name, model])) as LoadedEngine['models'];
        const resolve = () => this.#resolveLoaded({ models, parallel, deterministic, whyNotDeterministic });
        // An async callback that throws has rejected a turn later: whether it came in time must not depend on which events came together.
        return this.#awaits ? void setImmediate(resolve) : resolve();
      }
      case 'load-failed': {
        const { type, ...failure } = event;
        return this.#rejectLoaded(failure);
      }
      case 'pieces':
        for (const { id, pieces } of event.parts) this.#sinks.get(id)?.arrived(pieces);
        return;
      case 'begun':
        return this.#sinks.get(event.id)?.begun?.(event);
      case 'finished':
        this.#addTraffic(event);
        return this.#take(event.id)?.finished(event);
      case 'inspected':
      case 'counted':
        return this.#take(event.id)?.finished(event);
      case 'failed':
        this.#remotes?.finished(event.id);
        return this.#take(event.id)?.failed(event.code, event.message);
      case 'asked':
        return this.#remotes?.asked(event);
      case 'given-up':
        return this.#remotes?.givenUp(event.call);
      case 'closed':
        this.#remotes?.close();
        return this.#resolveClosed();
    }
  }

  /** What the engine does not know: what went over the network. */
  #addTraffic({ id, stats }: NativeFinished): void {
    for (const [place, remote] of this.#remotes?.finished(id) ?? []) {
      const lane = [stats.base, stats.aligned, ...stats.others][place];
      if (lane && lane.questions > 0) lane.remote = remote;
    }
  }

  #take(id: number): Sink | undefined {
    const sink = this.#sinks.get(id);
    this.#sinks.delete(id);
    return sink;
  }
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof (value as { then?: unknown } | undefined | null)?.then === 'function';
}
