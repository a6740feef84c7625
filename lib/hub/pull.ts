import { mkdir, statfs } from 'node:fs/promises';
import { onAbort, throwIfAborted } from '../abort.ts';
import { NudgingError } from '../errors.ts';
import type { DownloadProgress, Pulled, PullOptions } from '../types.ts';
import type { HubFile } from './api.ts';
import { sizeOf } from './cache.ts';
import { HubClient } from './client.ts';
import { noSpace, onDisk } from './disk.ts';
import { download } from './download.ts';
import type { HubName } from './name.ts';
import { planFor, type Plan } from './plan.ts';
import type { HubSettings } from './settings.ts';

/** Files that are downloaded at the same time. */
const atOnce = 4;

/** Bytes of a disk that stay free. */
const spared = 64 * 2 ** 20;

/** Of the environment: where models are kept. */
const cacheVariable = 'HF_HUB_CACHE';

/** How often one file's progress is told, in milliseconds. */
const tellEveryMs = 100;

/**
 * Models by name, brought into the cache unless they are there. Their files are downloaded beside each other, and none is begun unless the
 * disk has room for all.
 *
 * @throws NudgingError ERR_HUB_…; the signal's reason; what `onProgress` throws
 */
export async function pullAll(names: readonly HubName[], settings: HubSettings, options: PullOptions): Promise<Pulled[]> {
  const { signal, onProgress, update = true } = options;
  throwIfAborted(signal);
  // The first failure, and what a callback throws, end the rest as well.
  const stop = new AbortController();
  const forget = signal && onAbort(signal, () => stop.abort(signal.reason));
  try {
    const client = new HubClient(settings, stop.signal);
    const plans = await together(names, stop, (name) => planFor(client, name, update));
    const tell = tellOf(onProgress, stop);
    const jobs = plans.flatMap((plan) => plan.missing.map((file) => ({ plan, file })));
    if (jobs.length > 0) await mustFit(settings.cache, jobs);
    // Two names may mean the same content.
    const running = new Map<string, Promise<boolean>>();
    await together(jobs, stop, async ({ plan, file }) => {
      const { cache, name, commit } = plan;
      const blob = cache.blob(file.hash);
      const report = tell(name, file);
      const other = running.get(blob);
      const arrival =
        other ?? download({ client, cache, name, commit, file, signal: stop.signal, report }).catch(onDisk(settings.cache, cacheVariable));
      running.set(blob, arrival);
      if ((await arrival) && !other) plan.downloaded += file.bytes;
      const full = await cache.place(commit, file.path, file.hash).catch(onDisk(settings.cache, cacheVariable));
      // Somebody may remove models at the same time.
      if ((await sizeOf(full)) !== file.bytes) throw new NudgingError('ERR_HUB_CACHE', `${full} was removed meanwhile: try again`);
      report('done', file.bytes);
    });
    for (const { cache, name, commit, asked } of plans) {
      // Not before: what the revision was so far can be loaded as long as this is not there.
      if (asked && (await cache.commitOf(name.revision)) !== commit)
        await cache.setRef(name.revision, commit).catch(onDisk(settings.cache, cacheVariable));
    }
    stop.signal.throwIfAborted();
    return plans.map(resultOf);
  } finally {
    forget?.();
  }
}

function resultOf({ files, commit, downloaded }: Plan): Pulled {
  const [first] = files;
  return {
    path: first?.full ?? '',
    paths: files.map(({ full }) => full),
    commit,
    bytes: files.reduce((sum, { bytes }) => sum + bytes, 0),
    downloaded,
  };
}

/** @throws NudgingError ERR_HUB_NO_SPACE */
async function mustFit(cache: string, jobs: { plan: Plan; file: HubFile }[]): Promise<void> {
  const wanted = new Map<string, number>();
  for (const { plan, file } of jobs) {
    const has = (await sizeOf(plan.cache.blob(file.hash))) ?? (await sizeOf(plan.cache.partial(file.hash))) ?? 0;
    wanted.set(plan.cache.blob(file.hash), Math.max(0, file.bytes - has));
  }
  const needed = [...wanted.values()].reduce((sum, bytes) => sum + bytes, 0);
  await mkdir(cache, { recursive: true }).catch(onDisk(cache, cacheVariable));
  let available: number;
  try {
    const { bavail, bsize } = await statfs(cache);
    available = bavail * bsize;
  } catch {
    // A file system that does not say. Writing will.
    return;
  }
  if (needed === 0 || needed + spared <= available) return;
  throw noSpace(cache, cacheVariable, { needed, available });
}

/** Does this for all, a few at a time; after a failure it begins no more, ends what runs, waits for that, and throws the failure. */
async function together<T, R>(items: readonly T[], stop: AbortController, act: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  let next = 0;
  let failed: { reason: unknown } | undefined;
  const worker = async () => {
    while (next < items.length && !failed) {
      const index = next;
      next += 1;
      try {
        stop.signal.throwIfAborted();
        results[index] = await act(items[index] as T);
      } catch (reason) {
        // What ends because of the first failure is not one of its own.
        failed ??= { reason };
        stop.abort(reason);
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(atOnce, items.length) }, worker));
  if (failed) throw failed.reason;
  return results;
}

type Tell = (state: DownloadProgress['state'], received: number) => void;

/** Tells the user's function, now and then. What it throws, or a promise of it, ends all. */
function tellOf(onProgress: PullOptions['onProgress'], stop: AbortController): (name: HubName, file: HubFile) => Tell {
  return (name, file) => {
    let told = -Infinity;
    let last: DownloadProgress['state'] | undefined;
    return (state, received) => {
      const now = performance.now();
      if (!onProgress || stop.signal.aborted || (state === last && now - told < tellEveryMs)) return;
      told = now;
      last = state;
      const fraction = file.bytes === 0 ? 1 : received / file.bytes;
      try {
        const returned: unknown = onProgress({
          kind: 'download',
          name: name.text,
          file: file.path,
          state,
          received,
          bytes: file.bytes,
          fraction,
        });
        void Promise.resolve(returned).catch((thrown: unknown) => stop.abort(thrown));
      } catch (thrown) {
        stop.abort(thrown);
      }
    };
  };
}
