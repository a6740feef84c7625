#!/usr/bin/env node
// Two replicas behind nginx, one killed and one drained: `npm run test:replicas -- --help`.
import { parseArgs } from 'node:util';
import { setTimeout as sleep } from 'node:timers/promises';
import { markdownTable } from '../../bench/lib/markdown.mjs';
import { BuildError, runMain } from '../../scripts/lib/errors.mjs';
import { cachedShare, Load } from './load.mjs';
import { findNginx, startNginx } from './nginx.mjs';
import { freePort, Replica } from './replica.mjs';
import { failuresOf, rowsOf } from './verdict.mjs';

const help = `Two nudging serve of the demo pair behind nginx, with examples/deploy/nginx.conf on ports that are free. Clients talk
to it steadily, half of them in streams. One replica is killed and started again, the other is drained and started again. No
request may hang or be lost, and none may have more than one error after which it has to be asked again.

Usage: npm run test:replicas -- [flags]

  --seconds N   of the load, without what replicas take to start and to end; default: 40
  --clients N   conversations at once; default: 12
  --help        print this

It needs nginx: apt-get install nginx-light.
`;

/** Between two things that happen: this share of the load. What a replica takes to start and to end comes on top. */
const share = 1 / 5;
/** What shows the use of sending a conversation to the same replica: few enough that all find places, and prefixes stay. */
const calm = { clients: 4, conversations: 2 };

await runMain(async () => {
  const text = /** @type {const} */ ({ type: 'string' });
  const { values } = parseArgs({ options: { seconds: text, clients: text, help: { type: 'boolean' } } });
  if (values.help) return void process.stdout.write(help);
  const integer = (/** @type {'seconds' | 'clients'} */ flag, /** @type {number} */ otherwise, /** @type {number} */ least) => {
    const value = Number(values[flag] ?? otherwise);
    if (!(Number.isInteger(value) && value >= least))
      throw new BuildError(`--${flag} cannot be "${values[flag]}": it must be an integer from ${least} on`);
    return value;
  };
  const seconds = integer('seconds', 40, 20);
  const clients = integer('clients', 12, 2);
  findNginx();
  const replicas = await startReplicas();
  try {
    const kept = await calmly(replicas);
    const failures = await underLoad(replicas, { seconds, clients, kept });
    if (failures.length > 0) throw new BuildError(`${failures.length} failures:\n${failures.slice(0, 20).join('\n')}`);
  } finally {
    await Promise.all(replicas.map((replica) => replica.end('SIGKILL')));
  }
});

async function startReplicas() {
  const flags = ['--parallel', '4', '--max-queue', '64', '--drain', '20', '--threads', '1'];
  const replicas = /** @type {[Replica, Replica]} */ ([new Replica(await freePort(), flags), new Replica(await freePort(), flags)]);
  try {
    for (const replica of replicas) await replica.start();
  } catch (error) {
    await Promise.all(replicas.map((replica) => replica.end('SIGKILL')));
    throw error;
  }
  return replicas;
}

/** What is in the caches when conversations stay, and when they are sent anywhere. @param {readonly Replica[]} replicas */
async function calmly(replicas) {
  const shares = [];
  for (const sticky of [true, false]) {
    const nginx = await startNginx({ port: await freePort(), replicas: replicas.map(({ port }) => port), sticky });
    try {
      const load = new Load(nginx.url, { ...calm, name: sticky ? 'stays' : 'goes' });
      await load.over;
      shares.push(cachedShare(load.requests));
    } finally {
      await nginx.stop();
    }
  }
  return /** @type {[number, number]} */ (shares);
}

/**
 * @param {readonly [Replica, Replica]} replicas
 * @param {{ seconds: number, clients: number, kept: readonly [number, number] }} options
 */
async function underLoad([one, other], { seconds, clients, kept }) {
  const nginx = await startNginx({ port: await freePort(), replicas: [one.port, other.port] });
  try {
    const load = new Load(nginx.url, { clients, name: 'load' });
    const pause = () => sleep(share * seconds * 1000);
    const at = { killed: 0, again: 0, drained: 0, back: 0, end: 0 };

    await pause();
    // A stream that has begun cannot be asked of another one: its client has to see an error.
    await load.streaming(`127.0.0.1:${one.port}`);
    at.killed = load.now();
    await one.end('SIGKILL');
    await pause();
    await one.start();
    at.again = load.now();

    await pause();
    at.drained = load.now();
    const endedWith = await other.end('SIGTERM');
    await pause();
    await other.start();
    at.back = load.now();

    await pause();
    at.end = load.now();
    await load.stop();
    // Both were started anew: what they have answered they have answered since.
    const since = [await one.answered(), await other.answered()];
    await sleep(200);
    const result = { requests: load.requests, attempts: load.attempts, logged: nginx.attempts(), at, since, endedWith };
    const percent = (/** @type {number} */ share) => `${(100 * share).toFixed(0)} %`;
    console.log(
      [
        markdownTable(
          ['requests while', 'how many', 'at the first attempt', 'at the second', 'worse', 'median, ms', 'longest, ms'],
          rowsOf(result),
        ),
        '',
        `${clients} clients, ${(at.end / 1000).toFixed(0)} s; attempts: ${load.attempts.length}, in nginx's log: ${result.logged.length}.`,
        `Errors: ${errorsOf(load.requests)}. Since its restart, one replica has answered ${since[0]}, the other ${since[1]}.`,
        `In the caches, of prompts behind a conversation's first: ${percent(kept[0])} with the header, ${percent(kept[1])} without.`,
      ].join('\n'),
    );
    const failures = failuresOf(result);
    if (failures.length > 0) failures.push(...nginx.errors().slice(-20));
    if (!(kept[0] > kept[1])) failures.push(`to stay brings nothing: ${kept.map(percent).join(' and ')} of prompts are cached`);
    return failures;
  } finally {
    await nginx.stop();
  }
}

/** @param {readonly import('./load.mjs').Request[]} requests */
function errorsOf(requests) {
  /** @type {Record<string, number>} */
  const counts = {};
  for (const kind of requests.flatMap(({ errors }) => errors)) counts[kind] = (counts[kind] ?? 0) + 1;
  return (
    Object.entries(counts)
      .map(([kind, count]) => `${count} ${kind}`)
      .join(', ') || 'none'
  );
}
