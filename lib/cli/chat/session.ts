import { check, generateRules, isObject } from '../../options.ts';
import type { ChatMessage, GenerateOptions } from '../../types.ts';

/** Settings that a saved chat has: what can be written down, and is not of this command's own. */
const kept = Object.keys(generateRules).filter(
  (name) => !['system', 'signal', 'trace', 'mode', 'fit', 'prefill', 'highWaterMark', 'basePrompt', 'alignedPrompt'].includes(name),
);

/** What a chat is: what was said, and with which settings it goes on. */
export interface Session {
  system: string;
  messages: ChatMessage[];
  /** Settings that were changed while it went on. */
  settings: GenerateOptions;
}

/** As it is written to a file. `nudgingChat` tells such files from others. */
export function savedSession({ system, messages, settings }: Session): string {
  const own = Object.fromEntries(Object.entries(settings).filter(([name]) => kept.includes(name)));
  return `${JSON.stringify({ nudgingChat: 1, system, messages, settings: own }, undefined, 2)}\n`;
}

/** @throws Error that says what is wrong, for the end of a sentence that names the file */
export function readSession(text: string): Session {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new Error(`is not JSON (${(error as Error).message})`);
  }
  if (!isObject(value) || value['nudgingChat'] !== 1) throw new Error('is no saved chat of this version');
  const { system = '', messages, settings = {} } = value;
  if (typeof system !== 'string' || !Array.isArray(messages)) throw new Error('is no saved chat: "system" or "messages" is wrong');
  for (const [index, message] of messages.entries()) {
    const { role, content } = isObject(message) ? message : {};
    const expected = index % 2 === 0 ? 'user' : 'assistant';
    if (role !== expected || typeof content !== 'string') throw new Error(`has a wrong message ${index + 1}: it must be the ${expected}'s`);
  }
  if (messages.length % 2 !== 0) throw new Error('ends with a question that has no answer');
  try {
    check(settings, Object.fromEntries(kept.map((name) => [name, generateRules[name] as (typeof generateRules)[string]])));
  } catch (error) {
    throw new Error(`has wrong settings: ${(error as Error).message.replaceAll('`', '"')}`);
  }
  return {
    system,
    messages: messages.map(({ role, content }: ChatMessage) => ({ role, content })),
    settings: settings as GenerateOptions,
  };
}
