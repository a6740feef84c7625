import { setTimeout as sleep } from 'node:timers/promises';
import { Asker } from './programs.mjs';

/**
 * @typedef {import('./network.mjs').Network} Network
 * @typedef {import('./programs.mjs').Server} Server
 * @typedef {import('./programs.mjs').Told} Told
 */

/** An answer that is long enough for something to happen meanwhile. */
const long = /** @type {const} */ ({ mode: 'base', stop: [], maxTokens: 400 });
const short = { maxTokens: 8 };
/** A server that is silent for so long counts as lost, in milliseconds. */
const rpcTimeout = 3000;

/**
 * What can go wrong. `breaks` makes it so, `mends` undoes it; `within`: seconds after which the request must have failed at the latest;
 * `idle`: it happens while nothing runs.
 * @type {{ what: string, breaks: (network: Network, server: Server) => unknown, mends: (network: Network, server: Server) => unknown,
 *   within: number, idle?: true, slow?: true, rpcTimeout?: number }[]}
 */
const cases = [
  { what: 'the server is killed', breaks: (_, server) => server.kill(), mends: (_, server) => server.start(), within: 2 },
  {
    what: 'the server is stopped (SIGSTOP)',
    breaks: (_, server) => server.signal('SIGSTOP'),
    mends: (_, server) => server.signal('SIGCONT'),
    within: 5,
    rpcTimeout,
  },
  { what: 'packets are dropped', breaks: (network) => network.cut(), mends: (network) => network.mend(), within: 5, rpcTimeout },
  {
    what: 'packets are dropped while nothing runs',
    breaks: (network) => network.cut(),
    mends: (network) => network.mend(),
    within: 5,
    idle: true,
    rpcTimeout,
  },
  {
    what: 'packets are dropped, default `rpcTimeout`',
    breaks: (network) => network.cut(),
    mends: (network) => network.mend(),
    within: 45,
    slow: true,
  },
];

/** @param {Network} network @param {Server} server @param {{ quick: boolean }} settings */
export async function failures(network, server, { quick }) {
  const head = ['what happens in the middle of an answer', 'the request fails', 'after, s', 'asked meanwhile', 'answered when mended, s'];
  const rows = [];
  /** @type {string[]} */
  const faults = [];
  for (const one of cases.filter(({ slow }) => !(quick && slow))) {
    const asker = new Asker(network);
    try {
      const loaded = await asker.load({
        rpcServers: [server.endpoint],
        threads: 1,
        ...(one.rpcTimeout ? { rpcTimeout: one.rpcTimeout } : {}),
      });
      if (loaded.code) throw new Error(`${loaded.code} ${loaded.message}`);
      const { failed, seconds } = await broken(one, asker, network, server);
      const meanwhile = await asker.ask(short);
      await one.mends(network, server);
      const mended = performance.now();
      const { told, after } = await answered(asker, mended);
      rows.push([one.what, `\`${failed.code}\``, seconds.toFixed(1), `\`${meanwhile.code}\``, after.toFixed(1)]);
      const named = (/** @type {Told} */ { message = '' }) => message.includes(server.endpoint);
      if (failed.code !== 'ERR_ENGINE_CRASHED' || !named(failed)) faults.push(`${one.what}: failed with ${failed.code} ${failed.message}`);
      if (seconds > one.within) faults.push(`${one.what}: failed after ${seconds.toFixed(1)} s`);
      if (meanwhile.code !== 'ERR_RPC_UNREACHABLE' || !named(meanwhile))
        faults.push(`${one.what}: meanwhile ${meanwhile.code} ${meanwhile.message}`);
      if (told.code) faults.push(`${one.what}: after that ${told.code} ${told.message}`);
    } finally {
      asker.kill();
    }
  }
  if (!quick) {
    const { row, fault } = await vanishedClient(network, server);
    rows.push(row);
    faults.push(...fault);
  }
  return { head, rows, faults };
}

/** @param {(typeof cases)[number]} one @param {Asker} asker @param {Network} network @param {Server} server */
async function broken(one, asker, network, server) {
  const begun = asker.begun;
  let asked = one.idle ? undefined : asker.ask(long);
  if (asked) await begun;
  await one.breaks(network, server);
  const began = performance.now();
  asked ??= asker.ask(short);
  return { failed: await asked, seconds: (performance.now() - began) / 1000 };
}

/** Asks until it is answered, for a minute at most. @param {Asker} asker @param {number} since */
async function answered(asker, since) {
  for (;;) {
    const told = await asker.ask(short);
    const after = (performance.now() - since) / 1000;
    if (told.code === undefined || after > 60) return { told, after };
    await sleep(200);
  }
}

/**
 * The client's machine loses its power: another one must get in, though nobody tells the server.
 * @param {Network} network
 * @param {Server} server
 */
async function vanishedClient(network, server) {
  const [gone, next] = [new Asker(network), new Asker(network)];
  try {
    await gone.load({ rpcServers: [server.endpoint], threads: 1 });
    network.replaceClient();
    gone.kill();
    const since = performance.now();
    /** @type {Told} */
    let told;
    do {
      told = await next.load({ rpcServers: [server.endpoint], threads: 1 });
    } while (told.code !== undefined && performance.now() - since < 90_000);
    const after = (performance.now() - since) / 1000;
    const fault = told.code === undefined && after < 45 ? [] : [`another client was served after ${after.toFixed(1)} s, ${told.code}`];
    return { row: ['the client vanishes, another one comes', '–', '–', '`ERR_RPC_UNREACHABLE`', after.toFixed(1)], fault };
  } finally {
    gone.kill();
    next.kill();
  }
}
