import { defined } from '../options.ts';
import type { Answer, GenerateOptions } from '../types.ts';
import { isObserved, publish } from './channels.ts';
import type { ObservedEngine, ObservedSettings, RequestMessage } from './messages.ts';

let requests = 0;

/** What is told of one request that somebody observes. */
export class ObservedRequest {
  readonly #message: RequestMessage;
  readonly #began: number;

  private constructor(message: RequestMessage, began: number) {
    this.#message = message;
    this.#began = began;
    publish('nudging:request:start', message);
  }

  /**
   * @param asked `began`: when, by `performance.now()`
   * @returns undefined if nobody observes
   */
  static begin(
    engine: ObservedEngine,
    { began, options, ...asked }: Pick<RequestMessage, 'mode' | 'kind' | 'streams'> & { options: GenerateOptions; began: number },
  ): ObservedRequest | undefined {
    if (!isObserved('nudging:request:start', 'nudging:request:first', 'nudging:request:end', 'nudging:error')) return undefined;
    requests += 1;
    return new ObservedRequest({ engine, id: requests, ...asked, settings: settingsOf(options) }, began);
  }

  /** Pieces have come; only the first time counts. */
  arrived(): void {
    if (this.#message.firstPieceMs !== undefined) return;
    this.#message.firstPieceMs = performance.now() - this.#began;
    publish('nudging:request:first', this.#message);
  }

  finished({ stopReason, endedBy, ties, seed, droppedMessages, stats }: Answer): void {
    this.#end({ answer: { stopReason, ties, stats, ...defined({ endedBy, seed, droppedMessages }) } });
  }

  failed(error: unknown): void {
    this.#end({ error });
    publish('nudging:error', { engine: this.#message.engine, during: 'request', error });
  }

  #end(more: Partial<RequestMessage>): void {
    publish('nudging:request:end', Object.assign(this.#message, { ms: performance.now() - this.#began }, more));
  }
}

function settingsOf(options: GenerateOptions): ObservedSettings {
  const { gamma, lookahead, maxTokens, temperature, topK, topP, minP, timeout, thinking } = options;
  return defined({ gamma, lookahead, maxTokens, temperature, topK, topP, minP, timeout, thinking });
}

/** Calls `act`, and tells of what it throws: a request that does not even begin. */
export function observedRefusal<T>(engine: ObservedEngine, act: () => T): T {
  try {
    return act();
  } catch (error) {
    publish('nudging:error', { engine, during: 'request', error });
    throw error;
  }
}
