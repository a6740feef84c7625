import { setTimeout as pause } from 'node:timers/promises';
import { NudgingError } from '../errors.ts';
import type { HubSettings } from './settings.ts';

/** How often a request is sent that fails for reasons that pass. */
const tries = 4;
const mostRedirects = 5;
/** A server may ask to wait a day. */
const longestWaitMs = 300_000;
/** What a hub has to say of a repository; model files are not read this way. */
const mostJson = 64 * 2 ** 20;

/** Statuses that pass: the server is busy, restarts, or something on the way to it does. */
const passing: ReadonlySet<number> = new Set([408, 425, 500, 502, 503, 504]);
/** Where the hub sends others to, its permission is in the URL, and has an end. Asked again, it gives another one. */
const passingElsewhere: ReadonlySet<number> = new Set([401, 403, 404, 410]);
const redirecting: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

/** An answer that cannot be used, of a server that was reached. */
export class HubRefusal extends Error {
  override readonly name = 'HubRefusal';
  readonly status: number;
  /** The hub's own code, such as `GatedRepo`. */
  readonly code: string;
  /** The hub's own words. */
  readonly words: string;

  constructor({ status, headers }: Response) {
    const words = headers.get('x-error-message') ?? '';
    super(`HTTP ${status}${words === '' ? '' : `: ${words}`}`);
    this.status = status;
    this.code = headers.get('x-error-code') ?? '';
    this.words = words;
  }
}

/** Talks HTTP with the hub: redirects, repetitions, and to whom the token may be said. */
export class HubClient {
  readonly settings: HubSettings;
  readonly #signal: AbortSignal;

  constructor(settings: HubSettings, signal: AbortSignal) {
    this.settings = settings;
    this.#signal = signal;
  }

  /** A URL at the hub. A slash in a part, as branches have it, does not divide. */
  url(...parts: string[]): URL {
    return new URL(parts.map(encodeURIComponent).join('/'), this.settings.endpoint);
  }

  /** Whether requests say who asks. A token is said to nobody on the way: only over TLS, or to this machine. */
  get speaksToken(): boolean {
    const { token, endpoint } = this.settings;
    return token !== undefined && (endpoint.protocol === 'https:' || isLoopback(endpoint));
  }

  /**
   * The answer to a GET whose status is among `wanted`. Its body has not been read.
   *
   * @throws HubRefusal for another status; NudgingError ERR_HUB_UNREACHABLE, ERR_HUB_RATE_LIMITED; the signal's reason
   */
  async get(url: URL, headers: Record<string, string> = {}, wanted: readonly number[] = [200]): Promise<Response> {
    for (let attempt = 1; ; attempt += 1) {
      const last = attempt === tries;
      let response: Response;
      try {
        response = await this.#follow(url, headers);
      } catch (reason) {
        this.#signal.throwIfAborted();
        if (reason instanceof NudgingError) throw reason;
        if (last) throw unreachable(url, reason);
        await this.wait(attempt);
        continue;
      }
      if (wanted.includes(response.status)) return response;
      await response.body?.cancel();
      const elsewhere = new URL(response.url).origin !== this.settings.endpoint.origin;
      if (response.status === 429) {
        const asked = retryAfterMs(response.headers.get('retry-after'));
        if (last || (asked ?? 0) > longestWaitMs) throw rateLimited(url, asked);
        await this.#sleep(asked ?? this.settings.retryMs * 2 ** attempt);
      } else if ((passing.has(response.status) || (elsewhere && passingElsewhere.has(response.status))) && !last) {
        const asked = retryAfterMs(response.headers.get('retry-after')) ?? 0;
        await this.wait(attempt, Math.min(asked, longestWaitMs));
      } else if (response.status >= 500 || elsewhere) {
        throw unreachable(url, new HubRefusal(response));
      } else {
        throw new HubRefusal(response);
      }
    }
  }

  /** What JSON a URL of the hub holds, and where its next page is. @throws as {@link get} */
  async json(url: URL): Promise<{ value: unknown; next: URL | undefined }> {
    for (let attempt = 1; ; attempt += 1) {
      const response = await this.get(url, { accept: 'application/json' });
      try {
        const value: unknown = JSON.parse(await textOf(response));
        return { value, next: nextPage(response.headers.get('link'), url) };
      } catch (reason) {
        this.#signal.throwIfAborted();
        // Cut off on the way, or a login page of the network.
        if (attempt === tries) throw unreachable(url, reason);
        await this.wait(attempt);
      }
    }
  }

  /** @throws the signal's reason */
  throwIfStopped(): void {
    this.#signal.throwIfAborted();
  }

  /** Waits longer each time. The half that is chance keeps a hundred clients from coming back together. */
  wait(attempt: number, leastMs = 0): Promise<void> {
    return this.#sleep(Math.max(leastMs, this.settings.retryMs * 2 ** (attempt - 1) * (0.75 + Math.random() / 2)));
  }

  async #sleep(ms: number): Promise<void> {
    try {
      await pause(ms, undefined, { signal: this.#signal });
    } finally {
      this.#signal.throwIfAborted();
    }
  }

  async #follow(from: URL, headers: Record<string, string>): Promise<Response> {
    let url = from;
    for (let hop = 0; hop <= mostRedirects; hop += 1) {
      const response = await this.#once(url, headers);
      const location = response.headers.get('location');
      if (!redirecting.has(response.status) || location === null) return response;
      await response.body?.cancel();
      const next = URL.canParse(location, url.href) ? new URL(location, url) : undefined;
      if (!next || !this.#mayGo(next)) throw badRedirect(from, location);
      url = next;
    }
    throw badRedirect(from, `… more than ${mostRedirects} times`);
  }

  /** Whoever has asked for TLS gets nothing without it. */
  #mayGo({ protocol, username }: URL): boolean {
    return username === '' && (protocol === 'https:' || (protocol === 'http:' && this.settings.endpoint.protocol === 'http:'));
  }

  /** Gives up on a server that accepts the connection and says nothing. */
  async #once(url: URL, headers: Record<string, string>): Promise<Response> {
    const silence = new AbortController();
    const timer = setTimeout(() => silence.abort(new Error('no answer')), this.settings.silenceMs);
    const own = this.speaksToken && url.origin === this.settings.endpoint.origin;
    try {
      return await fetch(url, {
        redirect: 'manual',
        headers: {
          'user-agent': 'nudging',
          // A compressed body would have another length, and other ranges.
          'accept-encoding': 'identity',
          ...headers,
          ...(own ? { authorization: `Bearer ${this.settings.token}` } : {}),
        },
        signal: AbortSignal.any([this.#signal, silence.signal]),
      });
    } finally {
      clearTimeout(timer);
    }
  }
}

function isLoopback({ hostname }: URL): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127\.\d+\.\d+\.\d+$/.test(hostname);
}

async function textOf(response: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of response.body ?? []) {
    chunks.push(chunk);
    size += chunk.length;
    if (size > mostJson) throw new Error('the answer does not end');
  }
  return Buffer.concat(chunks).toString('utf8');
}

/** `Link: <…>; rel="next"`, on the same server. */
function nextPage(link: string | null, from: URL): URL | undefined {
  const [, target = ''] = /<([^<>]+)>\s*;\s*rel="?next"?/.exec(link ?? '') ?? [];
  const next = target !== '' && URL.canParse(target, from.href) ? new URL(target, from) : undefined;
  return next?.origin === from.origin ? next : undefined;
}

/** Seconds, or a date. */
function retryAfterMs(text: string | null): number | undefined {
  if (text === null) return undefined;
  const ms = /^\d+$/.test(text.trim()) ? Number(text) * 1000 : Date.parse(text) - Date.now();
  return Number.isNaN(ms) ? undefined : Math.max(0, ms);
}

/** What went wrong on the way, without the URL's signature and other secrets. */
export function unreachable(url: URL, reason: unknown): NudgingError {
  const remedy = 'check the network and HF_ENDPOINT; what is in the cache can be loaded without either';
  return new NudgingError('ERR_HUB_UNREACHABLE', `no usable answer from ${url.host} (${whyNot(reason)}): ${remedy}`, { cause: reason });
}

export function whyNot(reason: unknown): string {
  const { message, cause } = reason as Error & { cause?: NodeJS.ErrnoException };
  return cause instanceof Error ? (cause.code ?? cause.message) : message;
}

function badRedirect(from: URL, to: string): NudgingError {
  const shown = to.split('?')[0] ?? '';
  return new NudgingError(
    'ERR_HUB_UNREACHABLE',
    `${from.host} redirects to where nothing may be fetched from (${shown}): check HF_ENDPOINT`,
  );
}

function rateLimited({ host }: URL, askedMs: number | undefined): NudgingError {
  const when = askedMs === undefined ? 'later' : `in ${Math.ceil(askedMs / 1000)} s`;
  const remedy = `try again ${when}, or set HF_TOKEN, with which it allows more`;
  return new NudgingError('ERR_HUB_RATE_LIMITED', `${host} takes no more requests from here for now: ${remedy}`);
}
