import { UnsupportedFunctionalityError } from 'ai';
import type { ChatMessage } from '../types.ts';
import type { Prompt } from './specification.ts';

/**
 * The SDK's prompt as a chat. Several texts of one message are put on lines of their own. Earlier reasoning is left out, as chat templates
 * do with it.
 *
 * @throws UnsupportedFunctionalityError for what no prompt of ours can show: files, and calls of tools with their results. An answer that
 *   has not seen them would be an answer to another question, so this is no warning
 */
export function messagesOf(prompt: Prompt): ChatMessage[] {
  return prompt.map((message) => {
    if (message.role === 'system') return { role: 'system', content: message.content };
    if (message.role === 'tool') refuse('tool messages');
    return { role: message.role, content: textOf(message.content) };
  });
}

function textOf(parts: readonly { type: string; text?: string; mediaType?: string }[]): string {
  return parts
    .filter(({ type }) => type !== 'reasoning')
    .map(({ type, text, mediaType }) => (type === 'text' && text !== undefined ? text : refuse(named(type, mediaType))))
    .join('\n');
}

function named(type: string, mediaType: string | undefined): string {
  return mediaType === undefined ? `${type} parts` : `${type} parts (${mediaType})`;
}

function refuse(functionality: string): never {
  const message = `nudging answers text with text, and cannot show its models ${functionality}: leave them out of \`messages\``;
  throw new UnsupportedFunctionalityError({ functionality, message });
}
