#!/usr/bin/env node
// Many clients, of whom half leave: `npm run test:load -- --help`.
import { fork } from 'node:child_process';
import { parseArgs } from 'node:util';
import { BuildError, runMain } from '../../scripts/lib/errors.mjs';
import { inRoot } from '../../scripts/lib/paths.mjs';
import { growth } from '../soak/trend.mjs';
import { seededRandom } from '../../dist/calibrate/random.js';
import { chat } from './client.mjs';

const help = `Asks a nudging serve in a process of its own over many connections at once, of which some leave at random: in the
queue, at the prompt, in the middle of the answer. At the end every request must be accounted for, no place taken, no memory lost,
and the server's event loop must never have been late for long.

Usage: npm run test:load -- [flags]

  --seconds N       default: 300
  --connections N   at once; default: 200
  --leave SHARE     of them that leave, 0 to 1; default: 0.5
  --places N        answers that are made together; default: 4
  --seed N          default: 1
  --help            print this
`;

/** The event loop may be late for so long at the 99th percentile, by what its own thread does. */
const mostLateMs = 5;
/** A request that leaves does so within this time. */
const longestStayMs = 2000;
/** Bytes a request that are no leak yet. Under load V8 keeps more than it does in a soak. */
const mostGrowth = 400;
/** Times at which memory is looked at. */
const moments = 60;

await runMain(async () => {
  const text = /** @type {const} */ ({ type: 'string' });
  const { values } = parseArgs({
    options: { seconds: text, connections: text, leave: text, places: text, seed: text, help: { type: 'boolean' } },
  });
  if (values.help) return void process.stdout.write(help);
  const number = (/** @type {'seconds' | 'connections' | 'leave' | 'places' | 'seed'} */ flag, /** @type {number} */ otherwise) => {
    const value = Number(values[flag] ?? otherwise);
    if (!(value >= 0)) throw new BuildError(`--${flag} cannot be "${values[flag]}": it must be a number from 0 on`);
    return value;
  };
  const failures = await underLoad({
    seconds: number('seconds', 300),
    connections: number('connections', 200),
    leave: number('leave', 0.5),
    places: number('places', 4),
    seed: number('seed', 1),
  });
  if (failures.length > 0) throw new BuildError(`${failures.length} failures:\n${failures.slice(0, 20).join('\n')}`);
});

/** @param {{ seconds: number, connections: number, leave: number, places: number, seed: number }} options */
async function underLoad({ seconds, connections, leave, places, seed }) {
  const server = await startServer(['--parallel', String(places), '--max-queue', String(Math.floor(connections * 0.75))]);
  const random = seededRandom(seed);
  const failures = /** @type {string[]} */ ([]);
  const outcomes = { answered: 0, left: 0, refused: 0, failed: 0 };
  const samples = /** @type {import('../soak/trend.mjs').Sample[]} */ ([]);
  const done = () => outcomes.answered + outcomes.left + outcomes.refused + outcomes.failed;
  const until = performance.now() + seconds * 1000;

  const client = async () => {
    while (performance.now() < until) {
      const leaveAfter = random() < leave ? random() * longestStayMs : undefined;
      try {
        const outcome = await chat(server.url, { random, leaveAfter });
        outcomes[outcome] += 1;
        // It is told to come again, and half a second is enough to keep the queue full.
        if (outcome === 'refused') await new Promise((resolve) => setTimeout(resolve, 500));
      } catch (error) {
        outcomes.failed += 1;
        failures.push(/** @type {Error} */ (error).message);
      }
    }
  };
  const watch = async () => {
    while (performance.now() < until) {
      await new Promise((resolve) => setTimeout(resolve, (seconds * 1000) / moments));
      samples.push({ requests: done(), bytes: (await server.report()).bytes });
    }
  };
  // What loading made the loop late is not what is asked.
  server.reset();
  await Promise.all([...Array.from({ length: connections }, client), watch()]);

  await settled(server.url, failures);
  const { all, own } = await server.report();
  const counted = await countedBy(server.url);
  const perRequest = growth(samples);
  const { code, stderr } = await server.stop();
  if (code !== 0) failures.push(`the server ended with ${code}: ${stderr.slice(-500)}`);
  if (own.p99 > mostLateMs) failures.push(`the event loop was late by ${own.p99.toFixed(1)} ms at the 99th percentile`);
  if (!(perRequest <= mostGrowth)) failures.push(`memory grew by ${perRequest.toFixed(0)} bytes a request`);
  // Who leaves while it connects is not seen; everybody else is, once.
  if (counted.total > done() || counted.total < outcomes.answered + outcomes.refused)
    failures.push(`the server counts ${counted.total} requests of ${done()}`);
  if (counted.refused < outcomes.refused) failures.push(`the server counts ${counted.refused} refusals of ${outcomes.refused}`);
  if (outcomes.answered === 0 || (leave > 0 && outcomes.left === 0)) failures.push('nobody was answered, or nobody left');
  console.log(
    [
      `${done()} requests in ${seconds} s: ${Object.entries(outcomes)
        .map(([name, count]) => `${count} ${name}`)
        .join(', ')}`,
      `event loop late by its own work: ${own.p99.toFixed(2)} ms at the 99th percentile, ${own.most.toFixed(1)} at most`,
      `with the time for which other threads had the processor: ${all.p99.toFixed(2)} and ${all.most.toFixed(1)}`,
      `memory: ${perRequest.toFixed(0)} bytes a request; ${samples.at(-1)?.bytes} bytes at the end`,
    ].join('\n'),
  );
  return failures;
}

/** Nobody asks any more: within a moment nothing may be under way. @param {string} url @param {string[]} failures */
async function settled(url, failures) {
  for (let time = 0; time < 100; time += 1) {
    const text = await metricsOf(url);
    const gauge = (/** @type {string} */ name) => Number(new RegExp(`^nudging_${name}\\{.*\\} (.*)$`, 'm').exec(text)?.[1]);
    if (gauge('requests_running') === 0 && gauge('requests_waiting') === 0) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  failures.push('five seconds after the last client has gone places are still taken');
}

/** @param {string} url */
async function metricsOf(url) {
  return (await fetch(`${url}/metrics`)).text();
}

/** @param {string} url */
async function countedBy(url) {
  const lines = [
    ...(await metricsOf(url)).matchAll(/^nudging_requests_total\{route="\/v1\/chat\/completions",status="(\d+)".*\} (\d+)$/gm),
  ];
  const sum = (/** @type {(status: string) => boolean} */ of) =>
    lines.filter(([, status = '']) => of(status)).reduce((total, [, , count]) => total + Number(count), 0);
  return { total: sum(() => true), refused: sum((status) => status === '429') };
}

/** @param {readonly string[]} args */
async function startServer(args) {
  const child = fork(inRoot('dist/cli/main.js'), ['serve', '--port', '0', '--log', 'off', ...args], {
    execArgv: ['--expose-gc', '--import', new URL('./probe.mjs', import.meta.url).href],
    silent: true,
  });
  let stderr = '';
  child.stderr?.on('data', (chunk) => {
    stderr += chunk;
  });
  const ended = new Promise((resolve) => child.on('close', resolve));
  const url = await new Promise((resolve, reject) => {
    child.stderr?.on('data', () => {
      const ready = stderr.split('\n').find((line) => line.includes('"ready"'));
      if (ready) resolve(JSON.parse(ready).url);
    });
    void ended.then(() => reject(new BuildError(`the server did not start: ${stderr}`)));
  });
  return {
    url: /** @type {string} */ (url),
    reset: () => void child.send('reset'),
    /** @returns {Promise<import('./probe.mjs').Report>} */
    report: () =>
      new Promise((resolve) => {
        child.once('message', (report) => resolve(/** @type {import('./probe.mjs').Report} */ (report)));
        child.send('report');
      }),
    stop: async () => {
      child.kill('SIGTERM');
      return { code: await ended, stderr };
    },
  };
}
