import type { Server, ServerResponse } from 'node:http';
import { Server as NetServer, type Socket } from 'node:net';

/**
 * What is open to the clients of a server that ends. Node's own `close` destroys a connection as soon as its answer is made, and with it
 * what the client has not read yet.
 */
export class Connections {
  readonly #server: Server;
  /** TCP, also before a TLS handshake. */
  readonly #sockets = new Set<Socket>();
  /** Those on which requests come. */
  readonly #open = new Set<Socket>();
  /** Answers that are not with the system yet. */
  readonly #unsent = new Set<ServerResponse>();
  #ending = false;

  constructor(server: Server, secure: boolean) {
    this.#server = server;
    const keep = (sockets: Set<Socket>) => (socket: Socket) => {
      sockets.add(socket);
      socket.once('close', () => sockets.delete(socket));
    };
    server.on('connection', keep(this.#sockets));
    server.on(secure ? 'secureConnection' : 'connection', keep(this.#open));
    server.on('request', (_, response: ServerResponse) => {
      if (this.#ending) response.shouldKeepAlive = false;
      this.#unsent.add(response);
      response.once('close', () => this.#unsent.delete(response));
    });
  }

  /** No new ones, and none that waits for a request. Resolves when all are closed. */
  close(): Promise<void> {
    this.#ending = true;
    const closed = new Promise<void>((resolve) => NetServer.prototype.close.call(this.#server, () => resolve()));
    const busy = new Set([...this.#unsent].map(({ socket }) => socket));
    for (const socket of this.#open) if (!busy.has(socket)) socket.destroy();
    for (const response of this.#unsent) response.shouldKeepAlive = false;
    return closed;
  }

  /** Resolves when all answers are with the system, or their clients gone. */
  async sent(): Promise<void> {
    await Promise.all([...this.#unsent].map((response) => new Promise((resolve) => response.once('close', resolve))));
  }

  destroy(): void {
    for (const socket of this.#sockets) socket.destroy();
  }
}
