import { llamaServer } from './llama-server.ts';
import type { Api, Protocol } from './protocol.ts';
import { sglang } from './sglang.ts';
import { vllm } from './vllm.ts';

/** How each kind of server is spoken to. */
export const protocols: Readonly<Record<Api, Protocol>> = { sglang, vllm, 'llama-server': llamaServer };
