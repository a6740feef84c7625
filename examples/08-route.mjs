// A route for whatever calls handlers with a Request and wants a Response: Next.js, Hono, SvelteKit, Bun, Deno. Export `POST` from a file
// of your routes; here it calls itself. Run it: node examples/08-route.mjs
import { Nudging, NudgingError } from 'nudging';

// Once for the process, and not for each request: loading takes longer than answering.
const nudging = await Nudging.load({ timeout: 30_000 });

/** Answers `{ "question": "…" }` with text, as it is made. @param {Request} request @returns {Promise<Response>} */
export async function POST(request) {
  const body = /** @type {{ question?: unknown } | null} */ (await request.json().catch(() => null));
  if (typeof body?.question !== 'string') return Response.json({ error: 'send { "question": "…" }' }, { status: 400 });
  try {
    // Who leaves aborts the request's signal, and with it the generation.
    const stream = nudging.stream(body.question, { signal: request.signal });
    // What is wrong shows with the first piece, while there is still a status to be sent.
    const first = await stream.next();
    return new Response(bytesOf(first, stream), { headers: { 'Content-Type': 'text/plain; charset=utf-8' } });
  } catch (error) {
    if (!(error instanceof NudgingError)) throw error;
    const status = error.code === 'ERR_BUSY' ? 503 : error.code.startsWith('ERR_PROMPT') ? 400 : 500;
    return Response.json({ error: error.code }, { status });
  }
}

/**
 * Pieces as the body of a response. A slow reader is waited for, and one that leaves ends the generation.
 *
 * @param {IteratorResult<import('nudging').Piece, unknown>} first
 * @param {import('nudging').AnswerStream} stream
 */
function bytesOf(first, stream) {
  let next = Promise.resolve(first);
  return new ReadableStream({
    async pull(controller) {
      const { done, value } = await next;
      if (done) return controller.close();
      controller.enqueue(new TextEncoder().encode(value.text));
      next = stream.next();
    },
    cancel: () => void stream.return(),
  });
}

for (const body of ['{ "question": "What is a harbor?" }', '{ "question": "" }', 'What is a harbor?']) {
  const response = await POST(new Request('http://localhost/api/ask', { method: 'POST', body }));
  console.log(response.status, await response.text());
}
await nudging.close();
