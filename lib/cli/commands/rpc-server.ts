import { mkdirSync } from 'node:fs';
import { createServer, isIPv4 } from 'node:net';
import { resolve } from 'node:path';
import { availableCores } from '../../../scripts/lib/cores.mjs';
import { integer, listOf, nonEmptyText, type Rule } from '../../options.ts';
import { RpcServer } from '../../rpc/server.ts';
import { deviceName } from '../../tensor-overrides.ts';
import { readFlags } from '../args.ts';
import { exitCodes, fileFailure, UsageError } from '../failure.ts';
import { whyNotListening } from '../serve/listening.ts';
import type { Command } from './command.ts';

const defaults = { host: '127.0.0.1', port: 50_052 } as const;

/** llama.cpp's server takes nothing else. */
const address: Rule = {
  check: (value) => typeof value === 'string' && isIPv4(value) && value !== '255.255.255.255',
  expected: 'an IPv4 address of this machine, or 0.0.0.0 for all that it has',
};
const name: Rule = { check: (value) => typeof value === 'string' && deviceName.test(value), expected: 'the name of a device' };

export const rpcServer: Command = {
  name: 'rpc-server',
  summary: "lend this machine's GPUs to another one, in a closed network",
  usage: ['[flags]'],
  about: `Serves the GPUs of this machine, or its CPU where there is none, by llama.cpp's RPC. On another machine, with the same version \
of this package:
  nudging --rpc-servers 10.0.0.2:50052 --pair llama-2-70b "What is a harbor?"

FOR CLOSED NETWORKS ONLY. There is no password and no encryption: whoever reaches the port can read what goes through it, and can crash, \
and perhaps take over, this process. Let it listen on one private address, behind a firewall, in a WireGuard network or behind ssh -L; \
docs/rpc.md says how.`,
  groups: [
    {
      title: 'Server',
      flags: [
        { name: 'host', value: 'ADDRESS', rule: address, about: 'IPv4 address to listen on', otherwise: defaults.host },
        { name: 'port', value: 'N', kind: 'number', rule: integer(1, 65_535), about: 'port', otherwise: String(defaults.port) },
        {
          name: 'devices',
          value: 'NAME,…',
          kind: 'commas',
          rule: listOf(name),
          about: 'what is served, by the names that nudging doctor shows, as CUDA0,CUDA1',
          otherwise: 'the GPUs, or the CPU where there is none',
        },
        {
          name: 'threads',
          value: 'N',
          kind: 'number',
          rule: integer(1, 512),
          about: 'of the CPU, where that is served',
          otherwise: 'the cores that the process may use',
        },
        {
          name: 'cache',
          value: 'FOLDER',
          rule: nonEmptyText,
          about: 'keep large weights that came once, so that they need not come again; nothing is ever deleted there',
          otherwise: 'off',
        },
      ],
    },
  ],
  notes: `It serves one engine at a time; others wait until that one is gone. Ctrl-C or SIGTERM ends it. --verbose says who connects.`,
  async run(argv, interrupt) {
    const { values, switches, words } = readFlags(this.groups, argv, this.name);
    if (words.length > 0) throw new UsageError(`rpc-server takes no words: leave out "${words[0]}"`);
    const host = (values['host'] as string | undefined) ?? defaults.host;
    const port = (values['port'] as number | undefined) ?? defaults.port;
    const cache = folderFor(values['cache'] as string | undefined);
    await mustBeFree(host, port);
    const server = new RpcServer(switches.has('verbose'));
    const interrupted = new Promise<void>((stop) => {
      if (interrupt.signal.aborted) stop();
      else interrupt.signal.addEventListener('abort', () => stop(), { once: true });
    });
    try {
      const service = {
        endpoint: `${host}:${port}`,
        cache,
        threads: (values['threads'] as number | undefined) ?? availableCores(),
        devices: (values['devices'] as string[] | undefined) ?? [],
      };
      const devices = await Promise.race([server.serve(service), interrupted]);
      if (devices) {
        if (!host.startsWith('127.')) console.error(`whoever reaches ${host}:${port} can use and crash this: keep it in a closed network`);
        console.error(`serving ${devices.join(', ')} at ${host}:${port}`);
        const how = await Promise.race([server.ended, interrupted]);
        if (how !== undefined) throw new Error(how);
      }
      return exitCodes.ok;
    } finally {
      await server.kill();
    }
  },
};

/** @throws UsageError if there is no such folder and none can be made */
function folderFor(cache: string | undefined): string {
  if (cache === undefined) return '';
  const folder = resolve(cache);
  try {
    mkdirSync(folder, { recursive: true });
  } catch (error) {
    throw fileFailure(error, 'the folder of --cache', cache);
  }
  return folder;
}

/** llama.cpp would only say that it cannot. @throws UsageError that says why this server could not listen there */
function mustBeFree(host: string, port: number): Promise<void> {
  return new Promise((free, taken) => {
    const trial = createServer();
    trial.once('error', (error) => taken(new UsageError(`--host ${host} --port ${port}: ${whyNotListening(error)}`)));
    trial.listen({ host, port }, () => trial.close(() => free()));
  });
}
