import { isObject } from '../options.ts';
import type { ChatMessage } from '../types.ts';
import { ApiError } from './api-error.ts';
import { invalid, unsupported } from './fields.ts';

/** `developer` is what newer clients call the system. */
const roles: Record<string, ChatMessage['role']> = { system: 'system', developer: 'system', user: 'user', assistant: 'assistant' };

/** The messages of a chat, with contents of text. @throws ApiError 400 */
export function messagesOf(value: unknown, param = 'messages'): ChatMessage[] {
  if (!Array.isArray(value) || value.length === 0) throw invalid(param, value, 'a non-empty array of { role, content }');
  return value.map((message: unknown, index) => {
    const at = `${param}[${index}]`;
    if (!isObject(message)) throw invalid(at, message, 'an object { role, content }');
    const { role, content } = message;
    if (role === 'tool' || role === 'function') throw unsupported(`${at}.role`, 'models are not asked to call tools here');
    if (typeof role !== 'string' || !Object.hasOwn(roles, role))
      throw invalid(`${at}.role`, role, '"system", "developer", "user" or "assistant"');
    if (Array.isArray(message['tool_calls']) && message['tool_calls'].length > 0)
      throw unsupported(`${at}.tool_calls`, 'models are not asked to call tools here');
    return { role: roles[role] as ChatMessage['role'], content: contentOf(content, `${at}.content`) };
  });
}

/** The fields in which parts of a content hold text, by their types: those of chats and of responses. */
const textFields: Record<string, string> = { text: 'text', input_text: 'text', output_text: 'text', refusal: 'refusal' };

function contentOf(content: unknown, param: string): string {
  if (typeof content === 'string') return content;
  if (!Array.isArray(content)) throw invalid(param, content, 'a string or an array of { type: "text", text }');
  return content.map((part: unknown, index) => partOf(part, `${param}[${index}]`)).join('');
}

function partOf(part: unknown, param: string): string {
  if (!isObject(part) || typeof part['type'] !== 'string') throw invalid(param, part, '{ type: "text", text }');
  const name = Object.hasOwn(textFields, part['type']) ? textFields[part['type']] : undefined;
  if (name === undefined) {
    const message = `\`${param}\` is of the type "${part['type'].slice(0, 40)}", which is not supported: these models read text alone`;
    throw new ApiError(400, 'ERR_FIELD_UNSUPPORTED', message, { param });
  }
  const text = part[name];
  if (typeof text !== 'string') throw invalid(`${param}.${name}`, text, 'a string');
  return text;
}
