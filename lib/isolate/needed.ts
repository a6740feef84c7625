import { reject } from '../options.ts';
import { refuseChain } from './chain.ts';

/**
 * Whether the engine has to have a process of its own: with servers whose loss ends the process that uses them, always.
 *
 * @throws NudgingError ERR_INVALID_OPTION for `isolate: false` beside them; ERR_ENGINE_CRASHED where no such process can be had
 */
export function mustBeIsolated(isolate: boolean | undefined, rpcServers: readonly string[] | undefined): boolean {
  if (rpcServers === undefined) return isolate === true;
  if (isolate === false)
    reject('isolate', isolate, 'true or left out with `rpcServers`: llama.cpp ends the process that loses such a server');
  refuseChain(true);
  return true;
}
