// A server without a framework. Run it: node examples/03-http-server.mjs
// Then ask: curl --no-buffer --data 'What is a harbor?' http://localhost:8080
import { createServer } from 'node:http';
import { text } from 'node:stream/consumers';
import { Nudging, NudgingError } from 'nudging';

const longestQuestion = 16_384;
// One more request than these waits in nobody's memory: it is told to come again.
const nudging = await Nudging.load({ maxQueue: 100, timeout: 30_000 });

const server = createServer(async (request, response) => {
  if (request.method !== 'POST') return void response.writeHead(405, { Allow: 'POST' }).end('POST a question\n');
  if (!(Number(request.headers['content-length']) <= longestQuestion)) {
    return void response.writeHead(413).end(`a question has a Content-Length of at most ${longestQuestion}\n`);
  }
  // Whoever hangs up ends the generation: nobody would read it.
  const hungUp = new AbortController();
  response.on('close', () => hungUp.abort());
  try {
    const stream = nudging.stream(await text(request), { signal: hungUp.signal });
    for await (const piece of stream) {
      if (!response.headersSent) response.writeHead(200, { 'Content-Type': 'text/plain; charset=utf-8' });
      // A slow reader makes this loop wait, and the engine goes on with the others meanwhile.
      if (!response.write(piece.text)) await new Promise((resolve) => response.once('drain', resolve).once('close', resolve));
    }
    response.end('\n');
  } catch (error) {
    if (response.headersSent) return void response.destroy();
    const code = error instanceof NudgingError ? error.code : 'ERR_INTERNAL';
    response.writeHead(statusOf(code), { 'Content-Type': 'text/plain; charset=utf-8' }).end(`${code}\n`);
  }
});

/** @param {string} code */
function statusOf(code) {
  if (code === 'ERR_BUSY') return 503;
  return ['ERR_PROMPT_EMPTY', 'ERR_PROMPT_TOO_LONG', 'ERR_INVALID_OPTION'].includes(code) ? 400 : 500;
}

server.listen(Number(process.env['PORT'] ?? 8080), '127.0.0.1', () => {
  const address = server.address();
  if (address !== null && typeof address === 'object') console.log(`listening on http://127.0.0.1:${address.port}`);
});

// No new requests; those that run are answered, then the models are freed.
process.once('SIGTERM', () => {
  server.close(async () => {
    await nudging.close();
    console.log('closed');
  });
});
