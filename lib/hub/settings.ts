import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { reject } from '../options.ts';

/** What the environment says about the hub, by the variables that Python's `huggingface_hub` and llama.cpp read too. */
export interface HubSettings {
  endpoint: URL;
  /** The folder of the cache. */
  cache: string;
  /** The folder of what programs have made of models in the cache, each in a folder of its own. */
  assets: string;
  token: string | undefined;
  /** Whether nothing may be asked over the network. */
  offline: boolean;
  /** How long to wait before the first repetition of a request, and for a server that says nothing. */
  retryMs: number;
  silenceMs: number;
}

type Environment = Record<string, string | undefined>;

/** @throws NudgingError ERR_INVALID_OPTION for an HF_ENDPOINT that is no URL */
export async function hubSettings(env: Environment = process.env): Promise<HubSettings> {
  const home = homeOf(env);
  return {
    endpoint: endpointOf(env['HF_ENDPOINT'] || 'https://huggingface.co'),
    cache: hubCache(env),
    assets: resolve(expanded(env['HF_ASSETS_CACHE'] || env['HUGGINGFACE_ASSETS_CACHE']) ?? join(home, 'assets')),
    token: env['HF_TOKEN'] || env['HUGGING_FACE_HUB_TOKEN'] || (await tokenIn(expanded(env['HF_TOKEN_PATH']) ?? join(home, 'token'))),
    offline: isTrue(env['HF_HUB_OFFLINE']),
    retryMs: 500,
    silenceMs: 60_000,
  };
}

/** Where models are kept. */
export function hubCache(env: Environment = process.env): string {
  return resolve(expanded(env['HF_HUB_CACHE'] || env['HUGGINGFACE_HUB_CACHE']) ?? join(homeOf(env), 'hub'));
}

function homeOf(env: Environment): string {
  return expanded(env['HF_HOME']) ?? join(expanded(env['XDG_CACHE_HOME']) ?? join(homedir(), '.cache'), 'huggingface');
}

/** `~` is the shell's, and stays where the value was quoted or came from a file. */
function expanded(path: string | undefined): string | undefined {
  if (!path) return undefined;
  return path === '~' || path.startsWith('~/') ? join(homedir(), path.slice(1)) : path;
}

function endpointOf(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (!url || !/^https?:$/.test(url.protocol) || url.username !== '' || url.search !== '' || url.hash !== '')
    reject('HF_ENDPOINT', text, 'an http or https URL without a user, such as https://huggingface.co');
  if (!url.pathname.endsWith('/')) url.pathname += '/';
  return url;
}

async function tokenIn(path: string): Promise<string | undefined> {
  try {
    return (await readFile(path, 'utf8')).trim() || undefined;
  } catch {
    // Most have none.
    return undefined;
  }
}

function isTrue(value: string | undefined): boolean {
  return ['1', 'on', 'yes', 'true'].includes(value?.toLowerCase() ?? '');
}
