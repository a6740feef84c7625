import { channel, type Channel } from 'node:diagnostics_channel';
import type { TelemetryMessages } from './messages.ts';

const names = [
  'nudging:load:start',
  'nudging:load:end',
  'nudging:request:start',
  'nudging:request:first',
  'nudging:request:end',
  'nudging:tick',
  'nudging:error',
] as const satisfies (keyof TelemetryMessages)[];

/** Held for good: Node.js forgets a channel that nobody refers to, and its subscribers with it. */
const channels = new Map<string, Channel>(names.map((name) => [name, channel(name)]));

/** Whether anybody listens to one of these channels. All that telemetry costs where nobody does. */
export function isObserved(...wanted: (keyof TelemetryMessages)[]): boolean {
  return wanted.some((name) => channels.get(name)?.hasSubscribers);
}

export function publish<Name extends keyof TelemetryMessages>(name: Name, message: TelemetryMessages[Name]): void {
  channels.get(name)?.publish(message);
}

/**
 * Calls `listener` with each message of a channel, from where it happens: what it throws is thrown again a moment later, where nobody
 * catches it. The same as `subscribe` of `node:diagnostics_channel`, with types.
 *
 * @returns a function that ends it
 */
export function observe<Name extends keyof TelemetryMessages>(
  name: Name,
  listener: (message: TelemetryMessages[Name]) => void,
): () => void {
  const untyped = (message: unknown) => listener(message as TelemetryMessages[Name]);
  const observed = channel(name);
  observed.subscribe(untyped);
  return () => void observed.unsubscribe(untyped);
}
