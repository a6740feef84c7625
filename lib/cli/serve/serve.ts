import { isIP } from 'node:net';
import { createService } from '../../server/handler.ts';
import { listen, type Listening } from '../../server/listen.ts';
import { logLine } from '../../server/log.ts';
import type { HandlerOptions } from '../../server/options.ts';
import { Models, Served } from '../../server/served.ts';
import { readTextFileSync } from '../../text-file.ts';
import type { LoadOptions } from '../../types.ts';
import { exitCodes, fileFailure, UsageError } from '../failure.ts';
import type { Interrupt } from '../interrupt.ts';
import { load as loadPair } from '../load.ts';
import { serveDefaults } from './flags.ts';
import { keysFrom } from './keys.ts';
import { whyNotListening } from './listening.ts';
import { pairsOf } from './pairs.ts';

interface Given {
  load: LoadOptions;
  values: Readonly<Record<string, unknown>>;
  verbose: boolean;
  /** Whether there is a page to ask and watch. */
  playground: boolean;
}

/** Serves until a signal comes, then lets what is under way end. Returns the exit code. */
export async function serveUntilInterrupted({ load, values, verbose, playground }: Given, interrupt: Interrupt): Promise<number> {
  const pairs = await pairsOf((values['pair'] as string[] | undefined) ?? [], load, values['model-name'] as string | undefined);
  const served = pairs.map(({ name }) => new Served(name));
  const { host, port, tls, options, open } = settingsFrom(values, playground);
  const service = createService(new Models(served), options);
  const running = await listen(service, { host, port, tls, ...connections(values) }).catch((error: NodeJS.ErrnoException) => {
    throw new UsageError(`--host ${host} --port ${port}: ${whyNotListening(error)}`);
  });
  const drain = numberFrom(values, 'drain');
  try {
    // It listens already: who asks too early is told when to come again.
    say({ event: 'listening', url: running.url, models: pairs.map(({ name }) => name) });
    if (open && !isLoopback(host))
      say({ event: 'warning', message: `anybody who reaches ${running.url} may ask: set a key with --api-key` });
    for (const [index, { load: options }] of pairs.entries()) {
      const one = served[index] as Served;
      one.engine = await loadPair({ maxQueue: numberFrom(values, 'max-queue'), ...options }, interrupt.signal, verbose);
      say({ event: 'loaded', model: one.name, places: one.parallel });
    }
    say({ event: 'ready', url: running.url });
    await aborted(interrupt.signal);
    say({ event: 'draining', requests: service.under.size, seconds: drain });
  } finally {
    await running.drain(served.some(({ engine }) => engine) ? drain : 0);
    await Promise.all(served.map(({ engine }) => engine?.close()));
  }
  say({ event: 'closed' });
  return exitCodes.ok;
}

function say(event: object): void {
  process.stderr.write(
    logLine({ time: new Date().toISOString(), level: 'event' in event && event.event === 'warning' ? 'warn' : 'info', ...event }),
  );
}

function numberFrom<Name extends keyof typeof serveDefaults>(values: Given['values'], name: Name): number {
  return (values[name] ?? serveDefaults[name]) as number;
}

function settingsFrom(
  values: Given['values'],
  playground: boolean,
): Pick<Listening, 'host' | 'port' | 'tls'> & { options: HandlerOptions; open: boolean } {
  const host = (values['host'] as string | undefined) ?? serveDefaults.host;
  const keys = keysFrom(values['api-key'] as string | undefined, values['api-keys'] as string | undefined);
  const hosts = values['allow-host'] as string[] | undefined;
  const open = keys.length === 0;
  const allowedHosts = hosts ?? (open ? [host] : undefined);
  return {
    host,
    port: numberFrom(values, 'port'),
    tls: tlsFrom(values['tls-cert'] as string | undefined, values['tls-key'] as string | undefined),
    open,
    options: {
      apiKeys: keys,
      rateLimit: numberFrom(values, 'rate-limit'),
      ...(allowedHosts ? { allowedHosts } : {}),
      allowedOrigins: (values['allow-origin'] as string[] | undefined) ?? [],
      playground,
      keepAlive: numberFrom(values, 'keep-alive'),
      mostBytes: numberFrom(values, 'max-body'),
      mostTokens: numberFrom(values, 'limit-tokens'),
      mostChoices: numberFrom(values, 'max-choices'),
      timeout: numberFrom(values, 'timeout'),
      ...(values['log'] === 'off' ? {} : { onRequest: (entry) => void process.stderr.write(logLine(entry)) }),
    },
  };
}

function connections(values: Given['values']): Pick<Listening, 'requestTimeout' | 'mostConnections'> {
  return { requestTimeout: numberFrom(values, 'request-timeout'), mostConnections: numberFrom(values, 'max-connections') };
}

function tlsFrom(cert: string | undefined, key: string | undefined): Listening['tls'] {
  if (cert === undefined && key === undefined) return undefined;
  if (cert === undefined || key === undefined) {
    const [given, missing] = cert === undefined ? ['tls-key', 'tls-cert'] : ['tls-cert', 'tls-key'];
    throw new UsageError(`--${given} needs the other half: add --${missing}`);
  }
  const read = (flag: string, path: string) => {
    try {
      return readTextFileSync(path);
    } catch (error) {
      throw fileFailure(error, `the file of --${flag}`, path);
    }
  };
  return { cert: read('tls-cert', cert), key: read('tls-key', key) };
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'));
}

function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}
