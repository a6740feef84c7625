import type { Rule } from '../options.ts';

/** llama.cpp's limit, of servers and of devices altogether. */
export const mostServers = 16;

/** How long a server may be silent while an answer is due, in milliseconds, unless `rpcTimeout` says otherwise. */
export const defaultRpcTimeout = 60_000;

/**
 * Names and IPv4 addresses: llama.cpp's RPC knows nothing else. A port with other characters in it would be cut short there.
 * schema/pair.schema.json says the same.
 */
const endpoint = /^((?:\w(?:[\w-]{0,61}\w)?\.)*\w(?:[\w-]{0,61}\w)?):([1-9]\d{0,4})$/;

/** Of a name in the domain name system, and a port behind it. */
const longest = 253 + 1 + 5;

export interface Endpoint {
  host: string;
  port: number;
}

/** The parts of `host:port`; undefined: it is nothing that llama.cpp could connect to. */
export function endpointIn(text: string): Endpoint | undefined {
  const [, host = '', port = ''] = endpoint.exec(text) ?? [];
  return host === '' || text.length > longest || Number(port) > 65_535 ? undefined : { host, port: Number(port) };
}

/** What `rpcServers` may be. Whatever else reached llama.cpp would end the process there. */
export const rpcServersRule: Rule = {
  check: (value) => faultOf(value) === undefined,
  expected: `an array of 1 to ${mostServers} servers as "host:port", each once`,
  blame: (value) => ({ value, expected: faultOf(value) as string }),
};

function faultOf(value: unknown): string | undefined {
  if (!Array.isArray(value) || value.length === 0) return rpcServersRule.expected;
  if (value.length > mostServers) return `an array of at most ${mostServers} servers, which is llama.cpp's limit`;
  const seen = new Set<string>();
  // Unlike its methods, a loop sees holes.
  for (const one of value as unknown[]) {
    if (typeof one !== 'string' || endpointIn(one) === undefined)
      return 'an array of servers as "host:port", with a name or an IPv4 address and a port from 1 to 65535, such as "10.0.0.2:50052"';
    const key = one.toLowerCase();
    if (seen.has(key)) return `an array that names each server once ("${one}" is there twice): a second connection would wait for ever`;
    seen.add(key);
  }
  return undefined;
}
