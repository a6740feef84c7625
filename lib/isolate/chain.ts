import { childMark, isApplication } from '../../scripts/lib/own-runtime.mjs';
import { NudgingError } from '../errors.ts';
import type { NativeEvent } from '../native.ts';

const code = 'ERR_ENGINE_CRASHED';

/** Where processes of our own cannot be had. */
export const noProcess = () =>
  `an engine's process is started with ${process.execPath}, and that is an application, which would start itself again: ` +
  'leave out `isolate`, or run the application with node';

/**
 * Refuses to load an engine where that would never end: an application that is its own runtime starts itself in place of an engine's
 * process, loads an engine, starts itself again, and so on. The process that waits for the engine is told.
 *
 * @throws NudgingError ERR_ENGINE_CRASHED
 */
export function refuseChain(isolate: boolean): void {
  const marked = process.env[childMark] !== undefined;
  if (!marked && !(isolate && isApplication())) return;
  const message = noProcess();
  const told: NativeEvent[] = [{ type: 'load-failed', code, message }, { type: 'closed' }];
  if (marked) process.send?.(told, undefined, undefined, () => {});
  throw new NudgingError(code, message, { option: 'isolate', value: isolate });
}
