import { connect } from 'node:net';
import { NudgingError, type ErrorCode } from '../errors.ts';
import type { RpcVersion } from '../native.ts';
import { endpointIn } from './endpoints.ts';

/** Longest that connecting and greeting may take, in milliseconds. A server greets at once unless it serves somebody else. */
export const probeTimeout = 5000;

/**
 * HELLO, as ggml-rpc.cpp has it: command 14, the length of what follows (8 bytes, the lowest first), and 24 bytes of what the transport can
 * do, here nothing. The answer is a length again, then major, minor, patch, a byte of padding, and the other side's 24 bytes.
 */
const capabilities = 24;
const greeting = Buffer.alloc(9 + capabilities);
greeting.writeUInt8(14, 0);
greeting.writeBigUInt64LE(BigInt(capabilities), 1);
const answerLength = 4 + capabilities;

/**
 * Asks a server who it is, before llama.cpp does, which ends the process if it does not like the answer.
 *
 * @param server `host:port`
 * @param ours the protocol that this build speaks
 * @param timeout milliseconds
 * @param signal gives up; the reason does not matter to whoever does
 * @throws NudgingError ERR_RPC_UNREACHABLE: nobody there, or nobody who answers in time; ERR_RPC_VERSION: somebody who speaks otherwise
 */
export async function probe(server: string, ours: RpcVersion, timeout = probeTimeout, signal?: AbortSignal): Promise<void> {
  const theirs = await versionOf(server, ours, timeout, signal);
  if (theirs.every((part, at) => part === ours[at])) return;
  throw otherProtocol(server, `speaks version ${theirs.join('.')} of the protocol`, ours);
}

/** Asks several at the same time. The first that is not as it should be ends the asking. @throws as {@link probe} */
export async function probeAll(servers: readonly string[], ours: RpcVersion, timeout: number): Promise<void> {
  const rest = new AbortController();
  try {
    await Promise.all(servers.map((server) => probe(server, ours, Math.min(timeout, probeTimeout), rest.signal)));
  } finally {
    rest.abort();
  }
}

function versionOf(server: string, ours: RpcVersion, timeout: number, signal: AbortSignal | undefined): Promise<number[]> {
  const { host, port } = endpointIn(server) ?? { host: server, port: 0 };
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port, family: 4 });
    let connected = false;
    let received = Buffer.alloc(0);
    const settle = (outcome: () => void) => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', giveUp);
      socket.removeAllListeners();
      // A reset that comes later is of no interest.
      socket.on('error', () => {});
      socket.destroy();
      outcome();
    };
    const fail = (error: NudgingError) => settle(() => reject(error));
    const giveUp = () => fail(unreachable(server, 'was not asked to the end', absent));
    signal?.addEventListener('abort', giveUp);
    const timer = setTimeout(() => {
      if (!connected) return fail(unreachable(server, `did not accept a connection within ${timeout} ms`, absent));
      fail(unreachable(server, `accepted a connection and said nothing for ${timeout} ms`, busy));
    }, timeout);
    socket.on('connect', () => {
      connected = true;
      socket.write(greeting);
    });
    socket.on('data', (chunk) => {
      received = Buffer.concat([received, chunk]);
      if (received.length >= 8 && received.readBigUInt64LE() !== BigInt(answerLength))
        return fail(otherProtocol(server, 'does not answer as an RPC server of llama.cpp does', ours));
      if (received.length >= 8 + answerLength) settle(() => resolve([...received.subarray(8, 11)]));
    });
    // What is no RPC server, or an older one, closes when it does not understand the greeting.
    const closed = () => fail(otherProtocol(server, 'closed the connection instead of answering the greeting', ours));
    socket.on('end', closed);
    socket.on('close', closed);
    socket.on('error', (error: NodeJS.ErrnoException) => {
      if (connected) closed();
      else fail(unreachable(server, whyNotConnected(error), absent));
    });
  });
}

const absent = 'start `nudging rpc-server` there, and look at its --host and --port and at firewalls between';
const busy = 'an RPC server serves one engine at a time: end the other one, or start another server; if there is none, start this one anew';

function whyNotConnected({ code, message }: NodeJS.ErrnoException): string {
  const known: Record<string, string> = {
    ECONNREFUSED: 'refused the connection',
    ENOTFOUND: 'has a name that nobody knows an IPv4 address of',
    EAI_AGAIN: 'has a name that cannot be looked up now',
    EHOSTUNREACH: 'is on no network that can be reached from here',
    ENETUNREACH: 'is on no network that can be reached from here',
  };
  return known[code ?? ''] ?? `could not be reached (${message})`;
}

const unreachable = (server: string, what: string, remedy: string) => failure('ERR_RPC_UNREACHABLE', server, what, remedy);

function otherProtocol(server: string, what: string, ours: RpcVersion): NudgingError {
  const remedy = `this build speaks ${ours.join('.')}: run \`nudging rpc-server\` of the same version there`;
  return failure('ERR_RPC_VERSION', server, what, remedy);
}

function failure(code: ErrorCode, server: string, what: string, remedy: string): NudgingError {
  return new NudgingError(code, `the RPC server ${server} ${what}: ${remedy}`, { option: 'rpcServers', value: server });
}
