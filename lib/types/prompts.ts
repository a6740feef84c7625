// What models are asked.
import type { GenerateOptions } from './generation.ts';

/** One message of a chat. The last one is the user's, unless the answer is begun (`prefill: true`). */
export interface ChatMessage {
  role: 'system' | 'user' | 'assistant';
  content: string;
}

/** A stretch of a raw prompt. In a `special` stretch, text that spells a control token becomes that token: never put user text there. */
export interface PromptSegment {
  text: string;
  special: boolean;
}

/** A prompt that is used as it is. A string is one segment with `special: true`: it is the program's own text. */
export type RawPrompt = string | readonly PromptSegment[];

/**
 * What to answer: a question; chat messages, the last from the user, or with `prefill: true` the beginning of the answer from the
 * assistant; or one raw prompt for each model.
 */
export type Input =
  | string
  | readonly ChatMessage[]
  | ({ messages: readonly ChatMessage[] } & GenerateOptions)
  | ({ base?: RawPrompt; aligned?: RawPrompt } & GenerateOptions);

/**
 * Makes the base model's prompt: plain text. A string is a template for one question, in which `{question}` stands for the question and
 * `{system}` for the system text with an empty line after it (nothing if there is none). Earlier turns of a chat are put in front with the
 * same template, without the system text, each followed by its answer and an empty line.
 */
export type BasePrompt = string | ((chat: { system: string; messages: readonly ChatMessage[] }) => string);

/** A plain JSON value. */
export type TemplateValue = string | number | boolean | null | readonly TemplateValue[] | { readonly [name: string]: TemplateValue };

/**
 * More variables for the aligned model's chat template, such as `{ enable_thinking: true }`. Names are those of Jinja variables;
 * `messages`, `add_generation_prompt`, `bos_token`, `eos_token`, and words and functions of Jinja are refused. All together at most 65,536
 * characters of JSON, 16 levels deep, whole numbers within ±(2^53 - 1). Strings are data as message contents are: nothing that a template
 * makes of them becomes a control token. `enable_thinking` is false unless it is set here or by `thinking`.
 */
export interface TemplateOptions {
  readonly [name: string]: TemplateValue | undefined;
}

/** What stands around the thinking of a model. At most 100 characters each, no white space at either end. */
export interface ThinkingMarks {
  open: string;
  close: string;
}
