import { NudgingError } from './errors.ts';
import type { NativePrompt, NativeSegment } from './native.ts';
import { isObject, reject } from './options.ts';
import { fillTemplate, sealText, turnMarks } from './seal.ts';
import { templateVariables } from './template-options.ts';
import type { ChatMessage, GenerateOptions, LaneName, RawPrompt } from './types.ts';

/** A question, an answer on the next line. */
export const defaultBasePrompt = '{system}Question: {question}\nAnswer:\n';

/** What a request asks, brought into one of two shapes. The last message is the user's; `prefill` is the beginning of the answer. */
export type Question = { kind: 'chat'; messages: ChatMessage[]; prefill?: string } | { kind: 'raw'; base?: RawPrompt; aligned?: RawPrompt };

/** A chat that may get shorter. */
export type Chat = Extract<Question, { kind: 'chat' }>;

/** Reads a question, messages, or raw prompts from the first argument of `generate`. Throws ERR_INVALID_OPTION. */
export function readQuestion(input: unknown, prefill: boolean | string = false): Question {
  if (typeof input === 'string') {
    mustAsk(input);
    return withPrefill([{ role: 'user', content: input }], prefill);
  }
  if (Array.isArray(input)) return readChat(input, prefill);
  if (!isObject(input))
    reject('input', input, 'a question, an array of messages, or an object with `messages` or with `base` and `aligned`');
  const { messages, base, aligned } = input;
  if (messages !== undefined) {
    if (base !== undefined || aligned !== undefined) reject('messages', messages, 'the only prompt: leave out `base` and `aligned`');
    return readChat(messages, prefill);
  }
  if (typeof prefill === 'string') reject('prefill', prefill, 'left out for raw prompts: write it at their ends');
  if (base === undefined && aligned === undefined) reject('input', input, 'an object with `messages` or with `base` and `aligned`');
  const raw: Question = { kind: 'raw' };
  if (base !== undefined) raw.base = readRaw('base', base);
  if (aligned !== undefined) raw.aligned = readRaw('aligned', aligned);
  return raw;
}

/** What the user said last; undefined for raw prompts. */
export function lastQuestion(question: Question): string | undefined {
  return question.kind === 'chat' ? question.messages.findLast(({ role }) => role === 'user')?.content : undefined;
}

function readChat(value: unknown, prefill: boolean | string): Chat {
  const messages = readMessages(value);
  let begun = prefill;
  const final = messages[messages.length - 1] as ChatMessage;
  if (prefill === true && final.role === 'assistant') {
    if (final.content === '') reject('messages', final, 'ended by a message with some content, for the answer to begin with');
    begun = final.content;
    messages.pop();
  }
  const last = messages[messages.length - 1];
  const hint = prefill === false ? "; an answer that goes on from the assistant's last message needs `prefill: true`" : '';
  if (last?.role !== 'user') reject('messages', last ?? value, `messages of which the last is from the user${hint}`);
  mustAsk(last.content);
  return withPrefill(messages, begun);
}

function withPrefill(messages: ChatMessage[], prefill: boolean | string): Chat {
  return typeof prefill === 'string' ? { kind: 'chat', messages, prefill } : { kind: 'chat', messages };
}

function readMessages(value: unknown): ChatMessage[] {
  if (!Array.isArray(value) || value.length === 0) reject('messages', value, 'a non-empty array of { role, content }');
  const messages: ChatMessage[] = [];
  for (const given of value) {
    // Read once: what was checked is what is used, even if a property answers differently the next time.
    const { role, content } = isObject(given) ? given : {};
    if (typeof content !== 'string' || (role !== 'system' && role !== 'user' && role !== 'assistant')) {
      reject('messages', given, '{ role: "system", "user" or "assistant", content: string }');
    }
    messages.push({ role, content });
  }
  return messages;
}

function mustAsk(question: string): void {
  if (question.trim() === '')
    throw new NudgingError('ERR_PROMPT_EMPTY', 'the question is empty: ask something', { option: 'input', value: question });
}

function readRaw(lane: LaneName, value: unknown): RawPrompt {
  if (typeof value === 'string') return value;
  if (!Array.isArray(value)) reject(lane, value, 'a string or an array of { text, special }');
  const segments: NativeSegment[] = [];
  for (const given of value) {
    const { text, special } = isObject(given) ? given : {};
    if (typeof text !== 'string' || typeof special !== 'boolean') reject(lane, value, 'a string or an array of { text, special }');
    segments.push({ text, special });
  }
  return segments;
}

/** What prompts depend on besides the question. */
export type PromptOptions = Pick<
  GenerateOptions,
  'system' | 'basePrompt' | 'sealBasePrompt' | 'alignedPrompt' | 'templateOptions' | 'thinking'
>;

/** The prompt of one lane, ready for the native engine. */
export function promptFor(lane: LaneName, question: Question, options: PromptOptions): NativePrompt {
  if (question.kind === 'raw') {
    const raw = question[lane];
    if (raw === undefined) reject(lane, raw, `the ${lane} model's raw prompt: this mode needs it`);
    return { segments: typeof raw === 'string' ? [{ text: raw, special: true }] : [...raw] };
  }
  const messages = withSystem(question.messages, options.system);
  const prefill = question.prefill === undefined ? {} : { prefill: question.prefill };
  if (lane === 'base') return { segments: [{ text: basePromptText(messages, options), special: false }], ...prefill };
  const template = options.alignedPrompt === undefined ? {} : { template: options.alignedPrompt };
  return { messages, ...template, ...variablesOf(options), ...prefill };
}

/** Who wants to see a model think has its template let it. */
function variablesOf({ templateOptions, thinking = false }: PromptOptions): { variables?: string } {
  if (templateOptions === undefined && thinking === false) return {};
  return { variables: templateVariables(templateOptions ?? {}, thinking === false ? [] : ['enable_thinking']) };
}

function withSystem(messages: ChatMessage[], system: string | undefined): ChatMessage[] {
  if (!system) return messages;
  if (messages.some((message) => message.role === 'system')) reject('system', system, 'left out when `messages` has a system message');
  return [{ role: 'system', content: system }, ...messages];
}

function basePromptText(chat: ChatMessage[], { basePrompt: prompt = defaultBasePrompt, sealBasePrompt = true }: PromptOptions): string {
  const system = chat
    .filter((message) => message.role === 'system')
    .map((message) => message.content)
    .join('\n\n');
  const messages = chat.filter((message) => message.role !== 'system');
  if (typeof prompt === 'function') {
    const text: unknown = prompt({ system, messages });
    if (typeof text !== 'string') {
      // An async function was refused; whether its promise rejects is of no interest any more, and must not end the process.
      Promise.resolve(text).catch(() => {});
      reject('basePrompt', text, 'a function that returns a string');
    }
    return text;
  }
  const marks = sealBasePrompt ? turnMarks(prompt) : undefined;
  return messages
    .map(({ role, content }, index) => {
      if (role === 'assistant') return `${marks ? sealText(content, marks) : content}\n\n`;
      return fillTemplate(prompt, { question: content, system: index === 0 && system ? `${system}\n\n` : '' }, marks);
    })
    .join('');
}
