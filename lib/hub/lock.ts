import { randomUUID } from 'node:crypto';
import { link, mkdir, readFile, readlink, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { dirname } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';

/** How often a holder shows that it lives, how often others look, and after how long without a sign it counts as gone. */
export const lockTimes = { beatMs: 5_000, pollMs: 250, goneMs: 120_000 };

export interface Lock {
  /**
   * Whether the holder before may still live somewhere where nobody can look: on another machine, or stopped. What it was writing must not
   * be written to.
   */
  readonly uncertain: boolean;
  /** Whether it is still ours: a machine that slept may have been taken for gone. */
  held(): Promise<boolean>;
  release(): Promise<void>;
}

interface Owner {
  token: string;
  pid: number;
  place: string;
}

/**
 * Locks a file name among processes, also of several machines with one disk: the file is there while it is held, says by whom, and its time
 * goes on.
 *
 * @param onWait called once, if somebody else holds it
 * @throws the signal's reason
 */
export async function lock(path: string, signal: AbortSignal, onWait: () => void): Promise<Lock> {
  const token = randomUUID();
  const own = JSON.stringify({ token, pid: process.pid, place: await placeOfProcess() } satisfies Owner);
  await mkdir(dirname(path), { recursive: true });
  let uncertain = false;
  let waited = false;
  let sign = '';
  let since = performance.now();
  for (;;) {
    signal.throwIfAborted();
    if (await created(path, own)) return new Held(path, own, uncertain);
    const now = await look(path);
    if (now === undefined) continue;
    if (now.sign !== sign) {
      sign = now.sign;
      since = performance.now();
    }
    const dead = await isDead(now.text);
    if (dead || performance.now() - since > lockTimes.goneMs) {
      if (await removed(path, now.text)) uncertain = !dead;
      continue;
    }
    if (!waited) onWait();
    waited = true;
    await pause(lockTimes.pollMs, undefined, { signal }).catch(() => {});
  }
}

class Held implements Lock {
  readonly uncertain: boolean;
  readonly #path: string;
  readonly #own: string;
  readonly #beat: NodeJS.Timeout;

  constructor(path: string, own: string, uncertain: boolean) {
    this.#path = path;
    this.#own = own;
    this.uncertain = uncertain;
    this.#beat = setInterval(() => void this.#show(), lockTimes.beatMs);
    this.#beat.unref();
  }

  async held(): Promise<boolean> {
    return (await look(this.#path))?.text === this.#own;
  }

  async release(): Promise<void> {
    clearInterval(this.#beat);
    await removed(this.#path, this.#own);
  }

  async #show(): Promise<void> {
    try {
      if (await this.held()) await utimes(this.#path, new Date(), new Date());
    } catch {
      // The next one may succeed; whether it is still held is asked again before anything depends on it.
    }
  }
}

/** Whether there is a lock on a path whose holder may live. */
export async function isLocked(path: string): Promise<boolean> {
  const now = await look(path);
  return now !== undefined && !(await isDead(now.text)) && Date.now() - now.modified < lockTimes.goneMs;
}

async function created(path: string, text: string): Promise<boolean> {
  try {
    await writeFile(path, text, { flag: 'wx' });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

async function look(path: string): Promise<{ text: string; sign: string; modified: number } | undefined> {
  try {
    const [text, { mtimeMs }] = await Promise.all([readFile(path, 'utf8'), stat(path)]);
    return { text, sign: `${mtimeMs} ${text}`, modified: mtimeMs };
  } catch {
    return undefined;
  }
}

/** Removes a lock that says this, and no other that came in its place meanwhile. */
async function removed(path: string, text: string): Promise<boolean> {
  const aside = `${path}.${randomUUID()}`;
  try {
    await rename(path, aside);
    if ((await readFile(aside, 'utf8')) === text) return true;
    // Its owner has just taken it. If a third one was quicker than this, the owner finds out before it does anything for good.
    await link(aside, path);
  } catch {
    // Somebody else was quicker.
  } finally {
    await rm(aside, { force: true });
  }
  return false;
}

/** Whether the process that wrote this cannot live any more. */
async function isDead(text: string): Promise<boolean> {
  let owner: Partial<Owner>;
  try {
    owner = JSON.parse(text) as Partial<Owner>;
  } catch {
    // Being written.
    return false;
  }
  if (typeof owner.pid !== 'number' || owner.place !== (await placeOfProcess())) return false;
  try {
    process.kill(owner.pid, 0);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ESRCH';
  }
}

/** Where process ids mean the same as here: not in another container, though its name may be that of this machine. */
async function placeOfProcess(): Promise<string> {
  const namespace = await readlink('/proc/self/ns/pid').catch(() => '');
  return `${hostname()} ${namespace}`.trim();
}
