import { request } from 'node:http';
import { answeredBy, attemptHeader } from './nginx.mjs';

/** Longer than this no attempt takes, however busy the machine is: it hangs. */
const hangsAfterMs = 60_000;

/**
 * @typedef {{ text: string, by: string, prompt: number, cached: number }} Answered `by`: address of the replica; tokens of the prompt, and
 *   those of them that it still had
 */

/** A failure after which a client asks again; `name` is a word for the table. */
export class Retryable extends Error {
  /** @param {string} kind @param {number} [afterMs] */
  constructor(kind, afterMs = 100) {
    super(kind);
    this.kind = kind;
    this.afterMs = afterMs;
  }
}

/**
 * One attempt at an answer.
 *
 * @param {string} url
 * @param {{ attempt: string, conversation: string, messages: object[], stream: boolean, onBegun: (by: string) => void }} what
 * @returns {Promise<Answered>} rejects with Retryable, or with an Error for what must not happen
 */
export function ask(url, { attempt, conversation, messages, stream, onBegun }) {
  const body = JSON.stringify({ messages, stream, max_tokens: 48, ...(stream ? { stream_options: { include_usage: true } } : {}) });
  const headers = {
    'Content-Type': 'application/json',
    'Content-Length': Buffer.byteLength(body),
    'X-Conversation': conversation,
    [attemptHeader]: attempt,
  };
  return new Promise((resolve, reject) => {
    const asked = request(`${url}/v1/chat/completions`, { method: 'POST', headers, agent: false }, (response) => {
      const chunks = /** @type {Buffer[]} */ ([]);
      // Several, if the first one failed: the last one has answered.
      const by =
        String(response.headers[answeredBy] ?? '')
          .split(', ')
          .at(-1) ?? '';
      onBegun(by);
      response.on('data', (chunk) => chunks.push(chunk));
      response.on('error', () => done(new Retryable('broken off')));
      response.on('end', () => {
        done(read({ status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString('utf8'), stream, by }, response.headers));
      });
    });
    const timer = setTimeout(() => {
      done(new Error(`attempt ${attempt} hangs: nothing has ended it for ${hangsAfterMs / 1000} s`));
      asked.destroy();
    }, hangsAfterMs);
    const done = (/** @type {Answered | Error} */ result) => {
      clearTimeout(timer);
      if (result instanceof Error) reject(result);
      else resolve(result);
    };
    asked.on('error', (/** @type {NodeJS.ErrnoException} */ error) =>
      done(new Retryable(error.code === 'ECONNRESET' ? 'broken off' : `${error.code}`)),
    );
    asked.end(body);
  });
}

/**
 * @param {{ status: number, text: string, stream: boolean, by: string }} answer
 * @param {import('node:http').IncomingHttpHeaders} headers
 */
function read({ status, text, stream, by }, headers) {
  if (status === 429) return new Retryable('429', 1000 * Number(headers['retry-after'] ?? 1));
  if (status === 502 || status === 503 || status === 504) return new Retryable(String(status));
  if (status !== 200) return new Error(`status ${status}: ${text.slice(0, 200)}`);
  const whole = stream ? readStream(text) : JSON.parse(text);
  if (whole instanceof Error) return whole;
  const { usage } = whole;
  const { prompt_tokens: prompt, prompt_tokens_details } = usage;
  return { text: stream ? whole.text : whole.choices[0].message.content, by, prompt, cached: prompt_tokens_details.cached_tokens };
}

/** @param {string} text */
function readStream(text) {
  if (!text.endsWith('data: [DONE]\n\n')) return new Retryable('broken off');
  const frames = [...text.matchAll(/^data: (\{.*)$/gm)].map(([, json = '']) => JSON.parse(json));
  if (frames.some((frame) => frame.error)) return new Retryable('error in the stream');
  const usage = frames.at(-1)?.usage;
  if (!usage) return new Error(`a stream without usage: ${text.slice(-300)}`);
  return { usage, text: frames.map((frame) => frame.choices[0]?.delta?.content ?? '').join('') };
}
