import { setTimeout as sleep } from 'node:timers/promises';
import { NudgingError } from '../errors.ts';
import type { RemoteModel } from '../types.ts';
import { Breaker } from './breaker.ts';
import { eventsOf } from './events.ts';
import { Line } from './line.ts';
import { remoteDefaults } from './model.ts';
import type { Sent } from './protocol.ts';
import { asJson, errorIn, NotJson, Refusal, remedyFor, wordsOf } from './refusal.ts';
import { Turnstile } from './turnstile.ts';

/** How often a request is sent whose failure may pass. */
const tries = 4;
/** The first pause between two tries, in milliseconds; it doubles. */
const pauseMs = 100;
/** A server may ask for a longer pause; nobody waits longer for an answer than this. */
const longestPauseMs = 10_000;
/** For a connection that is opened ahead. Nobody waits for it, and the process should not either. */
const warmingMs = 2000;
/** The server is busy, starts, or somebody on the way to it does. */
const passing: ReadonlySet<number> = new Set([408, 425, 429, 502, 503, 504]);
/** Of an answer that should be short. */
const mostBytes = 64 * 2 ** 20;

/** What a call has moved. */
export interface Traffic {
  roundTrips: number;
  sentBytes: number;
  receivedBytes: number;
  /** Its connection was closed before the server had said all. */
  cut: boolean;
}

export const noTraffic = (): Traffic => ({ roundTrips: 0, sentBytes: 0, receivedBytes: 0, cut: false });

/**
 * Speaks HTTP with one server: how many at a time, what is tried again, and what an answer that cannot be used means. Connections are kept
 * by Node's own client.
 */
export class RemoteClient {
  readonly #url: URL;
  readonly #headers: Readonly<Record<string, string>>;
  readonly #timeout: number;
  readonly #turnstile: Turnstile;
  readonly breaker = new Breaker();
  #warming = false;

  constructor({ url, headers = {}, timeout = remoteDefaults.timeout, connections = remoteDefaults.connections }: RemoteModel) {
    this.#url = new URL(url);
    this.#headers = headers;
    this.#timeout = timeout;
    this.#turnstile = new Turnstile(connections);
  }

  /** The server, for messages: never with what may be secret. */
  get host(): string {
    return this.#url.host;
  }

  /**
   * The JSON texts of an answer, as they come: those of a stream of events, or a single one.
   *
   * @param signal closes the connection
   * @throws NudgingError ERR_REMOTE_…; the signal's reason
   */
  async *ask({ path, body }: Sent, signal: AbortSignal, traffic: Traffic): AsyncGenerator<unknown> {
    const text = JSON.stringify(body);
    const leave = await this.#turnstile.enter(signal);
    const line = new Line(signal, this.#timeout);
    try {
      this.#mustBeAsked();
      this.breaker.begin();
      const response = await this.#send(
        path,
        { method: 'POST', body: text, headers: { 'content-type': 'application/json' } },
        line,
        traffic,
      );
      traffic.sentBytes += Buffer.byteLength(text);
      traffic.cut = true;
      yield* this.#read(response, line, traffic);
      traffic.cut = false;
    } catch (reason) {
      throw this.#explained(reason, line, path);
    } finally {
      this.breaker.unknown();
      line.end();
      leave();
    }
  }

  /** One JSON text from a path; undefined where the server does not know the path. @throws as {@link ask} */
  async get(path: string, signal: AbortSignal): Promise<unknown> {
    const line = new Line(signal, this.#timeout);
    try {
      const response = await this.#send(path, { method: 'GET' }, line, noTraffic(), [404, 405]);
      if (!response.ok) return void (await response.body?.cancel());
      const text = await response.text();
      return text === '' ? {} : asJson(text, path);
    } catch (reason) {
      throw this.#explained(reason, line, path);
    } finally {
      line.end();
    }
  }

  /**
   * HTTP/1 has no other way to end an answer than to close its connection, and the next call would wait for a new one to be opened, which
   * takes a round trip. So one is opened at once.
   */
  keepWarm(path: string): void {
    if (this.#warming || this.breaker.failures > 0) return;
    this.#warming = true;
    void this.answers(path, warmingMs).finally(() => {
      this.#warming = false;
    });
  }

  /** Whether the server answers within so many milliseconds. */
  async answers(path: string, ms: number): Promise<boolean> {
    try {
      const response = await fetch(this.#at(path), { headers: this.#headers, redirect: 'manual', signal: AbortSignal.timeout(ms) });
      // Read, so that the connection can be used again.
      await response.text();
      return response.status < 500;
    } catch {
      return false;
    }
  }

  #mustBeAsked(): void {
    const left = this.breaker.closedFor;
    if (left === 0) return;
    const why = `it has failed ${this.breaker.failures} times in a row, and is not asked for another ${Math.ceil(left / 1000)} s`;
    throw new NudgingError('ERR_REMOTE_UNREACHABLE', `${this.host} does not answer: ${why}`);
  }

  #at(path: string): URL {
    // A server may be below a path of its own.
    return new URL(this.#url.pathname.replace(/\/$/, '') + path, this.#url);
  }

  async #send(path: string, init: RequestInit, line: Line, traffic: Traffic, also: readonly number[] = []): Promise<Response> {
    for (let attempt = 1; ; attempt += 1) {
      traffic.roundTrips += 1;
      let pause = pauseMs * 2 ** (attempt - 1);
      let reason: unknown;
      try {
        line.expect();
        const headers = { 'user-agent': 'nudging', ...this.#headers, ...(init.headers as Record<string, string> | undefined) };
        const response = await fetch(this.#at(path), { ...init, headers, redirect: 'manual', signal: line.signal });
        if (response.ok || also.includes(response.status)) {
          this.breaker.worked();
          return response;
        }
        reason = new Refusal(response.status, await wordsOf(response));
        if (!passing.has(response.status)) {
          // It is there, whatever it thinks of this.
          if (response.status < 500) this.breaker.worked();
          throw reason;
        }
        pause = Math.max(pause, retryAfterMs(response.headers.get('retry-after')) ?? 0);
      } catch (thrown) {
        line.signal.throwIfAborted();
        if (thrown instanceof Refusal && thrown === reason) throw thrown;
        reason = thrown;
      }
      if (attempt === tries || pause > longestPauseMs) throw reason;
      line.stopClock();
      // The half that is chance keeps many clients from coming back together.
      await sleep(pause * (0.75 + Math.random() / 2), undefined, { signal: line.signal });
    }
  }

  async *#read(response: Response, line: Line, traffic: Traffic): AsyncGenerator<unknown> {
    const chunks = chunksOf(response, line, traffic);
    if (response.headers.get('content-type')?.startsWith('text/event-stream')) {
      for await (const text of eventsOf(chunks)) {
        if (text === '[DONE]') return;
        const value = asJson(text, 'an event');
        const failure = errorIn(value);
        if (failure !== undefined) throw new Refusal(200, failure);
        yield value;
      }
      return;
    }
    const decoder = new TextDecoder();
    let whole = '';
    for await (const chunk of chunks) {
      whole += decoder.decode(chunk, { stream: true });
      if (whole.length > mostBytes) throw new NotJson('an answer that does not end');
    }
    traffic.cut = false;
    yield asJson(whole, 'the answer');
  }

  #explained(reason: unknown, line: Line, path: string): unknown {
    if (line.closed) return line.reason;
    if (reason instanceof NudgingError) return reason;
    const at = `${this.host}${path}`;
    if (line.late) {
      this.breaker.failed();
      const remedy = 'raise `timeout` of the model, or find out what keeps the server busy';
      return new NudgingError('ERR_REMOTE_TIMEOUT', `${at} has said nothing for ${this.#timeout} ms: ${remedy}`, { cause: reason });
    }
    if (reason instanceof NotJson) {
      return new NudgingError('ERR_REMOTE_PROTOCOL', `${at} gives ${reason.message}: check \`url\` and \`api\` of the model`, {
        cause: reason,
      });
    }
    if (reason instanceof Refusal) {
      const { status, words } = reason;
      const said = `HTTP ${status}${words === '' ? '' : `, ${words}`}`;
      if (status >= 500) {
        this.breaker.failed();
        return new NudgingError('ERR_REMOTE_UNREACHABLE', `${at} cannot answer (${said}): look at the server's log`, { cause: reason });
      }
      if (passing.has(status)) {
        this.breaker.failed();
        return new NudgingError('ERR_REMOTE_UNREACHABLE', `${at} takes no more requests for now (${said}): try again later`, {
          cause: reason,
        });
      }
      return new NudgingError('ERR_REMOTE_REFUSED', `${at} refuses (${said}): ${remedyFor(status)}`, { cause: reason });
    }
    this.breaker.failed();
    const remedy = 'check that the server runs, and `url` of the model';
    return new NudgingError('ERR_REMOTE_UNREACHABLE', `no answer from ${this.host} (${whyNot(reason)}): ${remedy}`, { cause: reason });
  }
}

async function* chunksOf(response: Response, line: Line, traffic: Traffic): AsyncGenerator<Uint8Array> {
  for await (const chunk of response.body ?? []) {
    line.expect();
    traffic.receivedBytes += chunk.length;
    yield chunk;
  }
}

/** Seconds, or a date. */
function retryAfterMs(text: string | null): number | undefined {
  if (text === null) return undefined;
  const ms = /^\d+$/.test(text.trim()) ? Number(text) * 1000 : Date.parse(text) - Date.now();
  return Number.isNaN(ms) ? undefined : Math.max(0, ms);
}

function whyNot(reason: unknown): string {
  const { message, cause } = reason as Error & { cause?: NodeJS.ErrnoException };
  return cause instanceof Error ? (cause.code ?? cause.message) : message;
}
