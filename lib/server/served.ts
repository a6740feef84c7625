import type { Nudging } from '../engine.ts';
import { NudgingError } from '../errors.ts';
import type { Mode } from '../types.ts';
import { ApiError } from './api-error.ts';

/** The latest times that answers took, in seconds. */
class Recent {
  readonly #times: number[] = [];

  add(seconds: number): void {
    this.#times.push(seconds);
    if (this.#times.length > 64) this.#times.shift();
  }

  /** Undefined before the first one. */
  median(): number | undefined {
    return [...this.#times].sort((one, other) => one - other)[Math.floor(this.#times.length / 2)];
  }
}

/** Longer than this nobody should be sent away. */
const longestWait = 120;

/** An engine that is busy with a long prompt is not dead. */
const probeMs = 10_000;

/** One pair under its name, and what of it is under way. */
export class Served {
  readonly name: string;
  /** Missing while it is loaded. */
  engine: Nudging | undefined;
  /** Answers that have begun or wait. */
  active = 0;
  /** Why it will not answer any more. */
  lost: string | undefined;
  readonly created = Math.floor(Date.now() / 1000);
  readonly times = new Recent();

  constructor(name: string, engine?: Nudging) {
    this.name = name;
    this.engine = engine;
  }

  get parallel(): number {
    return this.engine?.parallel ?? 1;
  }

  /** Answers that wait for a place, if nobody else uses the engine. */
  get waiting(): number {
    return Math.max(0, this.active - this.parallel);
  }

  /** Counts something as active while it is under way. */
  async while<T>(task: () => Promise<T> | undefined): Promise<T | undefined> {
    this.active += 1;
    try {
      return await task();
    } finally {
      this.active -= 1;
    }
  }

  /** Seconds until a place is free for one more, by what answers took lately. */
  retryAfter(): number {
    const median = this.times.median() ?? 1;
    return Math.min(longestWait, Math.max(1, ((this.waiting + 1) * median) / this.parallel));
  }

  /** Whether the engine answers. It is asked something that takes no place. */
  async health(): Promise<string> {
    if (this.lost !== undefined || !this.engine) return this.readiness();
    const late = new AbortController();
    let timer: NodeJS.Timeout | undefined;
    // An engine that hangs does not hear of the signal either, so nobody waits for it.
    const hangs = new Promise<'failed'>((resolve) => {
      timer = setTimeout(() => {
        late.abort();
        resolve('failed');
      }, probeMs);
    });
    const counts = this.engine.countTokens({ text: 'a' }, { lane: 'base', signal: late.signal }).then(
      () => 'ok',
      // Who is too busy to count lives.
      (error: unknown) => (error instanceof NudgingError && error.code === 'ERR_BUSY' ? 'ok' : 'failed'),
    );
    const state = await Promise.race([counts, hangs]);
    clearTimeout(timer);
    return state;
  }

  /** How the servers are that have models of this pair, by the models. Not where they are: whoever asks may be anybody. */
  async servers(): Promise<Record<string, 'ok' | 'failing' | 'unreachable'>> {
    const states = Object.entries((await this.engine?.servers()) ?? {});
    return Object.fromEntries(states.map(([lane, { state, answers }]) => [lane, !answers ? 'unreachable' : state]));
  }

  readiness(): string {
    if (this.lost !== undefined) return 'failed';
    if (!this.engine) return 'loading';
    return this.waiting > 0 && this.waiting >= this.engine.maxQueue ? 'busy' : 'ok';
  }

  /** @throws ApiError 503 while it is loaded */
  ready(): Nudging {
    if (this.engine) return this.engine;
    throw new ApiError(503, 'ERR_NOT_READY', `the model "${this.name}" is being loaded: try again`, { retryAfter: 5 });
  }
}

/** A model that a request may name: a pair, or one of its two models alone. */
export interface Model {
  id: string;
  served: Served;
  /** For clients that cannot send fields of ours. */
  mode?: Mode;
}

const alone = ['base', 'aligned'] as const;

/** Pairs by name. The first one answers requests that name none. */
export class Models {
  readonly all: readonly Served[];

  constructor(all: readonly Served[]) {
    this.all = all;
  }

  list(): Model[] {
    return this.all.flatMap((served) => [
      { id: served.name, served },
      ...alone.map((mode) => ({ id: `${served.name}:${mode}`, served, mode })),
    ]);
  }

  /** Whether all engines answer: `ok`, or what is the matter. */
  async health(): Promise<string> {
    const states = await Promise.all(this.all.map((served) => served.health()));
    return states.find((state) => state !== 'ok') ?? 'ok';
  }

  /** Whether a request would be taken now, and could be answered: `ok`, or why not. */
  async readiness(): Promise<string> {
    const own = this.all.map((served) => served.readiness()).find((state) => state !== 'ok');
    if (own !== undefined) return own;
    const far = Object.values(await this.servers()).flatMap((states) => Object.values(states));
    return far.find((state) => state !== 'ok') ?? 'ok';
  }

  /** Of the pairs that have models on servers, how these are. */
  async servers(): Promise<Record<string, Record<string, string>>> {
    const all = await Promise.all(this.all.map(async (served) => [served.name, await served.servers()] as const));
    return Object.fromEntries(all.filter(([, states]) => Object.keys(states).length > 0));
  }

  /** @throws ApiError 404 */
  named(name: unknown): Model {
    const models = this.list();
    const found = name === undefined ? models[0] : models.find(({ id }) => id === name);
    if (found) return found;
    const names = this.all.map((served) => served.name).join(', ');
    const asked = typeof name === 'string' ? `"${name.slice(0, 100)}"` : 'of this type';
    throw new ApiError(404, 'model_not_found', `there is no model ${asked}: there is ${names}`, { param: 'model' });
  }
}
