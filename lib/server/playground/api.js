import { eventsOf, textsOf } from './events.js';

/** What goes wrong between page and server, with what the server says of it. */
export class Refusal extends Error {
  /** @param {number} status 0: there was no answer at all @param {string} message @param {string} [code] */
  constructor(status, message, code) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

const keyName = 'nudging.key';

/** The key lives as long as the tab, and in it alone. @param {string} key */
export function useKey(key) {
  sessionStorage.setItem(keyName, key);
}

export const hasKey = () => sessionStorage.getItem(keyName) !== null;

/** @param {string} path relative to the page, which may be below a proxy's path @param {RequestInit} [init] */
async function call(path, init = {}) {
  const key = sessionStorage.getItem(keyName);
  const headers = { ...init.headers, ...(key === null ? {} : { Authorization: `Bearer ${key}` }) };
  const response = await fetch(new URL(path, document.baseURI), { ...init, headers, credentials: 'omit', cache: 'no-store' }).catch(
    (error) => {
      if (init.signal?.aborted) throw error;
      throw new Refusal(0, 'the server does not answer: is it still running?');
    },
  );
  if (response.ok) return response;
  const { error } = await response.json().catch(() => ({ error: undefined }));
  const wait = response.headers.get('retry-after');
  const message = error?.message ?? `the server answers with status ${response.status}`;
  throw new Refusal(
    response.status,
    wait === null || /try again/.test(message) ? message : `${message} (try again in ${wait} s)`,
    error?.code,
  );
}

/**
 * What the server has.
 *
 * @returns {Promise<{ properties: any, models: any[] }>}
 * @throws {Refusal}
 */
export async function whatThereIs() {
  const [properties, models] = await Promise.all(['props', 'v1/models'].map(async (path) => (await call(path)).json()));
  return { properties, models: models.data };
}

/**
 * Asks, and tells of each piece as it comes.
 *
 * @param {object} body of a chat completion, without what makes it a stream
 * @param {{ signal: AbortSignal, onPiece: (piece: import('../../types.ts').Piece) => void }} options
 * @returns {Promise<any>} the whole answer as JSON, with its decisions
 * @throws {Refusal}
 */
export async function ask(body, { signal, onPiece }) {
  const response = await call('v1/chat/completions', {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ ...body, stream: true }),
    signal,
  });
  /** @type {any} */
  let answer;
  for await (const event of eventsOf(textsOf(/** @type {ReadableStream<Uint8Array<ArrayBuffer>>} */ (response.body)))) {
    if (event.error) throw new Refusal(500, event.error.message, event.error.code);
    const [{ delta, nudging }] = event.choices;
    if (nudging.answer) answer = nudging.answer;
    else {
      const { source, top_probability: topProbability } = nudging;
      const text = delta.reasoning_content ?? delta.content;
      const thinking = delta.reasoning_content === undefined ? {} : { thinking: /** @type {const} */ (true) };
      onPiece({ text, source, ...(topProbability === undefined ? {} : { topProbability }), ...thinking });
    }
  }
  if (!answer) throw new Refusal(500, 'the server has sent no end of the answer');
  return answer;
}
