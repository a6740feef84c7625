import { link, mkdir, readdir, readFile, readlink, rename, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { dirname, join, relative, sep } from 'node:path';
import { randomUUID } from 'node:crypto';
import { isCommit } from './api.ts';
import { isHubFile, isRepo } from './name.ts';

/** A file in a snapshot. */
export interface CachedFile {
  /** Inside its repository, with slashes. */
  path: string;
  /** On this disk. */
  full: string;
  bytes: number;
}

const prefix = 'models--';

/**
 * What the cache has of one repository, in the layout that Python's `huggingface_hub` and llama.cpp share: contents in `blobs/` by their
 * hashes, `refs/` that say which commit a revision was, and `snapshots/` of commits, whose files are links to contents.
 */
export class RepoCache {
  readonly repo: string;
  readonly folder: string;
  readonly #locks: string;

  constructor(cache: string, repo: string) {
    const name = `${prefix}${repo.replace('/', '--')}`;
    this.repo = repo;
    this.folder = join(cache, name);
    this.#locks = join(cache, '.locks', name);
  }

  get blobs(): string {
    return join(this.folder, 'blobs');
  }

  blob(hash: string): string {
    return join(this.blobs, hash);
  }

  /**
   * A content that is not complete. Not under the name that Python gives its own: it appends to that without looking, and the two cannot
   * see each other's locks.
   */
  partial(hash: string): string {
    return `${this.blob(hash)}.nudging.incomplete`;
  }

  /** The hash whose content a file in `blobs/` has in part, if it is such a file. */
  partialHash(name: string): string | undefined {
    return /^([0-9a-f]+)\.nudging\.incomplete(?:\.etag)?$/.exec(name)?.[1];
  }

  /** Likewise: what Python locks lies there for ever, and says nothing about who holds it. */
  lock(hash: string): string {
    return join(this.#locks, `${hash}.nudging.lock`);
  }

  get locks(): string {
    return this.#locks;
  }

  snapshot(commit: string, path = ''): string {
    return join(this.folder, 'snapshots', commit, ...path.split('/'));
  }

  /** The commit that a revision was when it was last asked for. */
  async commitOf(revision: string): Promise<string | undefined> {
    if (isCommit(revision)) return revision;
    try {
      const commit = (await readFile(this.#ref(revision), 'utf8')).trim();
      return isCommit(commit) ? commit : undefined;
    } catch {
      return undefined;
    }
  }

  /** Every revision that is known, by its commit. */
  async refs(): Promise<Map<string, string[]>> {
    const refs = new Map<string, string[]>();
    const folder = join(this.folder, 'refs');
    for (const entry of await entriesOf(folder)) {
      const revision = entry.split(sep).join('/');
      const commit = await this.commitOf(revision);
      if (commit !== undefined) refs.set(commit, [...(refs.get(commit) ?? []), revision]);
    }
    return refs;
  }

  async setRef(revision: string, commit: string): Promise<void> {
    if (isCommit(revision)) return;
    const path = this.#ref(revision);
    await mkdir(dirname(path), { recursive: true });
    const incoming = `${path}.${randomUUID()}`;
    await writeFile(incoming, commit);
    await rename(incoming, path);
  }

  async removeRef(revision: string): Promise<void> {
    await rm(this.#ref(revision), { force: true });
  }

  #ref(revision: string): string {
    return join(this.folder, 'refs', ...revision.split('/'));
  }

  async commits(): Promise<string[]> {
    try {
      return (await readdir(join(this.folder, 'snapshots'))).filter(isCommit);
    } catch {
      return [];
    }
  }

  /** The files of a commit that are there; not links that lead nowhere. */
  async filesAt(commit: string): Promise<CachedFile[]> {
    const files: CachedFile[] = [];
    const folder = this.snapshot(commit);
    for (const entry of await entriesOf(folder)) {
      const path = entry.split(sep).join('/');
      const file = isHubFile(path) ? await this.fileAt(commit, path) : undefined;
      if (file) files.push(file);
    }
    return files.sort((a, b) => (a.path < b.path ? -1 : 1));
  }

  async fileAt(commit: string, path: string): Promise<CachedFile | undefined> {
    const full = this.snapshot(commit, path);
    const bytes = await sizeOf(full);
    return bytes === undefined ? undefined : { path, full, bytes };
  }

  /**
   * Puts a content that is in `blobs/` into a snapshot. Where links need a privilege, as on Windows, it gets a second name there, which
   * needs none; where there is no such thing either, it moves.
   */
  async place(commit: string, path: string, hash: string): Promise<string> {
    const full = this.snapshot(commit, path);
    await mkdir(dirname(full), { recursive: true });
    const blob = this.blob(hash);
    // Made aside, because there may be one that leads nowhere, or to what the file was for somebody else.
    const incoming = join(this.folder, 'snapshots', `.${randomUUID()}`);
    const depth = relative(dirname(full), blob);
    const ways = [() => symlink(depth, incoming), () => link(blob, incoming), () => rename(blob, incoming)];
    for (const way of ways) {
      try {
        await way();
        break;
      } catch (error) {
        if (way === ways.at(-1)) throw error;
      }
    }
    await rename(incoming, full);
    return full;
  }

  /** Whether any snapshot has a content. */
  async isUsed(hash: string): Promise<boolean> {
    for (const entry of await entriesOf(join(this.folder, 'snapshots'))) {
      if ((await this.hashOf(join(this.folder, 'snapshots', entry))) === hash) return true;
    }
    // A second name is as good as a link.
    return (await stat(this.blob(hash))).nlink > 1;
  }

  /** The hash of the content that a file is the second name of, if it is. */
  async blobLike(full: string): Promise<string | undefined> {
    const { ino, dev, nlink } = await stat(full);
    if (nlink < 2) return undefined;
    for (const name of await readdir(this.blobs).catch(() => [])) {
      const other = await stat(this.blob(name));
      if (other.ino === ino && other.dev === dev) return name;
    }
    return undefined;
  }

  /** The hash of the content that a snapshot's file links to, where it does. */
  async hashOf(full: string): Promise<string | undefined> {
    try {
      return (await readlink(full)).split(/[\\/]/).at(-1);
    } catch {
      return undefined;
    }
  }
}

/** The file with what the server called the content that a partial file begins with. */
export function etagOf(partial: string): string {
  return `${partial}.etag`;
}

/** The repositories that the cache knows. */
export async function cachedRepos(cache: string): Promise<RepoCache[]> {
  let names: string[];
  try {
    names = await readdir(cache);
  } catch {
    return [];
  }
  const repos = names.filter((name) => name.startsWith(prefix)).map((name) => name.slice(prefix.length).replace('--', '/'));
  return repos
    .filter(isRepo)
    .sort()
    .map((repo) => new RepoCache(cache, repo));
}

/** The size of a file, through links; undefined for what is none. */
export async function sizeOf(path: string): Promise<number | undefined> {
  try {
    const stats = await stat(path);
    return stats.isFile() ? stats.size : undefined;
  } catch {
    return undefined;
  }
}

/** Files and links under a folder, relative to it. */
async function entriesOf(folder: string): Promise<string[]> {
  try {
    const entries = await readdir(folder, { recursive: true, withFileTypes: true });
    return entries
      .filter((entry) => entry.isFile() || entry.isSymbolicLink())
      .map((entry) => relative(folder, join(entry.parentPath, entry.name)));
  } catch {
    return [];
  }
}
