import { createServer, type Server } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { createAdaptorServer } from '@hono/node-server';
import { Connections } from './connections.ts';
import type { Service } from './handler.ts';

export interface Listening {
  host: string;
  /** 0: any that is free. */
  port: number;
  /** PEM texts. */
  tls?: { cert: string; key: string } | undefined;
  /** Seconds in which a request must have arrived, its body included; then it is answered with 408. */
  requestTimeout: number;
  /** Connections that may be open together; further ones are closed at once. */
  mostConnections: number;
}

/** A server that listens. */
export interface Running {
  /** Where it can be reached. */
  url: string;
  /**
   * Takes no new requests, waits for those under way, then ends those that are left with an error.
   *
   * @param seconds how long it waits
   */
  drain(seconds: number): Promise<void>;
}

/** Longer than this nobody waits for a client to read its last frame. */
const farewellMs = 1000;

/** @throws what Node says of the address, such as EADDRINUSE */
export async function listen(service: Service, { host, port, tls, requestTimeout, mostConnections }: Listening): Promise<Running> {
  const arrivalMs = requestTimeout * 1000;
  const timeouts = {
    headersTimeout: arrivalMs,
    requestTimeout: arrivalMs,
    connectionsCheckingInterval: Math.min(1000, arrivalMs),
    keepAliveTimeout: 30_000,
  };
  const server = createAdaptorServer({
    fetch: async (request, { incoming }) => streamedAtOnce(await service.fetch(request), incoming.httpVersion),
    ...(tls ? { createServer: createSecureServer, serverOptions: { ...timeouts, ...tls } } : { createServer, serverOptions: timeouts }),
  }) as Server;
  server.maxConnections = mostConnections;
  const connections = new Connections(server, tls !== undefined);
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      resolve();
    });
  });
  service.metrics.watchLoop();
  return {
    url: urlOf(server.address() as AddressInfo, tls !== undefined),
    drain: async (seconds) => {
      service.drain();
      const end = performance.now() + seconds * 1000;
      const closed = connections.close();
      await emptied(service, seconds * 1000);
      for (const exchange of [...service.under]) exchange.giveUp();
      await emptied(service, farewellMs);
      // What was answered may still be on its way to a client that reads slowly.
      await atMost(connections.sent(), Math.max(farewellMs, end - performance.now()));
      connections.destroy();
      await closed;
      service.metrics.stop();
    },
  };
}

/**
 * The adapter holds back what a response begins with, for a turn of a timer, in case that is all of it. Streams are spared that by saying
 * what they are; HTTP 1.0 has no word for it.
 */
function streamedAtOnce(response: Response, httpVersion: string): Response {
  const streams = response.headers.get('content-type')?.startsWith('text/event-stream') === true;
  if (streams && httpVersion !== '1.0') response.headers.set('Transfer-Encoding', 'chunked');
  return response;
}

function urlOf({ address, port, family }: AddressInfo, secure: boolean): string {
  const host = family === 'IPv6' ? `[${address}]` : address;
  return `${secure ? 'https' : 'http'}://${host}:${port}`;
}

/** Waits until nothing is under way, or the time is up. */
async function emptied({ under, onIdle }: Service, ms: number): Promise<void> {
  if (under.size > 0) await atMost(onIdle(), ms);
}

async function atMost(task: Promise<unknown>, ms: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  await Promise.race([
    task,
    new Promise<void>((resolve) => {
      timer = setTimeout(resolve, ms);
    }),
  ]);
  clearTimeout(timer);
}
