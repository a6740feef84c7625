import type { Handler } from '../../lib/server/index.ts';

/** Asks a handler without a network. */
export function ask(handler: Handler, path: string, body?: unknown, init: RequestInit & { headers?: Record<string, string> } = {}) {
  const { headers = {}, ...rest } = init;
  const posted = body === undefined ? {} : { method: 'POST', body: typeof body === 'string' ? body : JSON.stringify(body) };
  const type: Record<string, string> = body === undefined ? {} : { 'Content-Type': 'application/json' };
  return handler(new Request(`http://localhost${path}`, { ...posted, headers: { ...type, ...headers }, ...rest }));
}

export const chatPath = '/v1/chat/completions';

/** A chat of one question. */
export const chatOf = (question: string, more: object = {}) => ({ messages: [{ role: 'user', content: question }], ...more });

/**
 * A chat that goes on for hundreds of tokens, with an engine that may not end its answers. The base is asked at every word: that is slow.
 */
export const longChat = (more: object = {}) =>
  chatOf('What is a harbor?', { max_tokens: 400, stream: true, nudging: { gamma: 2 }, ...more });

/** What a stream of events holds: the data of its frames, parsed, and its comments. */
export function eventsIn(text: string): { data: any[]; comments: string[]; done: boolean } {
  const frames = text.split('\n\n').filter(Boolean);
  const data = frames.filter((frame) => frame.startsWith('data: ')).map((frame) => frame.slice('data: '.length));
  return {
    data: data.filter((each) => each !== '[DONE]').map((each) => JSON.parse(each)),
    comments: frames.filter((frame) => frame.startsWith(':')),
    done: frames.at(-1) === 'data: [DONE]' && data.filter((each) => each === '[DONE]').length === 1,
  };
}

/** The text of a stream's chat. */
export const saidIn = (text: string) =>
  eventsIn(text)
    .data.map(({ choices }) => choices[0]?.delta.content ?? '')
    .join('');

/** Waits until something is so. */
export async function until(is: () => boolean | Promise<boolean>, ms = 5000): Promise<void> {
  const end = Date.now() + ms;
  while (!(await is())) {
    if (Date.now() > end) throw new Error('it did not become so in time');
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
