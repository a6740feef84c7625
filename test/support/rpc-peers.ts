import { once } from 'node:events';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';

/** A port of this machine that nobody listens on. */
export async function freePort(): Promise<number> {
  const server = await listening(() => {});
  const { port } = server.address() as AddressInfo;
  await closed(server);
  return port;
}

async function listening(onConnection: (socket: Socket) => void): Promise<Server> {
  const server = createServer(onConnection);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server;
}

async function closed(server: Server): Promise<void> {
  server.close();
  await once(server, 'close');
}

/** Something that takes connections and is no RPC server, or no good one, as long as `body` runs. */
export async function withPeer<T>(
  onConnection: (socket: Socket) => void,
  body: (server: string, connections: Set<Socket>) => Promise<T>,
): Promise<T> {
  const open = new Set<Socket>();
  const server = await listening((socket) => {
    open.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => open.delete(socket));
    onConnection(socket);
  });
  try {
    return await body(`127.0.0.1:${(server.address() as AddressInfo).port}`, open);
  } finally {
    for (const socket of open) socket.destroy();
    await closed(server);
  }
}

/** The answer to a greeting by a server of this version. */
export function greetingOf(...version: readonly number[]): Buffer {
  const answer = Buffer.alloc(8 + 28);
  answer.writeBigUInt64LE(28n);
  version.forEach((part, at) => answer.writeUInt8(part, 8 + at));
  return answer;
}
