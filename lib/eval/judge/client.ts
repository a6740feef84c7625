import { setTimeout as sleep } from 'node:timers/promises';
import { EvaluationError } from '../evaluation-error.ts';
import { isObject } from '../../options.ts';

/** An OpenAI-compatible server that judges. */
export interface JudgeServer {
  /** Base address, with or without /chat/completions, such as `https://api.openai.com/v1`. */
  url: string;
  model: string;
  key?: string;
  /** Milliseconds that one request may take. Default 60,000. */
  timeout?: number;
  /** How often a request is sent at most. Default 5. */
  attempts?: number;
  /** Milliseconds before the second attempt, doubled each time; a Retry-After header goes before it. Default 1,000. */
  pause?: number;
}

/** A server asks for more patience than anybody has; longer waits are cut to this. */
const longestPause = 120_000;

/** A reply that came, and that says no. Not worth another attempt. */
class Refused extends EvaluationError {}

/**
 * Asks for one completion, at temperature 0 and as a JSON object. Too many requests (429), failures of the server (5xx), timeouts and
 * broken connections are tried again.
 *
 * @returns the text of the reply
 * @throws EvaluationError when no attempt succeeded; the signal's reason if it was aborted
 */
export async function complete(server: JudgeServer, message: string, signal: AbortSignal): Promise<string> {
  const { attempts = 5, pause = 1000 } = server;
  let failure = '';
  for (let attempt = 1; attempt <= attempts; attempt += 1) {
    signal.throwIfAborted();
    let wait = pause * 2 ** (attempt - 1);
    try {
      const response = await send(server, message, signal);
      if (response.ok) return textOf(await response.text());
      failure = `${response.status} ${response.statusText}: ${(await response.text()).slice(0, 200)}`;
      if (response.status !== 429 && response.status < 500)
        throw new Refused(`the judge "${server.url}" refuses (${failure}): ${remedyFor(response)}`);
      wait = retryAfter(response) ?? wait;
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof EvaluationError) throw error;
      failure = whyOf(error as Error);
    }
    if (attempt < attempts) await sleep(Math.min(wait, longestPause), undefined, { signal });
  }
  throw new EvaluationError(
    `the judge "${server.url}" did not answer in ${attempts} attempts (${failure}): check --judge, or try again later`,
  );
}

function send({ url, model, key, timeout = 60_000 }: JudgeServer, message: string, signal: AbortSignal): Promise<Response> {
  const body = { model, messages: [{ role: 'user', content: message }], temperature: 0, response_format: { type: 'json_object' } };
  return fetch(addressOf(url), {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...(key === undefined ? {} : { authorization: `Bearer ${key}` }) },
    body: JSON.stringify(body),
    signal: AbortSignal.any([signal, AbortSignal.timeout(timeout)]),
  });
}

/** @throws EvaluationError for what is no address */
export function addressOf(url: string): string {
  const whole = url.replace(/\/+$/, '').replace(/(\/chat\/completions)?$/, '/chat/completions');
  if (!URL.canParse(whole) || !/^https?:$/.test(new URL(whole).protocol)) {
    throw new EvaluationError(`--judge "${url}" is no address: write something like https://api.openai.com/v1`);
  }
  return whole;
}

function remedyFor({ status }: Response): string {
  if (status === 401 || status === 403) return 'set JUDGE_API_KEY or OPENAI_API_KEY to a key that may use this model';
  return status === 404 ? 'check the address of --judge and the name of --judge-model' : 'check --judge and --judge-model';
}

/** Seconds or a date, as milliseconds from now; undefined where the server does not say. */
function retryAfter({ headers }: Response): number | undefined {
  const value = headers.get('retry-after');
  if (value === null) return undefined;
  const seconds = Number(value);
  if (Number.isFinite(seconds)) return Math.max(0, seconds * 1000);
  const date = Date.parse(value);
  return Number.isNaN(date) ? undefined : Math.max(0, date - Date.now());
}

function whyOf(error: Error): string {
  const cause = error.cause as { code?: string; message?: string } | undefined;
  return error.name === 'TimeoutError' ? 'no reply in time' : (cause?.code ?? cause?.message ?? error.message);
}

function textOf(body: string): string {
  let reply: unknown;
  try {
    reply = JSON.parse(body);
  } catch {
    throw new EvaluationError(
      `the judge answers ${JSON.stringify(body.slice(0, 80))}, which is no JSON: is --judge an OpenAI-compatible address?`,
    );
  }
  const choices = isObject(reply) ? reply['choices'] : undefined;
  const message: unknown = Array.isArray(choices) && isObject(choices[0]) ? choices[0]['message'] : undefined;
  // A refusal to answer has no content; that is no verdict, and said so by whoever reads it.
  return isObject(message) && typeof message['content'] === 'string' ? message['content'] : '';
}
