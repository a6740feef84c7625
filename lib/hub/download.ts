import { createHash, type Hash } from 'node:crypto';
import { constants } from 'node:fs';
import { mkdir, open, readFile, rename, rm, writeFile, type FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';
import { NudgingError } from '../errors.ts';
import { contentUrl, explained, type HubFile } from './api.ts';
import { chunksOf, startOf, totalOf } from './body.ts';
import { etagOf, sizeOf, type RepoCache } from './cache.ts';
import { unreachable, type HubClient } from './client.ts';
import { lock, type Lock } from './lock.ts';
import type { HubName } from './name.ts';

/** How often a download may begin again without having got any further. */
const tries = 5;

export interface Download {
  client: HubClient;
  cache: RepoCache;
  name: HubName;
  commit: string;
  file: HubFile;
  signal: AbortSignal;
  /** Called as bytes arrive, and while another process has the file. */
  report: (state: 'waiting' | 'checking' | 'receiving', received: number) => void;
}

/**
 * Brings a content into `blobs/`. What has arrived stays where it is if it is interrupted, and is gone on with; under its own name a file
 * is only there once all of it is, and is what the hub says it is.
 *
 * @returns whether it was fetched, and not there or brought by another process
 * @throws NudgingError ERR_HUB_…; the signal's reason
 */
export async function download(job: Download): Promise<boolean> {
  const { cache, file, signal, report } = job;
  const blob = cache.blob(file.hash);
  const isThere = async () => (await sizeOf(blob)) === file.bytes;
  if (await isThere()) return false;
  const held = await lock(cache.lock(file.hash), signal, () => report('waiting', 0));
  try {
    if (await isThere()) return false;
    const partial = cache.partial(file.hash);
    await mkdir(dirname(partial), { recursive: true });
    // Where somebody may still be writing into it, another file has to have the name.
    if (held.uncertain) await rm(partial, { force: true });
    await fetchInto(partial, job, held);
    await rename(partial, blob);
    await rm(etagOf(partial), { force: true });
    return true;
  } finally {
    await held.release();
  }
}

/** Fills a partial file, and checks it. */
async function fetchInto(partial: string, job: Download, held: Lock): Promise<void> {
  const { file, name } = job;
  for (let again = false; ; again = true) {
    const handle = await open(partial, constants.O_RDWR | constants.O_CREAT);
    try {
      const content = await Content.from(handle, job);
      const resumed = content.received > 0;
      await receive(content, partial, job);
      if (content.matches()) {
        await handle.sync();
        // Only if the process stood still for minutes.
        if (!(await held.held())) throw damaged(job, 'another process took over the download: try again');
        return;
      }
      await content.clear();
      // What was there may have been spoilt by a power failure. What has just come should not be.
      if (!resumed || again)
        throw damaged(job, `its hash is not ${file.hash}, as the hub says: try again, and if it stays so, tell who publishes ${name.repo}`);
    } finally {
      await handle.close();
    }
  }
}

/** A file being received: how much there is, and its hash so far. */
class Content {
  readonly file: HubFile;
  readonly #handle: FileHandle;
  #hash: Hash;
  #received = 0;

  private constructor(handle: FileHandle, file: HubFile) {
    this.#handle = handle;
    this.file = file;
    this.#hash = startHash(file);
  }

  /** Takes up what is there. */
  static async from(handle: FileHandle, { file, signal, report }: Download): Promise<Content> {
    const content = new Content(handle, file);
    const buffer = Buffer.allocUnsafe(256 * 1024);
    for (;;) {
      signal.throwIfAborted();
      const { bytesRead } = await handle.read(buffer, 0, buffer.length, content.#received);
      if (bytesRead === 0) return content;
      content.#hash.update(buffer.subarray(0, bytesRead));
      content.#received += bytesRead;
      report('checking', Math.min(content.#received, file.bytes));
    }
  }

  get received(): number {
    return this.#received;
  }

  async add(chunk: Uint8Array): Promise<void> {
    let written = 0;
    while (written < chunk.length) {
      const { bytesWritten } = await this.#handle.write(chunk, written, chunk.length - written, this.#received + written);
      written += bytesWritten;
    }
    this.#hash.update(chunk);
    this.#received += chunk.length;
  }

  async clear(): Promise<void> {
    await this.#handle.truncate(0);
    this.#received = 0;
    this.#hash = startHash(this.file);
  }

  /** Ends it. */
  matches(): boolean {
    return this.#received === this.file.bytes && this.#hash.digest('hex') === this.file.hash;
  }
}

/** The hub calls what lies in git itself by git's hash, and the rest by the content's. */
function startHash({ hash, bytes }: HubFile): Hash {
  return hash.length === 64 ? createHash('sha256') : createHash('sha1').update(`blob ${bytes}\0`);
}

/** Receives what is missing, however often the connection is cut, as long as it goes on. */
async function receive(content: Content, partial: string, job: Download): Promise<void> {
  const { client, signal, file, report } = job;
  for (let attempt = 1; content.received < file.bytes; ) {
    const before = content.received;
    let reason: unknown = new Error('the connection was closed');
    try {
      await receiveOnce(content, partial, job);
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof NudgingError || isOfDisk(error)) throw error;
      reason = error;
    }
    report('receiving', content.received);
    if (content.received >= file.bytes) return;
    attempt = content.received > before ? 1 : attempt + 1;
    if (attempt > tries) throw unreachable(client.settings.endpoint, reason);
    await client.wait(attempt);
  }
}

async function receiveOnce(content: Content, partial: string, job: Download): Promise<void> {
  const { client, name, commit, file, report } = job;
  const from = content.received;
  const etag = from === 0 ? '' : await readFile(etagOf(partial), 'utf8').catch(() => '');
  const headers: Record<string, string> = from === 0 ? {} : { range: `bytes=${from}-`, ...(etag === '' ? {} : { 'if-range': etag }) };
  // Each time anew: where it redirects to is valid for minutes.
  const request = client.get(contentUrl(client, name.repo, commit, file), headers, [200, 206, 416]);
  const response = await explained(client, name, request);
  const total = totalOf(response);
  if (total !== undefined && total !== file.bytes && response.status !== 416) {
    await response.body?.cancel();
    throw damaged(job, `the server has ${total} bytes of it, and the hub says ${file.bytes}: try again later`);
  }
  if (response.status !== 206 || startOf(response) !== from) await content.clear();
  if (response.status === 416 || (response.status === 206 && content.received !== from)) {
    await response.body?.cancel();
    return;
  }
  const mark = response.headers.get('etag') ?? '';
  // A weak one says nothing about bytes.
  if (mark.startsWith('"')) await writeFile(etagOf(partial), mark);
  else await rm(etagOf(partial), { force: true });

  report('receiving', content.received);
  for await (const chunk of chunksOf(response, client.settings.silenceMs)) {
    if (content.received + chunk.length > file.bytes) {
      await content.clear();
      throw damaged(job, `more comes than the ${file.bytes} bytes that the hub says it has: try again later`);
    }
    await content.add(chunk);
    report('receiving', content.received);
  }
}

function isOfDisk(error: unknown): boolean {
  const { code, syscall } = error as NodeJS.ErrnoException;
  return code !== undefined && ['write', 'open', 'ftruncate', 'fsync', 'read'].includes(syscall ?? '');
}

function damaged({ name, file }: Download, why: string): NudgingError {
  return new NudgingError('ERR_HUB_DAMAGED', `${file.path} of ${name.repo} did not arrive as it should: ${why}`, { value: name.text });
}
