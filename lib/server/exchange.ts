import { randomUUID } from 'node:crypto';
import { onAbort } from '../abort.ts';
import { ApiError, asApiError } from './api-error.ts';
import type { Caller, Gate } from './auth.ts';
import type { LogEntry } from './log.ts';
import type { Metrics } from './metrics.ts';
import type { Limits } from './options.ts';
import type { Origins } from './origin.ts';
import type { Generation } from './generation.ts';
import type { Models, Served } from './served.ts';

/** What all requests to one server share. */
export interface ServerContext {
  models: Models;
  limits: Limits;
  gate: Gate;
  origins: Origins;
  metrics: Metrics;
  /** Milliseconds. */
  keepAlive: number;
  onRequest: (entry: LogEntry) => void;
  /** Requests that are not over. */
  under: Set<Exchange>;
  /** Called when the last of them is over. */
  idle: () => void;
  draining: boolean;
}

/** One request and its answer, from the first look at its headers until its last byte is sent or its client has left. */
export class Exchange {
  readonly server: ServerContext;
  readonly request: Request;
  readonly id = `req_${randomUUID()}`;
  /** Aborted when the client leaves, or when the server has no more time. */
  readonly gone = new AbortController();
  readonly began = performance.now();
  readonly #time = new Date().toISOString();
  readonly #route: string;
  #caller: Caller | undefined;
  #served: Served | undefined;
  #generation: Generation | undefined;
  #model: string | undefined;
  #failure: ApiError | undefined;
  #cors: Record<string, string> = {};
  #status = 200;
  #over = false;
  /** Whether the answer is a stream, which says itself when it is over. */
  #streams = false;
  readonly #forget: () => void;

  constructor(server: ServerContext, request: Request, route: string) {
    this.server = server;
    this.request = request;
    this.#route = route;
    server.under.add(this);
    this.#forget = onAbort(request.signal, () => this.leave());
    if (request.signal.aborted) this.leave();
  }

  get #hasLeft(): boolean {
    return this.gone.signal.aborted && !(this.gone.signal.reason instanceof ApiError);
  }

  /** Whether it has a place, or waits for one. */
  get generates(): boolean {
    return this.#generation !== undefined;
  }

  /** Does all that is asked for, and answers with an error where that fails. */
  async run(act: () => Promise<Response>): Promise<Response> {
    let response: Response;
    try {
      response = await act();
    } catch (error) {
      // Who has left gets no answer, and what fails because of that is no failure.
      response = this.#hasLeft ? new Response(null, { status: 499 }) : this.fail(error).response();
    }
    for (const [name, value] of Object.entries({ 'X-Request-Id': this.id, ...this.#cors })) response.headers.set(name, value);
    this.#status = response.status;
    if (!this.#streams || this.#hasLeft) this.finish();
    return response;
  }

  /**
   * Looks at where a request comes from and who sends it.
   *
   * @returns headers for pages of other origins
   * @throws ApiError 401, 403
   */
  admit(open: boolean): Record<string, string> {
    const { origins, gate } = this.server;
    origins.checkHost(this.request);
    this.#cors = origins.checkOrigin(this.request);
    // Browsers send no keys with what asks whether they may.
    if (!open && this.request.method !== 'OPTIONS') this.#caller = gate.callerOf(this.request.headers);
    return this.#cors;
  }

  /** Counts a request against its key's limit, and refuses what is too late. @throws ApiError 429, 503 */
  mayAsk(): void {
    if (this.server.draining) throw new ApiError(503, 'ERR_NOT_READY', 'this server is shutting down', { retryAfter: 1 });
    this.#caller?.bucket?.take();
  }

  asks(served: Served, model: string): void {
    this.#served = served;
    this.#model = model;
  }

  generating(generation: Generation): void {
    this.#generation = generation;
  }

  streaming(): void {
    this.#streams = true;
  }

  /** Notes what went wrong. */
  fail(error: unknown): ApiError {
    this.#failure = asApiError(error, this.#served?.retryAfter());
    const cause = (error as { code?: string }).code;
    if (cause === 'ERR_DEVICE_FAILED' && this.#served) this.#served.lost = cause;
    return this.#failure;
  }

  /** The client has left. */
  leave(): void {
    if (this.#over) return;
    this.gone.abort();
    if (this.#streams) this.finish();
  }

  /** The server has no more time for it. */
  giveUp(): void {
    this.gone.abort(new ApiError(503, 'ERR_NOT_READY', 'this server is shutting down', { retryAfter: 1 }));
  }

  /** It is over. What of it is in the engine is given up. */
  finish(): void {
    if (this.#over) return;
    this.#over = true;
    this.#forget();
    const left = this.#hasLeft;
    const ended = this.#generation?.end() ?? Promise.resolve();
    void ended.then(() => {
      this.#report(left);
      this.server.under.delete(this);
      if (this.server.under.size === 0) this.server.idle();
    });
  }

  #report(left: boolean): void {
    const { firstMs, ...tally } = this.#generation?.tally ?? { answers: [] };
    // Without the places of those that failed.
    const answers = Object.values(tally.answers);
    const model = this.#model;
    for (const answer of answers) if (model !== undefined) this.server.metrics.answer(model, answer);
    const failure = this.#failure;
    const sum = (of: (answer: (typeof answers)[number]) => number) => answers.reduce((total, answer) => total + of(answer), 0);
    const entry: LogEntry = {
      time: this.#time,
      level: this.#status >= 500 || (failure && failure.status >= 500) ? 'error' : failure ? 'warn' : 'info',
      id: this.id,
      method: this.request.method,
      route: this.#route,
      status: this.#status,
      ...(this.#caller ? { caller: this.#caller.name } : {}),
      ...(model === undefined ? {} : { model }),
      ms: Math.round((performance.now() - this.began) * 10) / 10,
      ...(firstMs === undefined ? {} : { firstMs: Math.round(firstMs * 10) / 10 }),
      ...(answers.length === 0
        ? {}
        : {
            promptTokens: sum(({ stats }) => stats.base.promptTokens),
            tokens: sum(({ stats }) => stats.tokens),
            nudgedTokens: sum(({ stats }) => stats.nudgedTokens),
            stopReasons: answers.map(({ stopReason }) => stopReason),
          }),
      ...(left ? { left: true as const } : {}),
      ...(failure ? { code: failure.code, error: messageOf(failure) } : {}),
    };
    this.server.metrics.request(entry);
    this.server.onRequest(entry);
  }
}

/** What the cause says, which may name files of this machine. What it says of a request's fields may quote them, and is not for logs. */
function messageOf(failure: ApiError): string {
  if (failure.status < 500) return failure.logged ?? (failure.param === null ? failure.message : `about ${failure.param}`);
  return failure.cause instanceof Error ? failure.cause.message : failure.message;
}
