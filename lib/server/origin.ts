import { isIP } from 'node:net';
import { ApiError } from './api-error.ts';

/** Which hosts a server goes by, and which pages may ask it. */
export class Origins {
  readonly #hosts: ReadonlySet<string> | undefined;
  readonly #origins: ReadonlySet<string>;

  constructor(hosts: readonly string[] | undefined, origins: readonly string[] = []) {
    this.#hosts = hosts && new Set(hosts.map((host) => host.toLowerCase()));
    this.#origins = new Set(origins.map((origin) => origin.toLowerCase().replace(/\/$/, '')));
  }

  /**
   * A page elsewhere can have its own name resolve to this machine (DNS rebinding), and then reads answers as if they were its own: the
   * name in the request is the page's. Addresses cannot be made to mean another machine.
   *
   * @throws ApiError 403
   */
  checkHost(request: Request): void {
    if (!this.#hosts || this.#hosts.has('*')) return;
    const host = hostOf(request);
    const name = nameIn(host);
    if (name === 'localhost' || name.endsWith('.localhost') || isIP(name.replace(/^\[|\]$/g, '')) !== 0 || this.#hosts.has(name)) return;
    const message = `this server does not answer for the host "${name.slice(0, 100)}": start it with --allow-host to change that`;
    throw new ApiError(403, 'ERR_HOST_FORBIDDEN', message);
  }

  /**
   * What a browser adds to requests of a page. Without it, the request is no page's.
   *
   * @returns the headers that let a page of another origin read the answer
   * @throws ApiError 403
   */
  checkOrigin(request: Request): Record<string, string> {
    const origin = request.headers.get('origin');
    if (origin === null || isSame(origin, hostOf(request))) return {};
    if (!this.#origins.has('*') && !this.#origins.has(origin.toLowerCase())) {
      const message = `pages of ${origin.slice(0, 100)} may not ask this server: start it with --allow-origin to change that`;
      throw new ApiError(403, 'ERR_ORIGIN_FORBIDDEN', message);
    }
    return { 'Access-Control-Allow-Origin': origin, Vary: 'Origin', 'Access-Control-Expose-Headers': 'X-Request-Id, Retry-After' };
  }
}

function hostOf(request: Request): string {
  return request.headers.get('host') ?? new URL(request.url).host;
}

function nameIn(host: string): string {
  return host.replace(/:\d+$/, '').toLowerCase();
}

function isSame(origin: string, host: string): boolean {
  try {
    return new URL(origin).host === host.toLowerCase();
  } catch {
    return false;
  }
}
