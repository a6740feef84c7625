import { NudgingError } from '../errors.ts';
import { isObject } from '../options.ts';
import { nearest } from '../nearest.ts';
import { HubRefusal, unreachable, type HubClient } from './client.ts';
import { isHubFile, isRepo, type HubName } from './name.ts';

/** A file of a repository. */
export interface HubFile {
  path: string;
  bytes: number;
  /** SHA-256 of the content, or git's SHA-1 of a file that lies in git itself. The cache calls the file by it, and so do ETags. */
  hash: string;
}

/** A thousand files each: no repository of models has as many. */
const mostPages = 100;

/** The commit that a revision means now. @throws NudgingError */
export async function commitOf(client: HubClient, name: HubName): Promise<string> {
  if (isCommit(name.revision)) return name.revision;
  const url = client.url('api', 'models', ...name.repo.split('/'), 'revision', name.revision);
  const { value } = await explained(client, name, client.json(url));
  const commit = isObject(value) ? value['sha'] : undefined;
  if (typeof commit !== 'string' || !isCommit(commit)) throw unreachable(url, new Error('its answer names no commit'));
  return commit;
}

/** The files of a repository at a commit, without those whose names cannot be names here. @throws NudgingError */
export async function filesAt(client: HubClient, name: HubName, commit: string): Promise<HubFile[]> {
  const files: HubFile[] = [];
  let url: URL | undefined = client.url('api', 'models', ...name.repo.split('/'), 'tree', commit);
  url.search = '?recursive=true';
  for (let page = 0; url !== undefined; page += 1) {
    if (page === mostPages) throw unreachable(url, new Error('its list of files does not end'));
    const from: URL = url;
    const { value, next } = await explained(client, name, client.json(from));
    if (!Array.isArray(value)) throw unreachable(from, new Error('its answer is no list of files'));
    files.push(...value.flatMap(fileIn));
    url = next;
  }
  return files;
}

/** One entry of the hub's answer, or nothing if it is a folder or not as it should be. */
function fileIn(entry: unknown): HubFile[] {
  if (!isObject(entry) || entry['type'] !== 'file') return [];
  const { path, size, oid, lfs } = entry;
  const [hash, bytes] = isObject(lfs) ? [lfs['oid'], lfs['size']] : [oid, size];
  const length = isObject(lfs) ? 64 : 40;
  if (typeof path !== 'string' || !isHubFile(path) || typeof hash !== 'string' || !isHash(hash, length)) return [];
  return Number.isSafeInteger(bytes) && (bytes as number) >= 0 ? [{ path, bytes: bytes as number, hash }] : [];
}

export function isCommit(text: string): boolean {
  return isHash(text, 40);
}

function isHash(text: string, length: number): boolean {
  return text.length === length && /^[0-9a-f]+$/.test(text);
}

/** The URL of a file's content. */
export function contentUrl(client: HubClient, repo: string, commit: string, { path }: HubFile): URL {
  return client.url(...repo.split('/'), 'resolve', commit, ...path.split('/'));
}

/** What a request comes to; a refusal as an error that says how to mend it. */
export async function explained<T>(client: HubClient, name: HubName, request: Promise<T>): Promise<T> {
  try {
    return await request;
  } catch (reason) {
    if (!(reason instanceof HubRefusal)) throw reason;
    throw await explanation(client, name, reason);
  }
}

async function explanation(client: HubClient, name: HubName, refusal: HubRefusal): Promise<NudgingError> {
  const { repo, revision } = name;
  const { status, code, words } = refusal;
  const { endpoint, token } = client.settings;
  const error = (kind: 'NOT_FOUND' | 'GATED' | 'UNAUTHORIZED' | 'UNREACHABLE', message: string) =>
    new NudgingError(`ERR_HUB_${kind}`, message, { value: name.text, cause: refusal });
  const page = `${endpoint.href}${repo}`;
  const unsaid = token !== undefined && !client.speaksToken ? ' (a token is set, but never said over http to another machine)' : '';
  const login = `set HF_TOKEN to a token of ${endpoint.href}settings/tokens${unsaid}`;

  if (code === 'GatedRepo') {
    const then = client.speaksToken ? 'with the account of your token, and try again' : `then ${login}`;
    return error('GATED', `${repo} is gated: accept its licence at ${page} ${then}`);
  }
  if (code === 'RevisionNotFound') return error('NOT_FOUND', `${repo} has no branch, tag or commit "${revision}": see ${page}/tree/main`);
  if (code === 'EntryNotFound')
    return error('NOT_FOUND', `${repo} has no such file at "${revision}" (${name.text}): see ${page}/tree/main`);
  if (status === 401 && /credentials/i.test(words)) {
    return error('UNAUTHORIZED', `${endpoint.host} does not know the token: set HF_TOKEN to one that is valid, or to none`);
  }
  if (code === 'RepoNotFound' || status === 404 || (status === 401 && !client.speaksToken)) {
    const near = await nearNames(client, repo);
    const remedy = near === undefined ? 'check owner and name' : `did you mean hf:${near}?`;
    const stop = near === undefined ? '.' : '';
    const orPrivate = client.speaksToken ? ' that the token may read' : '';
    const privately = client.speaksToken ? '' : `${stop} If it is private, ${login}.`;
    return error('NOT_FOUND', `there is no repository ${repo} on ${endpoint.host}${orPrivate}: ${remedy}${privately}`);
  }
  if (status === 401 || status === 403) {
    const said = words === '' ? `HTTP ${status}` : words;
    const remedy = client.speaksToken ? 'use a token that may read it (HF_TOKEN)' : login;
    return error('UNAUTHORIZED', `${endpoint.host} does not show ${repo} to you (${said}): ${remedy}`);
  }
  return error('UNREACHABLE', `${endpoint.host} refuses the request for ${repo} (${refusal.message}): check HF_ENDPOINT`);
}

/** A repository whose name is near, if the hub finds one. */
async function nearNames(client: HubClient, repo: string): Promise<string | undefined> {
  const [owner = '', name = ''] = repo.split('/');
  try {
    const url = client.url('api', 'models');
    const found = new Set<string>();
    for (const query of [`search=${encodeURIComponent(name)}`, `author=${encodeURIComponent(owner)}`]) {
      url.search = `?${query}&limit=50`;
      const { value } = await client.json(url);
      const ids = Array.isArray(value) ? value.map((model: unknown) => (isObject(model) ? model['id'] : undefined)) : [];
      for (const id of ids) if (typeof id === 'string' && isRepo(id)) found.add(id);
    }
    return nearest(repo, [...found]);
  } catch {
    // It was only to be helpful.
    return undefined;
  }
}
