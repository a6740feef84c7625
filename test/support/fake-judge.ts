import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';

/** What the judge was asked. */
export interface JudgeRequest {
  path: string;
  headers: IncomingHttpHeaders;
  body: { model: string; temperature: number; response_format: unknown; messages: { content: string }[] };
}

/** One reply of the fake judge: a text for the message's content, a status with headers, or nothing at all. */
export type JudgeReply = string | { status: number; headers?: Record<string, string>; body?: string } | 'hang' | 'drop';

/** An OpenAI-compatible server that replies as it is told, one reply a request; the last one goes on. */
export async function fakeJudge(replies: JudgeReply[] | ((request: JudgeRequest) => JudgeReply)) {
  const requests: JudgeRequest[] = [];
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const asked = { path: request.url ?? '', headers: request.headers, body: JSON.parse(Buffer.concat(chunks).toString('utf8')) };
    requests.push(asked);
    const reply = typeof replies === 'function' ? replies(asked) : (replies[Math.min(requests.length, replies.length) - 1] as JudgeReply);
    if (reply === 'hang') return;
    if (reply === 'drop') return void request.socket.destroy();
    if (typeof reply === 'string') response.end(JSON.stringify({ choices: [{ message: { content: reply } }] }));
    else response.writeHead(reply.status, reply.headers).end(reply.body ?? 'no');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const close = () => {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(resolve));
  };
  return { url: `http://127.0.0.1:${port}/v1`, requests, close };
}
