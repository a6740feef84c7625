import { readdir, rm, rmdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { cachedRepos, type CachedFile, type RepoCache } from './cache.ts';
import { isModel, partOf } from './choose.ts';
import { lock } from './lock.ts';
import { nameOf, type HubName } from './name.ts';
import { removeUnfinished, type Unfinished } from './unfinished.ts';

/** A model in the cache: one GGUF file of one revision, or all parts of a split one. */
export interface CachedModel {
  /** What `load` takes for it. */
  name: string;
  repo: string;
  /** Inside the repository; of a split model the first part. */
  file: string;
  commit: string;
  /** Branches and tags that the commit was when they were last asked for. */
  revisions: string[];
  /** Files of the same content, in other revisions, share their bytes. */
  bytes: number;
  /** When its files were last read or written, as the file system remembers it. */
  lastUsed: Date;
  paths: string[];
}

/** The models that the cache has whole, whichever program brought them there. */
export async function cachedModels(cache: string): Promise<CachedModel[]> {
  const found: CachedModel[] = [];
  for (const repo of await cachedRepos(cache)) found.push(...(await modelsOf(repo)));
  return found;
}

async function modelsOf(cache: RepoCache): Promise<CachedModel[]> {
  const refs = await cache.refs();
  const models: CachedModel[] = [];
  for (const commit of await cache.commits()) {
    const revisions = refs.get(commit) ?? [];
    const revision = revisions.includes('main') ? 'main' : (revisions[0] ?? commit);
    for (const files of wholeModels(await cache.filesAt(commit))) {
      const times = await Promise.all(files.map(({ full }) => stat(full)));
      models.push({
        name: nameOf(cache.repo, files[0]?.path ?? '', revision),
        repo: cache.repo,
        file: files[0]?.path ?? '',
        commit,
        revisions,
        bytes: files.reduce((sum, { bytes }) => sum + bytes, 0),
        lastUsed: new Date(Math.max(...times.flatMap(({ atimeMs, mtimeMs }) => [atimeMs, mtimeMs]))),
        paths: files.map(({ full }) => full),
      });
    }
  }
  return models;
}

/** Files that make a model together, in order. */
function wholeModels(files: readonly CachedFile[]): CachedFile[][] {
  const groups = new Map<string, CachedFile[]>();
  for (const file of files) {
    if (!isModel(file.path)) continue;
    const key = partOf(file.path)?.whole ?? file.path;
    groups.set(key, [...(groups.get(key) ?? []), file]);
  }
  return [...groups.values()].filter((group) => group.length === (partOf(group[0]?.path ?? '')?.count ?? 1));
}

/** The models that a name means for removing: without a revision, those of all revisions. */
export async function modelsNamed(cache: string, name: HubName): Promise<CachedModel[]> {
  const repo = (await cachedRepos(cache)).find((each) => each.repo === name.repo);
  const anyRevision = !name.text.includes('@');
  return (repo ? await modelsOf(repo) : []).filter(
    ({ file, commit, revisions }) =>
      (anyRevision || commit === name.revision || revisions.includes(name.revision)) &&
      (name.file === undefined || partOf(file)?.whole === partOf(name.file)?.whole) &&
      (name.file === undefined || partOf(file) !== undefined || file === name.file) &&
      (name.quant === undefined || file.toLowerCase().includes(name.quant.toLowerCase())),
  );
}

/**
 * Removes models and interrupted downloads, and the contents that nothing else in the cache links to. What a process is downloading stays.
 *
 * @param unfinished the repositories whose interrupted downloads go
 * @returns the bytes that became free
 */
export async function removeModels(
  cache: string,
  models: readonly CachedModel[],
  unfinished: readonly Unfinished[],
  signal: AbortSignal,
): Promise<number> {
  let freed = 0;
  for (const repo of await cachedRepos(cache)) {
    const paths = models.filter((model) => model.repo === repo.repo).flatMap((model) => model.paths);
    const halves = unfinished.some((each) => each.repo === repo.repo);
    if (paths.length === 0 && !halves) continue;
    if (halves) freed += await removeUnfinished(repo);
    freed += await removeContents(repo, paths, signal);
    await tidy(repo);
  }
  return freed;
}

async function removeContents(cache: RepoCache, paths: readonly string[], signal: AbortSignal): Promise<number> {
  const contents = new Set<string>();
  let freed = 0;
  for (const path of paths) {
    const hash = (await cache.hashOf(path)) ?? (await cache.blobLike(path));
    if (hash === undefined) freed += (await stat(path)).size;
    else contents.add(hash);
    await rm(path, { force: true });
  }
  for (const hash of contents) {
    // Nobody may find it there, and link to it, while it goes.
    const held = await lock(cache.lock(hash), signal, () => {});
    try {
      if (await cache.isUsed(hash)) continue;
      const { size } = await stat(cache.blob(hash));
      await rm(cache.blob(hash));
      freed += size;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    } finally {
      await held.release();
    }
  }
  return freed;
}

/** Removes what is left of revisions without files, and of a repository without any. */
async function tidy(cache: RepoCache): Promise<void> {
  await removeEmpty(join(cache.folder, 'snapshots'));
  const commits = new Set(await cache.commits());
  for (const [commit, revisions] of await cache.refs()) {
    if (!commits.has(commit)) for (const revision of revisions) await cache.removeRef(revision);
  }
  if (commits.size === 0) await removeUnfinished(cache);
  for (const folder of ['refs', 'blobs', '']) await removeEmpty(join(cache.folder, folder));
  await removeEmpty(cache.locks);
}

/** Removes folders without files, the innermost first. */
async function removeEmpty(folder: string): Promise<void> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  for (const entry of entries) if (entry.isDirectory()) await removeEmpty(join(folder, entry.name));
  // One that is not empty stays.
  await rmdir(folder).catch(() => {});
}
