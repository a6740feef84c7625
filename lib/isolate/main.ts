// The main module of an engine's process (`isolate: true`): orders in, native events out.
import { NudgingError } from '../errors.ts';
import { hostMemory } from '../host-memory.ts';
import { loadNative, type NativeEngine, type NativeEngineOptions, type NativeEvent } from '../native.ts';
import { probeAll } from '../rpc/probe.ts';
import type { Order } from './messages.ts';

let engine: NativeEngine | undefined;

/** Orders that come while RPC servers are asked who they are, before there is an engine. */
let early: Order[] | undefined;

/** However the parent ends, the channel to it closes. Nobody waits for anything here then; a clean end might wait for a long decode. */
const end = () => process.kill(process.pid, 'SIGKILL');
process.on('disconnect', end);

// A terminal or a service manager sends these to every process it has. The parent decides what they mean, perhaps to finish what runs.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGBREAK'] as const) process.on(signal, () => {});

process.on('message', (message) => {
  const order = message as Order;
  if (early) early.push(order);
  else obey(order);
});

function obey(order: Order): void {
  switch (order.type) {
    case 'start':
      return order.options.rpcServers.length > 0 ? void startOverNetwork(order.options) : start(order.options);
    case 'submit':
      try {
        return engine?.submit(order.request);
      } catch (error) {
        return tell([{ type: 'failed', id: order.request.id, code: 'ERR_INTERNAL', message: (error as Error).message }]);
      }
    case 'cancel':
      return engine?.cancel(order.id);
    case 'park':
      return engine?.park(order.id, order.parked);
    case 'answer':
      return engine?.answer(order.answers);
    case 'close':
      return engine?.close(false);
  }
}

if (!process.connected) end();

function start(options: NativeEngineOptions): void {
  try {
    // What a process that crashed had taken is free again.
    engine = new (loadNative().NativeEngine)({ ...options, hostMemory: hostMemory() }, tell);
  } catch (error) {
    notLoaded(error);
  }
}

/** What llama.cpp would end the process for is found out, and said, before it connects. */
async function startOverNetwork(options: NativeEngineOptions): Promise<void> {
  early = [];
  try {
    await probeAll(options.rpcServers, loadNative().rpcProtocol, options.rpcTimeout);
  } catch (error) {
    return notLoaded(error);
  }
  const orders = early;
  early = undefined;
  start(options);
  for (const order of orders) obey(order);
}

function notLoaded(error: unknown): void {
  const code = error instanceof NudgingError ? error.code : 'ERR_INTERNAL';
  tell([{ type: 'load-failed', code, message: (error as Error).message }, { type: 'closed' }]);
}

function tell(events: NativeEvent[]): void {
  const last = events.some(({ type }) => type === 'closed');
  process.send?.(events, undefined, undefined, () => {
    if (!last) return;
    // Everything was sent: nothing keeps this process alive without the channel.
    process.off('disconnect', end);
    process.disconnect();
  });
}
