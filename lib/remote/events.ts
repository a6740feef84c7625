/** The longest line that an event may have, in characters. */
const longestLine = 16 * 2 ** 20;

/**
 * The data of server-sent events, one text each, from the bytes of a stream. What is no data (comments, names) is left out, and so is an
 * event that is cut off.
 */
export async function* eventsOf(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let rest = '';
  let data: string[] = [];
  for await (const chunk of chunks) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n');
    rest = lines.pop() ?? '';
    if (rest.length > longestLine) throw new Error('a line of the stream does not end');
    for (const ended of lines) {
      const line = ended.endsWith('\r') ? ended.slice(0, -1) : ended;
      if (line.startsWith('data:')) {
        data.push(line.slice(line[5] === ' ' ? 6 : 5));
      } else if (line === '' && data.length > 0) {
        yield data.join('\n');
        data = [];
      } else if (line.startsWith('error:')) {
        // llama-server's name for it, in old versions.
        yield `{"error":${line.slice(6)}}`;
      }
    }
  }
}
