import type { Chat } from './prompts.ts';
import type { ChatMessage } from './types.ts';

/**
 * The turns of a chat that may be left out, the oldest first, each as the places of its messages. A turn begins with a message from the
 * user and goes on to the next one, so that roles alternate without it as they did with it; what the assistant said before the user's first
 * message is one as well. System messages belong to none, and the last turn, which asks, may not be left out.
 */
export function oldTurns(messages: readonly ChatMessage[]): number[][] {
  const turns: number[][] = [];
  for (const [place, { role }] of messages.entries()) {
    if (role === 'system') continue;
    if (role === 'user' || turns.length === 0) turns.push([place]);
    else turns.at(-1)?.push(place);
  }
  return turns.slice(0, -1);
}

/** The same chat without the messages of some turns. */
export function without(chat: Chat, turns: readonly number[][]): Chat {
  const left = new Set(turns.flat());
  return { ...chat, messages: chat.messages.filter((_, place) => !left.has(place)) };
}
