import { randomUUID } from 'node:crypto';
import { isObject, text, type Rule } from '../options.ts';
import type { Answer, ChatMessage, GenerateOptions, Mode } from '../types.ts';
import type { ApiError } from './api-error.ts';
import { field, fieldsOf, invalid, refuseImpossible, unsupported, type Fields } from './fields.ts';
import type { Arrival } from './generation.ts';
import { messagesOf } from './messages.ts';
import type { Limits } from './options.ts';
import { finishReason, ofAnswer, ofPiece } from './ours.ts';
import type { Route, Shape, Wanted } from './route.ts';
import { settingsOf, tellingOf, type Telling } from './settings.ts';
import { frame } from './sse.ts';
import { usageOf } from './usage.ts';

/** `POST /v1/responses`: text alone, and nothing is kept: each request brings the whole chat. */
export const responses: Route = {
  name: '/v1/responses',
  read(body: unknown, limits: Limits, mode?: Mode): Wanted {
    const fields = fieldsOf(body);
    refuseImpossible(fields);
    refuseState(fields);
    const telling = tellingOf({ ...fields, n: undefined }, limits);
    const messages = messagesIn(fields);
    const settings = settingsOf(fields, limits, ['max_output_tokens']);
    const options: GenerateOptions = mode === undefined ? settings : { mode, ...settings };
    return {
      telling,
      wishes: () => [{ input: messages, options }],
      shape: ({ model, mode: usual }) => new ResponseShape({ model, mode: options.mode ?? usual, telling, fields }),
    };
  },
};

/** What would need a memory, or more than text. @throws ApiError 400 */
function refuseState(fields: Fields): void {
  const kept = 'nothing is kept here; send the whole chat as `input`';
  if (fields['previous_response_id'] !== undefined) throw unsupported('previous_response_id', kept);
  if (fields['conversation'] !== undefined) throw unsupported('conversation', kept);
  if (fields['background'] === true) throw unsupported('background', 'wait for the answer, or read it as a stream');
  field(fields, 'metadata', labels);
  if (fields['prompt'] !== undefined) throw unsupported('prompt', 'there are no stored prompts; send `input`');
  const { text: format } = fields;
  if (isObject(format) && isObject(format['format']) && format['format']['type'] !== 'text')
    throw unsupported('text.format', 'answers are plain text; ask for JSON in words, and check what comes');
}

/** What answers repeat, so it has OpenAI's bounds. */
const labels: Rule = {
  check: (value) =>
    isObject(value) &&
    Object.keys(value).length <= 16 &&
    Object.entries(value).every(([name, each]) => name.length <= 64 && typeof each === 'string' && each.length <= 512),
  expected: 'an object of at most 16 strings of at most 512 characters, by names of at most 64',
};

function messagesIn(fields: Fields): ChatMessage[] {
  const { input } = fields;
  const items = typeof input === 'string' ? [{ role: 'user', content: input }] : input;
  if (!Array.isArray(items) || items.length === 0) throw invalid('input', input, 'a string or a non-empty array of messages');
  for (const [index, item] of items.entries()) {
    const type: unknown = isObject(item) ? (item['type'] ?? 'message') : undefined;
    if (typeof type === 'string' && type !== 'message') throw unsupported(`input[${index}].type`, 'messages of text are all there is');
  }
  const instructions = field<string>(fields, 'instructions', text);
  const messages = messagesOf(items, 'input');
  if (messages.at(-1)?.role !== 'user') throw invalid('input', messages.at(-1)?.role, "ended by the user's message");
  return instructions === undefined || instructions === '' ? messages : [{ role: 'system', content: instructions }, ...messages];
}

interface About {
  model: string;
  mode: Mode | undefined;
  telling: Telling;
  fields: Fields;
}

class ResponseShape implements Shape {
  readonly #about: About;
  readonly #id = `resp_${randomUUID()}`;
  readonly #item = `msg_${randomUUID()}`;
  readonly #created = Math.floor(Date.now() / 1000);
  #sequence = 0;
  #said = '';

  constructor(about: About) {
    this.#about = about;
  }

  whole([answer]: readonly Answer[]): object {
    return this.#response(answer as Answer);
  }

  opening(): string {
    const begun = this.#response();
    const item = { ...this.#message('', 'in_progress'), content: [] };
    return (
      this.#event('response.created', { response: begun }) +
      this.#event('response.in_progress', { response: begun }) +
      this.#event('response.output_item.added', { output_index: 0, item }) +
      this.#event('response.content_part.added', { ...this.#place(), part: part('') })
    );
  }

  frameOf(arrival: Arrival): string {
    if ('answer' in arrival) return this.#ending(arrival.answer);
    const { piece } = arrival;
    // What is thought before the answer is not part of it.
    if (piece.thinking) return '';
    this.#said += piece.text;
    return this.#event('response.output_text.delta', { ...this.#place(), delta: piece.text, logprobs: [], nudging: ofPiece(piece) });
  }

  closing(): string {
    return '';
  }

  failed(error: ApiError): string {
    const { message, code, param } = error.body().error;
    const response = { ...this.#response(), status: 'failed', error: { code, message } };
    return this.#event('error', { code, message, param }) + this.#event('response.failed', { response });
  }

  #ending(answer: Answer): string {
    const done = finishReason(answer.stopReason) === 'stop';
    const item = this.#message(this.#said, done ? 'completed' : 'incomplete');
    return (
      this.#event('response.output_text.done', { ...this.#place(), text: this.#said, logprobs: [] }) +
      this.#event('response.content_part.done', { ...this.#place(), part: part(this.#said) }) +
      this.#event('response.output_item.done', { output_index: 0, item }) +
      this.#event(done ? 'response.completed' : 'response.incomplete', { response: this.#response(answer) })
    );
  }

  #place(): object {
    return { item_id: this.#item, output_index: 0, content_index: 0 };
  }

  #message(said: string, status: string): object {
    return { id: this.#item, type: 'message', role: 'assistant', status, content: [part(said)] };
  }

  #response(answer?: Answer): object {
    const { model, mode, telling, fields } = this.#about;
    const done = answer && finishReason(answer.stopReason) === 'stop';
    const status = answer === undefined ? 'in_progress' : done ? 'completed' : 'incomplete';
    return {
      id: this.#id,
      object: 'response',
      created_at: this.#created,
      status,
      error: null,
      incomplete_details: answer && !done ? { reason: whyIncomplete(answer) } : null,
      instructions: fields['instructions'] ?? null,
      max_output_tokens: fields['max_output_tokens'] ?? null,
      metadata: fields['metadata'] ?? {},
      model,
      output: answer ? [this.#message(answer.text, status)] : [],
      parallel_tool_calls: false,
      previous_response_id: null,
      store: false,
      temperature: fields['temperature'] ?? null,
      text: { format: { type: 'text' } },
      tool_choice: 'none',
      tools: [],
      top_p: fields['top_p'] ?? null,
      usage: answer ? responseUsage(answer, mode) : null,
      ...(answer ? { nudging: ofAnswer(answer, telling.trace) } : {}),
    };
  }

  #event(type: string, data: object): string {
    const sequence = this.#sequence;
    this.#sequence += 1;
    return frame({ type, sequence_number: sequence, ...data }, type);
  }
}

function whyIncomplete({ stopReason }: Answer): 'content_filter' | 'max_output_tokens' {
  return finishReason(stopReason) === 'content_filter' ? 'content_filter' : 'max_output_tokens';
}

function part(said: string): object {
  return { type: 'output_text', text: said, annotations: [], logprobs: [] };
}

function responseUsage(answer: Answer, mode: Mode | undefined): object {
  const usage = usageOf([answer], mode);
  return {
    input_tokens: usage.prompt_tokens,
    input_tokens_details: usage.prompt_tokens_details,
    output_tokens: usage.completion_tokens,
    output_tokens_details: { reasoning_tokens: 0 },
    total_tokens: usage.total_tokens,
  };
}
