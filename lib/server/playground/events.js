/** What of a stream's text can be used here, frame by frame. */

/**
 * The data of server-sent events, parsed, up to `[DONE]`.
 *
 * @param {AsyncIterable<string>} texts in pieces of any size
 * @returns {AsyncGenerator<any, void, undefined>}
 */
export async function* eventsOf(texts) {
  let rest = '';
  for await (const text of texts) {
    const frames = (rest + text).split('\n\n');
    rest = frames.pop() ?? '';
    for (const frame of frames) {
      const data = frame
        .split('\n')
        .filter((line) => line.startsWith('data: '))
        .map((line) => line.slice('data: '.length))
        .join('\n');
      if (data === '[DONE]') return;
      // A comment has none: it keeps the line open.
      if (data !== '') yield JSON.parse(data);
    }
  }
  throw new Error('the server broke off in the middle of the answer');
}

/** @param {ReadableStream<Uint8Array<ArrayBuffer>>} stream @returns {AsyncGenerator<string, void, undefined>} */
export async function* textsOf(stream) {
  const reader = stream.pipeThrough(new TextDecoderStream()).getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      yield value;
    }
  } finally {
    await reader.cancel().catch(() => {});
  }
}
