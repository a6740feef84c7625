import { readdir, rm } from 'node:fs/promises';
import { cachedRepos, etagOf, sizeOf, type RepoCache } from './cache.ts';
import { isLocked } from './lock.ts';
import type { HubName } from './name.ts';

/** What interrupted downloads have left of a repository: pulling goes on with them. */
export interface Unfinished {
  repo: string;
  /** Contents of files. */
  count: number;
  /** Those that are there. */
  bytes: number;
}

/** Interrupted downloads by repository. What a process is downloading is none, and neither is what other programs left. */
export async function unfinishedDownloads(cache: string): Promise<Unfinished[]> {
  const found = await Promise.all((await cachedRepos(cache)).map(unfinishedOf));
  return found.filter(({ count }) => count > 0);
}

async function unfinishedOf(cache: RepoCache): Promise<Unfinished> {
  const hashes = await hashesOf(cache);
  const sizes = await Promise.all(hashes.map(async (hash) => (await sizeOf(cache.partial(hash))) ?? 0));
  return { repo: cache.repo, count: hashes.length, bytes: sizes.reduce((sum, bytes) => sum + bytes, 0) };
}

/** Those that a name means for removing: only one of a whole repository does, because half a content says nothing of its file. */
export async function unfinishedNamed(cache: string, { repo, file, quant, text }: HubName): Promise<Unfinished | undefined> {
  if (file !== undefined || quant !== undefined || text.includes('@')) return undefined;
  return (await unfinishedDownloads(cache)).find((each) => each.repo === repo);
}

/** Removes those of a repository. @returns the bytes that became free */
export async function removeUnfinished(cache: RepoCache): Promise<number> {
  let freed = 0;
  for (const hash of await hashesOf(cache)) {
    freed += (await sizeOf(cache.partial(hash))) ?? 0;
    for (const file of [cache.partial(hash), etagOf(cache.partial(hash))]) await rm(file, { force: true });
  }
  return freed;
}

async function hashesOf(cache: RepoCache): Promise<string[]> {
  const hashes = new Set<string>();
  for (const name of await readdir(cache.blobs).catch(() => [])) {
    const hash = cache.partialHash(name);
    if (hash !== undefined && !(await isLocked(cache.lock(hash)))) hashes.add(hash);
  }
  return [...hashes];
}
