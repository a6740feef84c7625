import { naiveNudging } from './naive.mjs';
import { basePrompt, messages } from './prompts.mjs';
import { startServer } from './server.mjs';

/**
 * @typedef {import('./index.mjs').Setup} Setup
 * @typedef {import('./index.mjs').Outcome} Outcome
 * @typedef {import('./naive.mjs').Next} Next
 */

/**
 * Naive nudging over two llama-server processes with their prompt caches on. The aligned model drafts in one call.
 * @param {Setup} setup
 * @param {{ baseTokens: number }} own tokens of the base a call: 1, or 16 as the paper's authors ask for at every boundary
 */
export async function open({ pair, prompt, settings, context, threads }, { baseTokens }) {
  const servers = [await startServer(pair.base, context, threads.base)];
  try {
    servers.push(await startServer(pair.aligned, context, threads.aligned));
  } catch (error) {
    await servers[0]?.stop();
    throw error;
  }
  const [baseServer, alignedServer] = servers;
  if (!baseServer || !alignedServer) throw new Error('no servers');
  const base = new HttpLane(baseServer.url, baseTokens);
  const aligned = new HttpLane(alignedServer.url, settings.lookahead);

  return {
    /** @param {string} question @returns {Promise<Outcome>} */
    async answer(question) {
      const start = performance.now();
      let firstMs;
      const raw = prompt?.replace('{question}', () => question);
      base.begin(raw ?? basePrompt(pair, question));
      aligned.begin(raw ?? (await aligned.post('/apply-template', { messages: messages(pair, question) })).prompt);
      const { text, tokens } = await naiveNudging(base, aligned, settings, () => (firstMs ??= performance.now() - start));
      const ms = performance.now() - start;
      return {
        text,
        tokens,
        ms,
        firstMs: firstMs ?? ms,
        bytes: base.takeBytes() + aligned.takeBytes(),
        lanes: { base: base.counts, aligned: aligned.counts },
      };
    },
    processes: () => servers.map(({ pid }) => pid),
    close: async () => void (await Promise.all(servers.map((server) => server.stop()))),
  };
}

/** One model behind a llama-server, asked as the naive client asks. */
export class HttpLane {
  #url;
  #tokensPerCall;
  #prompt = '';
  #bytes = 0;
  /** Tokens that the last call returned and nobody has asked about yet. @type {{ output: string, own: number[], nexts: Next[] }} */
  #ahead = { output: '', own: [], nexts: [] };
  /** @type {Map<number, Buffer>} */
  #pieces = new Map();
  counts = { decodes: 0, decodedTokens: 0, calls: 0 };

  /** @param {string} url @param {number} tokensPerCall */
  constructor(url, tokensPerCall) {
    this.#url = url;
    this.#tokensPerCall = tokensPerCall;
  }

  /** @param {string} prompt */
  begin(prompt) {
    this.#prompt = prompt;
    this.#ahead = { output: '', own: [], nexts: [] };
    this.counts = { decodes: 0, decodedTokens: 0, calls: 0 };
  }

  takeBytes() {
    const bytes = this.#bytes;
    this.#bytes = 0;
    return bytes;
  }

  /** @param {readonly number[]} tokens */
  text(tokens) {
    // `stream: true` leaves out an incomplete character at the end.
    return new TextDecoder('utf-8', { ignoreBOM: true }).decode(
      Buffer.concat(tokens.map((token) => this.#pieces.get(token) ?? Buffer.alloc(0))),
      { stream: true },
    );
  }

  /** @param {string} output @param {readonly number[]} [own] @returns {Promise<Next>} */
  async next(output, own = []) {
    const { output: known, own: before, nexts } = this.#ahead;
    const isAhead =
      nexts.length > 0 && known === output && before.length === own.length && before.every((token, index) => token === own[index]);
    const found = isAhead ? nexts : await this.#complete(output, own);
    const next = /** @type {Next} */ (found.shift());
    this.#ahead = { output, own: [...own, next.token], nexts: found };
    return next;
  }

  /** @param {string} output @param {readonly number[]} own @returns {Promise<Next[]>} */
  async #complete(output, own) {
    const text = this.#prompt + output;
    const body = await this.post('/completion', {
      prompt: own.length > 0 ? [text, ...own] : text,
      n_predict: this.#tokensPerCall,
      n_probs: 1,
      cache_prompt: true,
      temperature: 0,
      samplers: ['top_k'],
      top_k: 1,
      // Fields that nobody reads would be bytes that nobody needs.
      response_fields: ['completion_probabilities', 'stop_type', 'timings/prompt_n'],
    });
    const nexts = body.completion_probabilities.map((/** @type {any} */ each, /** @type {number} */ index, /** @type {any[]} */ all) => {
      const ends = body.stop_type === 'eos' && index === all.length - 1;
      this.#pieces.set(each.id, Buffer.from(ends ? [] : each.bytes));
      return { token: each.id, text: ends ? '' : each.token, ends, probability: Math.exp(each.top_logprobs[0].logprob) };
    });
    this.counts.calls += 1;
    this.counts.decodes += nexts.length;
    this.counts.decodedTokens += body['timings/prompt_n'] + nexts.length - 1;
    return nexts;
  }

  /** @param {string} path @param {object} content @returns {Promise<any>} */
  async post(path, content) {
    const request = JSON.stringify(content);
    const response = await fetch(this.#url + path, { method: 'POST', headers: { 'content-type': 'application/json' }, body: request });
    const answer = await response.text();
    if (!response.ok) throw new Error(`llama-server answered ${response.status} to ${path}: ${answer.slice(0, 300)}`);
    this.#bytes += Buffer.byteLength(request) + Buffer.byteLength(answer);
    return JSON.parse(answer);
  }
}
