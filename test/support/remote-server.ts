import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import type { LaneName, Nudging, RemoteModel } from '../../lib/index.ts';

/** What a model says behind some tokens. */
export interface Says {
  token: number;
  logprob: number;
  next: number;
  /** What the token shows, where the server tells. */
  text?: string;
  ends?: boolean;
  /** Whether the text ends there in the middle of a character. */
  cutsCharacter?: boolean;
}
export type Model = (tokens: readonly number[]) => Promise<Says>;

/** A request that the server was sent. */
export interface Seen {
  path: string;
  body: Record<string, unknown>;
  headers: IncomingMessage['headers'];
  /** Whether the client has closed the connection before the answer's end. */
  closed: boolean;
}

export interface FakeOptions {
  api: RemoteModel['api'];
  model: Model;
  tokenize: (text: string) => Promise<number[]>;
  vocabulary?: number;
  context?: number;
  /** Milliseconds that every answer takes longer, and between tokens of a stream. */
  delay?: number;
  tokenDelay?: number;
  /** What answers in place of the server; false: the server does. */
  instead?: (seen: Seen, response: ServerResponse) => boolean | Promise<boolean>;
  /** Changes what is sent, event by event. */
  change?: (event: Record<string, unknown>) => unknown;
}

/**
 * A model of the in-process engine as that of a server. What it says is remembered. Prompts of the aligned one begin with a control token:
 * it is to be loaded with a template that is nothing else.
 */
export function modelOf(engine: Nudging, lane: LaneName = 'base'): Model {
  const said = new Map<string, Promise<Says>>();
  // A prompt is a text, and begins with BOS where the vocabulary has one.
  const leadingTokens = async () => {
    const { context } = await engine.inspect({ lane, input: { base: 'a', aligned: 'a' } });
    return context.length - (await engine.tokenize('a', { lane })).length;
  };
  let known: Promise<number> | undefined;
  const ask = async (tokens: readonly number[]): Promise<Says> => {
    known ??= leadingTokens();
    const leading = await known;
    const first = tokens[leading] as number;
    const text = new TextDecoder().decode(await engine.detokenize([first], { lane }));
    // What shows nothing is the template's.
    const input = text === '' ? 'a' : { base: text, aligned: text };
    const result = await engine.inspect({ lane, input, tokens: tokens.slice(leading + 1) });
    if (result.context.join() !== tokens.join()) throw new Error(`the fake asked about ${result.context.join()}, not ${tokens.join()}`);
    return {
      token: result.token,
      logprob: Math.log(result.probability),
      next: Math.log(result.runnerUp),
      text: new TextDecoder().decode(result.bytes),
      ends: result.ends,
    };
  };
  return (tokens) => {
    const key = tokens.join();
    const answer = said.get(key) ?? ask(tokens);
    said.set(key, answer);
    return answer;
  };
}

/**
 * A server that speaks one of the three protocols as its documentation has it. It stands for none of the real ones' speed, and for nothing
 * of their sampling: all of it is greedy.
 */
export class FakeServer {
  readonly seen: Seen[] = [];
  readonly #options: FakeOptions;
  readonly #server = createServer((request, response) => void this.#handle(request, response));
  /** Connections that were opened. */
  connections = 0;

  private constructor(options: FakeOptions) {
    this.#options = options;
    this.#server.on('connection', () => (this.connections += 1));
  }

  static async start(options: FakeOptions, port = 0): Promise<FakeServer> {
    const server = new FakeServer(options);
    await new Promise<void>((resolve) => server.#server.listen(port, '127.0.0.1', resolve));
    return server;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }
  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }
  /** Questions among what was sent. */
  get calls(): Seen[] {
    return this.seen.filter(({ path }) => ['/completion', '/v1/completions', '/generate'].includes(path));
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const text = Buffer.concat(chunks).toString();
    const seen: Seen = { path: request.url ?? '', body: text === '' ? {} : JSON.parse(text), headers: request.headers, closed: false };
    this.seen.push(seen);
    response.on('close', () => (seen.closed = !response.writableEnded));
    try {
      if (await this.#options.instead?.(seen, response)) return;
      await pause(this.#options.delay ?? 0);
      await this.#answer(seen, response);
    } catch (error) {
      json(response, { error: { message: String(error) } }, 500);
    }
  }

  async #answer({ path, body }: Seen, response: ServerResponse): Promise<void> {
    const { api, tokenize, vocabulary, context = 512 } = this.#options;
    if (path === '/health') return json(response, { status: 'ok' });
    if (path === '/v1/models') {
      const more = api === 'llama-server' ? { meta: { n_vocab: vocabulary } } : { max_model_len: context };
      return json(response, { object: 'list', data: [{ id: 'served', object: 'model', ...more }] });
    }
    if (path === '/props' && api === 'llama-server')
      return json(response, { default_generation_settings: { n_ctx: context }, total_slots: 4 });
    if (path === '/tokenize') {
      const tokens = await tokenize(String(api === 'llama-server' ? body['content'] : body['prompt']));
      return json(response, api === 'llama-server' ? { tokens } : { count: tokens.length, max_model_len: context, tokens });
    }
    if (path === '/completion' && api === 'llama-server') return this.#llamaServer(body, response);
    if (path === '/v1/completions' && api === 'vllm') return this.#vllm(body, response);
    if (path === '/generate' && api === 'sglang') return this.#sglang(body, response);
    return json(response, { detail: 'Not Found' }, 404);
  }

  /** tools/server/README.md: one event a token, and one at the end. */
  async #llamaServer(body: Record<string, unknown>, response: ServerResponse): Promise<void> {
    const forced = [...String(body['grammar'] ?? '').matchAll(/(?<!!)<\[(\d+)\]>/g)].map(([, id]) => Number(id));
    const tokens = [...(body['prompt'] as number[])];
    const events = this.#stream(response);
    for (let count = 0; count < Number(body['n_predict']); count += 1) {
      const says = await this.#options.model(tokens);
      const whole = body['grammar'] === 'root ::= [ -~]+';
      const token = whole ? 0 : (forced[count] ?? says.token);
      tokens.push(token);
      // It has no event: the rest of the character is waited for.
      if (says.cutsCharacter && token === says.token) continue;
      const top = [
        { id: says.token, token: says.text ?? '', bytes: [], logprob: says.logprob },
        { id: 0, token: '', bytes: [], logprob: says.next },
      ];
      const own = { id: token, token: '', bytes: [], logprob: token === says.token ? says.logprob : -9 };
      await events.send({
        index: 0,
        content: says.text,
        tokens: [token],
        stop: false,
        tokens_predicted: count + 1,
        completion_probabilities: [{ ...own, top_logprobs: top }],
      });
      if (says.ends && forced[count] === undefined) break;
    }
    const predicted = tokens.length - (body['prompt'] as number[]).length;
    await events.send({ index: 0, content: '', tokens: [], stop: true, stop_type: 'limit', tokens_predicted: predicted });
    events.end();
  }

  /** One choice for each prompt, with the token's own logarithm beside the likeliest ones; keys are token ids where that was asked for. */
  async #vllm(body: Record<string, unknown>, response: ServerResponse): Promise<void> {
    if (body['model'] !== 'served')
      return json(response, { error: { message: `The model \`${String(body['model'])}\` does not exist.` } }, 404);
    const many = Array.isArray((body['prompt'] as unknown[])[0]);
    const prompts = (many ? body['prompt'] : [body['prompt']]) as number[][];
    const key = (token: number) => (body['return_tokens_as_token_ids'] === true ? `token_id:${token}` : 'x');
    const logprobs = (says: Says) => ({
      text_offset: [0],
      tokens: [key(says.token)],
      token_logprobs: [says.logprob],
      // What is impossible is clamped.
      top_logprobs: [{ [key(0)]: Math.max(says.next, -9999), [key(says.token)]: says.logprob }],
    });
    if (!body['stream']) {
      const choices = await Promise.all(
        prompts.map(async (prompt, index) => {
          const says = await this.#options.model(prompt);
          return { index, text: says.text, logprobs: logprobs(says), finish_reason: 'length' };
        }),
      );
      // The order of choices is not promised.
      return json(response, this.#changed({ id: 'cmpl', object: 'text_completion', choices: choices.reverse() }));
    }
    const tokens = [...(prompts[0] ?? [])];
    const events = this.#stream(response);
    for (let count = 0; count < Number(body['max_tokens']); count += 1) {
      const says = await this.#options.model(tokens);
      await events.send({ id: 'cmpl', choices: [{ index: 0, text: says.text ?? '', logprobs: logprobs(says), finish_reason: null }] });
      tokens.push(says.token);
      if (says.ends) break;
    }
    await events.send({ id: 'cmpl', choices: [{ index: 0, text: '', logprobs: null, finish_reason: 'length' }] });
    events.end('[DONE]');
  }

  /** `input_top_logprobs` from `logprob_start_len` on, null first; outputs are those so far in every event. */
  async #sglang(body: Record<string, unknown>, response: ServerResponse): Promise<void> {
    const tokens = [...(body['input_ids'] as number[])];
    const start = Number(body['logprob_start_len']);
    const { max_new_tokens: most } = body['sampling_params'] as { max_new_tokens: number };
    const entries = (says: Says) => [
      [says.logprob, says.token, null],
      [says.next, 0, null],
    ];
    const input: unknown[] = start < 0 ? [] : [null];
    for (let length = start + 1; start >= 0 && length < tokens.length; length += 1) {
      input.push(entries(await this.#options.model(tokens.slice(0, length))));
    }
    const output: unknown[] = [];
    const own: unknown[] = [];
    const prompt = tokens.length;
    const meta = () => ({
      text: '',
      output_ids: tokens.slice(prompt),
      meta_info: {
        prompt_tokens: prompt,
        completion_tokens: output.length,
        input_top_logprobs: input,
        output_top_logprobs: output,
        output_token_logprobs: own,
      },
    });
    const events = body['stream'] ? this.#stream(response) : undefined;
    for (let count = 0; count < most; count += 1) {
      const says = await this.#options.model(tokens);
      tokens.push(says.token);
      output.push(entries(says));
      own.push([says.logprob, says.token, null]);
      await events?.send(structuredClone(meta()));
      if (says.ends) break;
    }
    if (events) events.end('[DONE]');
    else json(response, this.#changed(meta()));
  }

  #changed(event: object): unknown {
    return this.#options.change?.(event as Record<string, unknown>) ?? event;
  }

  #stream(response: ServerResponse) {
    response.writeHead(200, { 'Content-Type': 'text/event-stream' });
    return {
      send: async (event: object) => {
        await pause(this.#options.tokenDelay ?? 0);
        if (response.destroyed) throw new Error('the client is gone');
        response.write(`data: ${JSON.stringify(this.#changed(event))}\n\n`);
      },
      end: (last?: string) => response.end(last === undefined ? undefined : `data: ${last}\n\n`),
    };
  }
}

export function json(response: ServerResponse, value: unknown, status = 200, headers: Record<string, string> = {}): void {
  if (response.headersSent) return void response.end();
  response.writeHead(status, { 'Content-Type': 'application/json', ...headers });
  response.end(JSON.stringify(value));
}
