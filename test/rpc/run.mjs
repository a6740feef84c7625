#!/usr/bin/env node
// An engine and its RPC server in two network namespaces, and what can happen to a link: `npm run test:rpc -- --help`.
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { markdownTable } from '../../bench/lib/markdown.mjs';
import { BuildError, runMain } from '../../scripts/lib/errors.mjs';
import { failures } from './failures.mjs';
import { links } from './links.mjs';
import { Network } from './network.mjs';
import { Server } from './programs.mjs';

const help = `An engine and nudging rpc-server with the demo pair in two network namespaces. Servers are killed and stopped, packets are
dropped, the link is made slow; then every request must end with the error that docs/rpc.md promises, in time, and the first
one after the link is mended must be answered. Prints the tables of docs/rpc.md.

Usage: npm run test:rpc -- [flags]

  --quick   without what waits for half a minute
  --help    print this

It needs root on Linux, iproute2 and iptables.
`;

await runMain(async () => {
  const { values } = parseArgs({ options: { quick: { type: 'boolean' }, help: { type: 'boolean' } } });
  if (values.help) return void process.stdout.write(help);
  const network = new Network();
  const server = new Server(network, 50_052);
  /** @type {string[]} */
  const wrong = [];
  try {
    await server.start();
    for (const part of [failures, links]) {
      const { head, rows, faults } = await part(network, server, { quick: values.quick ?? false });
      console.log(`\n${markdownTable(head, rows)}`);
      wrong.push(...faults);
    }
  } finally {
    await server.kill();
    // Programs that were killed leave the namespaces a moment later.
    await sleep(100);
    network.remove();
  }
  if (wrong.length > 0) throw new BuildError(`${wrong.length} not as promised:\n${wrong.join('\n')}`);
});
