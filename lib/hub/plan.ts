import { NudgingError } from '../errors.ts';
import { commitOf, filesAt, isCommit, type HubFile } from './api.ts';
import { RepoCache, type CachedFile } from './cache.ts';
import { chosen, noneChosen } from './choose.ts';
import type { HubClient } from './client.ts';
import type { HubName } from './name.ts';

/** What a name comes to. */
export interface Plan {
  name: HubName;
  cache: RepoCache;
  commit: string;
  /** Paths inside the repository, and on this disk. */
  files: { path: string; full: string; bytes: number }[];
  /** The same as the hub describes them; nothing where it was not asked. */
  wanted: HubFile[];
  /** Those of them that the cache lacks. */
  missing: HubFile[];
  /** Bytes of those that this process fetched. */
  downloaded: number;
  /** Whether the hub said so, and not the cache. */
  asked: boolean;
}

/**
 * Which files a name means, and which of them the cache lacks. Nothing is downloaded.
 *
 * @param update whether to ask the hub what the revision is now, though the cache has one
 * @throws NudgingError ERR_HUB_…
 */
export async function planFor(client: HubClient, name: HubName, update: boolean): Promise<Plan> {
  const cache = new RepoCache(client.settings.cache, name.repo);
  if (!update || client.settings.offline || isCommit(name.revision)) {
    const known = await cached(cache, name);
    if (known) return { name, cache, ...known, wanted: [], missing: [], downloaded: 0, asked: false };
    if (client.settings.offline) throw notCached(cache, name);
  }
  const commit = await commitOf(client, name);
  const all = await filesAt(client, name, commit);
  const files = chosen(all, name);
  if (!files) throw noneChosen(all, name);
  const there = await Promise.all(files.map(({ path, bytes }) => cache.fileAt(commit, path).then((file) => file?.bytes === bytes)));
  return {
    name,
    cache,
    commit,
    files: files.map(({ path, bytes }) => ({ path, bytes, full: cache.snapshot(commit, path) })),
    wanted: files,
    missing: files.filter((_, index) => !there[index]),
    downloaded: 0,
    asked: true,
  };
}

/** What the cache has for a name, if it has all of it. */
async function cached(cache: RepoCache, name: HubName): Promise<{ commit: string; files: CachedFile[] } | undefined> {
  const commit = await cache.commitOf(name.revision);
  const files = commit === undefined ? undefined : chosen(await cache.filesAt(commit), name);
  return commit === undefined || files === undefined ? undefined : { commit, files };
}

function notCached(cache: RepoCache, { text, repo }: HubName): NudgingError {
  const remedy = `unset HF_HUB_OFFLINE once and run \`nudging pull ${text}\`, or copy ${cache.folder} from a machine that has it`;
  return new NudgingError('ERR_HUB_OFFLINE', `${text} is not in the cache, and HF_HUB_OFFLINE forbids to ask for ${repo}: ${remedy}`, {
    value: text,
  });
}
