import { createHash, timingSafeEqual } from 'node:crypto';
import { ApiError } from './api-error.ts';

/** Somebody who may ask. */
export interface ApiKey {
  key: string;
  /** For logs and metrics, which never hold the key itself. Default: `key-1` and so on. */
  name?: string;
  /** Requests a minute; 0: no limit. Default: that of the server. */
  rateLimit?: number;
}

/** Whoever has shown a key, or everybody where none is asked for. */
export interface Caller {
  name: string;
  bucket: Bucket | undefined;
}

interface Known {
  digest: Buffer;
  caller: Caller;
}

/** Digests are of one length, whatever was sent, so that comparing them takes the same time. */
const digestOf = (key: string) => createHash('sha256').update(key).digest();

/** Who may ask, and how often. */
export class Gate {
  readonly #known: readonly Known[];
  readonly #everybody: Caller;

  constructor(keys: readonly (string | ApiKey)[] = [], rateLimit = 0) {
    this.#everybody = { name: 'anybody', bucket: bucketFor(rateLimit) };
    this.#known = keys.map((given, index) => {
      const { key, name, rateLimit: own } = typeof given === 'string' ? { key: given, name: 'default', rateLimit: undefined } : given;
      return { digest: digestOf(key), caller: { name: name ?? `key-${index + 1}`, bucket: bucketFor(own ?? rateLimit) } };
    });
  }

  /** Whether everybody may ask. */
  get isOpen(): boolean {
    return this.#known.length === 0;
  }

  /** @throws ApiError 401 */
  callerOf(headers: Headers): Caller {
    if (this.isOpen) return this.#everybody;
    const given = /^Bearer\s+(.+)$/i.exec(headers.get('authorization') ?? '')?.[1] ?? headers.get('x-api-key') ?? '';
    const digest = digestOf(given.trim());
    let found: Caller | undefined;
    // All are compared: when it ends must not say which one was near.
    for (const known of this.#known) if (timingSafeEqual(digest, known.digest)) found = known.caller;
    if (found) return found;
    const message =
      given === '' ? 'this server wants a key: send it as "Authorization: Bearer KEY"' : 'the key is not one that this server knows';
    throw new ApiError(401, 'invalid_api_key', message, { headers: { 'WWW-Authenticate': 'Bearer' } });
  }
}

function bucketFor(rateLimit: number): Bucket | undefined {
  return rateLimit > 0 ? new Bucket(rateLimit) : undefined;
}

/** So many requests a minute: a minute's worth at once, then as they come back. */
export class Bucket {
  readonly #perMinute: number;
  #left: number;
  #at: number;

  constructor(perMinute: number, now = performance.now()) {
    this.#perMinute = perMinute;
    this.#left = Math.max(1, perMinute);
    this.#at = now;
  }

  /** @throws ApiError 429 */
  take(now = performance.now()): void {
    const perMs = this.#perMinute / 60_000;
    this.#left = Math.min(Math.max(1, this.#perMinute), this.#left + (now - this.#at) * perMs);
    this.#at = now;
    if (this.#left >= 1) {
      this.#left -= 1;
      return;
    }
    const message = `this key may ask ${this.#perMinute} times a minute, and has: wait, or have its limit raised`;
    throw new ApiError(429, 'rate_limit_exceeded', message, { retryAfter: (1 - this.#left) / perMs / 1000 });
  }
}
