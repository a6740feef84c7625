import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** What is at a commit of a repository: contents by path. Paths that end in .gguf are LFS files. */
export type Files = Record<string, Buffer | string>;

export interface Repo {
  /** Newest last. */
  commits: { id: string; files: Files }[];
  /** Branches and tags beside `main`, which is the newest. */
  refs?: Record<string, string>;
  gated?: boolean;
  private?: boolean;
}

/** What the server of contents does to one request, instead of all that it should. */
export interface Mischief {
  /** Instead of the content. */
  status?: number;
  headers?: Record<string, string>;
  /** Ends the connection after so many bytes of the body. */
  cutAfter?: number;
  /** Sends so many bytes, and then nothing any more. */
  silentAfter?: number;
  /** Waits so long between pieces of 4 KiB. */
  pauseMs?: number;
  /** Other bytes than the file's. */
  content?: Buffer;
  /** Knows nothing of ranges. */
  noRanges?: boolean;
  /** The content has another ETag from now on. */
  etag?: string;
  /** Redirects again, here or there. */
  location?: string;
}

export interface Asked {
  /** `hub`: what HF_ENDPOINT names. `content`: where it redirects to, which is another origin. */
  server: 'hub' | 'content';
  path: string;
  headers: IncomingMessage['headers'];
}

export const sha256 = (content: Buffer | string) => createHash('sha256').update(content).digest('hex');
export const gitSha1 = (content: Buffer) => createHash('sha1').update(`blob ${content.length}\0`).update(content).digest('hex');
export const commitId = (number: number) => number.toString(16).padStart(40, '0');

/** Speaks what is needed of the Hugging Face hub's protocol, over HTTP on this machine: models, revisions, trees, contents elsewhere. */
export class HubServer {
  readonly repos: Record<string, Repo> = {};
  readonly asked: Asked[] = [];
  /** A token that the hub knows; it may read everything. */
  token = 'hf_known';
  /** What happens to requests at the hub, in order; then what should. */
  hubMischief: Mischief[] = [];
  /** What happens to requests for contents; a function for all of them. */
  mischief: Mischief[] | ((asked: Asked) => Mischief | undefined) = [];
  /** Entries of a tree on one page. */
  pageSize = 1000;
  #hub: Server;
  #content: Server;

  private constructor() {
    this.#hub = createServer((request, response) => this.#atHub(request, response));
    this.#content = createServer((request, response) => this.#atContent(request, response));
  }

  static async start(): Promise<HubServer> {
    const server = new HubServer();
    await Promise.all([server.#hub, server.#content].map((one) => new Promise<void>((ready) => one.listen(0, '127.0.0.1', ready))));
    return server;
  }

  get url(): string {
    return urlOf(this.#hub);
  }

  get contentUrl(): string {
    return urlOf(this.#content);
  }

  /** Requests for contents. */
  get fetched(): Asked[] {
    return this.asked.filter(({ server }) => server === 'content');
  }

  async close(): Promise<void> {
    for (const server of [this.#hub, this.#content]) {
      server.closeAllConnections();
      await new Promise((closed) => server.close(closed));
    }
  }

  /** One repository with these files at its only commit. */
  add(repo: string, files: Files, settings: Omit<Repo, 'commits'> = {}): void {
    this.repos[repo] = { commits: [{ id: commitId(1), files }], ...settings };
  }

  #atHub(request: IncomingMessage, response: ServerResponse): void {
    const url = new URL(request.url ?? '/', this.url);
    this.asked.push({ server: 'hub', path: `${url.pathname}${url.search}`, headers: request.headers });
    const mischief = this.hubMischief.shift();
    if (mischief?.silentAfter !== undefined) return;
    if (mischief?.status !== undefined || mischief?.location !== undefined) {
      const location = mischief.location === undefined ? {} : { location: mischief.location };
      response.writeHead(mischief.status ?? 302, { ...location, ...mischief.headers }).end(mischief.content);
      return;
    }
    const parts = url.pathname.slice(1).split('/').map(decodeURIComponent);
    if (url.pathname === '/api/models') return json(response, 200, this.#found(url));
    const [owner, name, ...rest] = parts[0] === 'api' ? parts.slice(2) : parts;
    const repo = this.repos[`${owner}/${name}`];
    const token = request.headers.authorization?.replace('Bearer ', '');
    if (token !== undefined && token !== this.token) {
      return refuse(response, 401, '', 'Invalid credentials in Authorization header');
    }
    // The hub says the same of what is private and of what is not there.
    if (!repo || (repo.private && token === undefined)) {
      return refuse(response, token === undefined ? 401 : 404, 'RepoNotFound', token === undefined ? 'Invalid username or password.' : '');
    }
    const [verb = '', revision = '', ...path] = rest;
    const commit = this.#commit(repo, revision);
    if (!commit) return refuse(response, 404, 'RevisionNotFound', `Invalid rev id: ${revision}`);
    if (verb === 'revision') return json(response, 200, { id: `${owner}/${name}`, sha: commit.id, gated: repo.gated ? 'manual' : false });
    if (verb === 'tree') return this.#tree(response, url, commit.files);
    if (verb !== 'resolve') return refuse(response, 404, '', '');
    if (repo.gated && token === undefined) {
      return refuse(response, 401, 'GatedRepo', `Access to model ${owner}/${name} is restricted.`);
    }
    const content = commit.files[path.join('/')];
    if (content === undefined) return refuse(response, 404, 'EntryNotFound', 'Entry not found');
    const headers = { 'x-repo-commit': commit.id, 'x-linked-etag': `"${sha256(content)}"`, 'x-linked-size': String(content.length) };
    const location = `${this.contentUrl}/${sha256(content)}?signature=secret`;
    response.writeHead(302, { ...headers, location }).end();
  }

  #found(url: URL): { id: string }[] {
    const search = url.searchParams.get('search') ?? '';
    const author = url.searchParams.get('author');
    const ids = Object.keys(this.repos).filter((id) => !this.repos[id]?.private);
    return ids.filter((id) => (author === null ? id.includes(search) : id.startsWith(`${author}/`))).map((id) => ({ id }));
  }

  #commit(repo: Repo, revision: string): { id: string; files: Files } | undefined {
    const id = revision === 'main' ? repo.commits.at(-1)?.id : (repo.refs?.[revision] ?? revision);
    return repo.commits.find((commit) => commit.id === id);
  }

  #tree(response: ServerResponse, url: URL, files: Files): void {
    const all = Object.entries(files).map(([path, text]) => {
      const content = Buffer.from(text);
      const lfs = path.endsWith('.gguf') ? { lfs: { oid: sha256(content), size: content.length, pointerSize: 130 } } : {};
      return { type: 'file', oid: gitSha1(content), size: content.length, path, ...lfs };
    });
    const entries = [{ type: 'directory', oid: commitId(9), size: 0, path: 'folder' }, ...all];
    const from = Number(url.searchParams.get('cursor') ?? 0);
    const to = from + this.pageSize;
    const next = new URL(url);
    next.searchParams.set('cursor', String(to));
    json(response, 200, entries.slice(from, to), to < entries.length ? { link: `<${next.href}>; rel="next"` } : {});
  }

  #atContent(request: IncomingMessage, response: ServerResponse): void {
    const url = new URL(request.url ?? '/', this.contentUrl);
    const asked: Asked = { server: 'content', path: `${url.pathname}${url.search}`, headers: request.headers };
    this.asked.push(asked);
    const mischief = (Array.isArray(this.mischief) ? this.mischief.shift() : this.mischief(asked)) ?? {};
    const hash = url.pathname.slice(1);
    const files = Object.values(this.repos).flatMap(({ commits }) => commits.flatMap((commit) => Object.values(commit.files)));
    const actual = files.find((content) => sha256(content) === hash);
    if (mischief.status !== undefined || mischief.location !== undefined || actual === undefined) {
      const location = mischief.location === undefined ? {} : { location: mischief.location };
      response.writeHead(mischief.status ?? (mischief.location === undefined ? 404 : 302), { ...location, ...mischief.headers }).end();
      return;
    }
    void send(request, response, mischief.content ?? Buffer.from(actual), mischief.etag ?? `"${hash.slice(0, 8)}"`, mischief);
  }
}

function urlOf(server: Server): string {
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

function json(response: ServerResponse, status: number, value: unknown, headers: Record<string, string> = {}): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(value));
}

function refuse(response: ServerResponse, status: number, code: string, message: string): void {
  const headers = { ...(code === '' ? {} : { 'x-error-code': code }), ...(message === '' ? {} : { 'x-error-message': message }) };
  json(response, status, { error: message }, headers);
}

/** Sends a content or the range that is asked for, as far as the mischief lets it. */
async function send(
  request: IncomingMessage,
  response: ServerResponse,
  content: Buffer,
  etag: string,
  { noRanges, cutAfter, silentAfter, pauseMs, headers }: Mischief,
): Promise<void> {
  const ifRange = request.headers['if-range'];
  const [, text, last] = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? '') ?? [];
  const ranged = text !== undefined && !noRanges && (ifRange === undefined || ifRange === etag);
  const start = ranged ? Number(text) : 0;
  if (start >= content.length && ranged) {
    response.writeHead(416, { 'content-range': `bytes */${content.length}` }).end();
    return;
  }
  const stop = ranged && last ? Math.min(content.length, Number(last) + 1) : content.length;
  const body = content.subarray(start, stop);
  response.writeHead(ranged ? 206 : 200, {
    etag,
    'accept-ranges': 'bytes',
    'content-length': String(body.length),
    ...(ranged ? { 'content-range': `bytes ${start}-${stop - 1}/${content.length}` } : {}),
    ...headers,
  });
  const end = Math.min(body.length, cutAfter ?? Infinity, silentAfter ?? Infinity);
  for (let at = 0; at < end; at += 4096) {
    if (pauseMs !== undefined) await new Promise((resolve) => setTimeout(resolve, pauseMs));
    if (response.destroyed) return;
    await new Promise((written) => response.write(body.subarray(at, Math.min(at + 4096, end)), written));
  }
  if (silentAfter !== undefined) return;
  if (end < body.length) {
    // What was written before is to arrive: a connection is cut in the middle of something.
    setTimeout(() => response.destroy(), 50);
    return;
  }
  response.end();
}
