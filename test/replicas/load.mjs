import { setTimeout as sleep } from 'node:timers/promises';
import { ask, Retryable } from './client.mjs';

const questions = [
  'What is a harbor?',
  'What is a blur?',
  'What is a bridge?',
  'What is a candle?',
  'What is a sculpture?',
  'What is a game?',
];
/** Turns after which a client begins another conversation. */
const turns = 4;

/**
 * @typedef {object} Request
 * @property {number} at milliseconds since the load began
 * @property {number} ms until it was over
 * @property {boolean} stream
 * @property {string} conversation
 * @property {string[]} errors of the attempts that were asked again
 * @property {string} [begun] who has begun to answer
 * @property {import('./client.mjs').Answered | undefined} answer
 * @property {string} [failure]
 */

/**
 * Clients that talk until they are stopped, every second one without streams. Each asks again after an error, three times at most.
 */
export class Load {
  /** @type {Request[]} */
  requests = [];
  /** @type {string[]} ids of all that were sent */
  attempts = [];
  #stopped = false;
  #began = performance.now();
  #conversations;

  /** @param {string} url @param {{ clients: number, name: string, conversations?: number }} how `conversations`: of each client */
  constructor(url, { clients, name, conversations = Number.POSITIVE_INFINITY }) {
    this.url = url;
    this.#conversations = conversations;
    /** Until all have stopped. @type {Promise<void>} */
    this.over = Promise.all(Array.from({ length: clients }, (_, index) => this.#client(`${name}-${index}`, index % 2 === 0))).then(
      () => {},
    );
  }

  /** Milliseconds since it began. */
  now() {
    return performance.now() - this.#began;
  }

  /** Returns when a replica is in the middle of a stream. @param {string} by its address */
  async streaming(by) {
    const isOpen = (/** @type {Request} */ { stream, begun, ms }) => stream && begun === by && ms === 0;
    while (!this.requests.some(isOpen)) await sleep(1);
  }

  /** Returns when the last request is over. */
  async stop() {
    this.#stopped = true;
    await this.over;
  }

  /** @param {string} client @param {boolean} stream */
  async #client(client, stream) {
    for (let number = 0; number < this.#conversations && !this.#stopped; number += 1) {
      const conversation = `${client}-${number}`;
      const messages = /** @type {{ role: string, content: string }[]} */ ([]);
      for (let turn = 0; turn < turns && !this.#stopped; turn += 1) {
        const question = questions[(number + turn) % questions.length] ?? '';
        // Conversations must not begin alike, or their prefixes would be everywhere.
        messages.push({ role: 'user', content: turn === 0 ? `This is talk ${conversation}. ${question}` : question });
        const answer = await this.#request({ conversation, messages, stream });
        if (!answer) break;
        messages.push({ role: 'assistant', content: answer.text });
        // Nobody reads faster than that; and it leaves the machine room for a replica that starts.
        await sleep(100);
      }
    }
  }

  /** @param {{ conversation: string, messages: object[], stream: boolean }} what */
  async #request({ conversation, messages, stream }) {
    const request = /** @type {Request} */ ({ at: this.now(), ms: 0, stream, conversation, errors: [], answer: undefined });
    this.requests.push(request);
    while (request.answer === undefined && request.failure === undefined) {
      const attempt = `${conversation}-${this.attempts.length}`;
      this.attempts.push(attempt);
      try {
        request.answer = await ask(this.url, {
          attempt,
          conversation,
          messages,
          stream,
          onBegun: (by) => {
            request.begun = by;
          },
        });
      } catch (error) {
        delete request.begun;
        if (error instanceof Retryable) {
          request.errors.push(error.kind);
          if (request.errors.length > 3) request.failure = `gave up after ${request.errors.join(', ')}`;
          else await sleep(error.afterMs);
        } else request.failure = String(error);
      }
    }
    request.ms = this.now() - request.at;
    return request.answer;
  }
}

/** The share of prompts' tokens that were in the KV cache, of all turns but a conversation's first. @param {readonly Request[]} requests */
export function cachedShare(requests) {
  const seen = new Set();
  let [prompt, cached] = [0, 0];
  for (const { conversation, answer } of requests) {
    if (answer && seen.has(conversation)) {
      prompt += answer.prompt;
      cached += answer.cached;
    }
    seen.add(conversation);
  }
  return cached / prompt;
}
