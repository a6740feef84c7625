#!/usr/bin/env node
// A long day: `npm run soak -- --help`.
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { Nudging } from '../../dist/index.js';
import { BuildError, runMain } from '../../scripts/lib/errors.mjs';
import { inRoot } from '../../scripts/lib/paths.mjs';
import { clients, makeAsk, pickClient, seeded } from './mix.mjs';
import { growth, mostGrowth } from './trend.mjs';

const help = `Asks two engines for thousands of things at once, as clients do that cancel, read slowly, forget, ask wrongly and come in
crowds; now and then an engine is closed and another one loaded. At the end everything must be accounted for, and memory must not have
grown with the requests.

Usage: npm run soak -- [flags]

  --requests N    at least so many; default: 20000
  --seconds N     for at least so long, with more requests if they are quick; default: 120
  --at-once N     requests that are under way; default: 12
  --minutes N     gives up after that; default: 15
  --seed N        default: 1
  --leak N        loses N bytes a request on purpose: 300 must be noticed
  --help          print this
`;

/** Moments at which memory is looked at, in `--requests`. */
const moments = 200;
/** A deliberate leak is lost in blocks: each buffer takes more than its bytes. */
const blockBytes = 1 << 16;
/** How often an engine is replaced, in requests. */
const replaceAfter = 300;

await runMain(async () => {
  const text = /** @type {const} */ ({ type: 'string' });
  const numbers = { requests: text, seconds: text, 'at-once': text, minutes: text, seed: text, leak: text };
  const { values } = parseArgs({ options: { ...numbers, help: { type: 'boolean' } } });
  if (values.help) {
    process.stdout.write(help);
    return;
  }
  const integer = (/** @type {keyof typeof numbers} */ flag, /** @type {number} */ otherwise) => {
    const value = values[flag];
    if (value === undefined) return otherwise;
    if (!/^[1-9]\d{0,6}$/.test(value)) throw new BuildError(`--${flag} cannot be "${value}": it must be a positive integer`);
    return Number(value);
  };
  const gc = globalThis.gc;
  if (!gc) throw new BuildError('memory can only be compared with --expose-gc: use npm run soak');
  const failures = await soak({
    requests: integer('requests', 20_000),
    seconds: integer('seconds', 120),
    atOnce: integer('at-once', 12),
    minutes: integer('minutes', 15),
    seed: integer('seed', 1),
    leak: integer('leak', 0),
    gc,
  });
  if (failures.length > 0) throw new BuildError(`${failures.length} failures:\n${failures.slice(0, 20).join('\n')}`);
});

/**
 * @param {{ requests: number, seconds: number, atOnce: number, minutes: number, seed: number, leak: number, gc: () => void }} options
 * @returns {Promise<string[]>} what went wrong
 */
async function soak({ requests, seconds, atOnce, minutes, seed, leak, gc }) {
  const random = seeded(seed);
  const questions = readFileSync(inRoot('models/demo/eval.jsonl'), 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line).question);
  const loads = [
    { parallel: 4, context: 256, maxQueue: 24 },
    { pair: inRoot('models/demo/pair-cross.json'), parallel: 2, context: 256, maxQueue: 24 },
  ];
  const engines = await Promise.all(loads.map((options) => Nudging.load(options)));
  /** @type {string[]} */
  const failures = [];
  /** @type {Map<string, number>} */
  const endings = new Map();
  const count = (/** @type {string} */ key) => endings.set(key, (endings.get(key) ?? 0) + 1);
  const deadline = Date.now() + 60_000 * minutes;
  const begin = performance.now();
  let asked = 0;
  let answered = 0;
  /** @type {Buffer[]} */
  const lost = [];
  let replaceAt = replaceAfter;

  const one = async () => {
    asked += 1;
    const which = Math.floor(random() * engines.length);
    const engine = /** @type {Nudging} */ (engines[which]);
    const client = pickClient(random);
    try {
      const ending = await client.run(engine, makeAsk(questions, random));
      count(`${client.name}: ${ending}`);
      if (!client.right.test(ending)) failures.push(`a client that ${client.name} got ${ending}`);
    } catch (error) {
      const { code } = /** @type {{ code?: string }} */ (error);
      // In a crowd some are sent away; and who comes while an engine is replaced finds the old one closed.
      count(`${client.name}: ${code}`);
      if (code !== 'ERR_BUSY' && code !== 'ERR_CLOSED')
        failures.push(`a client that ${client.name} got ${/** @type {Error} */ (error).stack}`);
    }
    answered += 1;
    if (leak * answered > blockBytes * lost.length) lost.push(Buffer.alloc(blockBytes, 1));
  };
  const worker = async (/** @type {number} */ limit) => {
    while (asked < limit && Date.now() < deadline) {
      // Now and then a crowd.
      if (random() < 0.01) await Promise.all(Array.from({ length: Math.min(20, limit - asked) }, one));
      else await one();
      if (answered >= replaceAt) {
        replaceAt += replaceAfter;
        const which = Math.floor(random() * engines.length);
        const old = /** @type {Nudging} */ (engines[which]);
        engines[which] = await Nudging.load(loads[which]);
        await old.close();
      }
    }
  };
  const progress = setInterval(() => console.error(`${answered} requests, ${(taken() / 1e6).toFixed(0)} MB`), 5000);
  /** @type {import('./trend.mjs').Sample[]} */
  const samples = [];
  while (Date.now() < deadline && (asked < requests || performance.now() - begin < 1000 * seconds)) {
    const limit = asked + Math.ceil(requests / moments);
    await Promise.all(Array.from({ length: atOnce }, () => worker(limit)));
    samples.push({ requests: asked, bytes: await memory(gc) });
  }
  clearInterval(progress);
  const took = (performance.now() - begin) / 1000;

  // Whatever forgotten requests left behind would be missing now: every sequence's whole context is wanted at once.
  for (const engine of engines) {
    const full = await Promise.all(
      Array.from({ length: engine.parallel }, (_, at) =>
        engine.generate(`${at} `.repeat(40), { maxTokens: 1000, mode: 'base', stop: [], temperature: 4, seed: at }),
      ),
    );
    for (const { stopReason } of full)
      if (stopReason !== 'context' && stopReason !== 'end') failures.push(`a full context ended with ${stopReason}`);
  }
  await Promise.all(engines.map((engine) => engine.close()));

  if (asked < requests) failures.push(`only ${asked} of ${requests} requests in ${minutes} minutes`);
  if (answered !== asked) failures.push(`${asked - answered} requests never ended`);
  const pace = growth(samples);
  const megabytes = (/** @type {import('./trend.mjs').Sample | undefined} */ sample) => `${((sample?.bytes ?? 0) / 1e6).toFixed(1)} MB`;
  const [middle, end] = [samples[samples.length >> 1], samples.at(-1)].map(megabytes);
  const trend = `memory ${middle} in the middle, ${end} at the end; it grows by ${pace.toFixed(0)} bytes a request`;
  if (!(pace <= mostGrowth)) failures.push(`${trend}, and at most ${mostGrowth} are no leak`);
  console.log(`${answered} requests in ${took.toFixed(0)} s, seed ${seed}; ${trend} (${samples.length} samples)`);
  for (const { name } of clients) {
    const of = [...endings]
      .filter(([key]) => key.startsWith(`${name}: `))
      .map(([key, number]) => `${key.slice(name.length + 2)} ${number}`);
    console.log(`  ${name}: ${of.join(', ')}`);
  }
  return failures;
}

/** Bytes with nothing to collect. @param {() => void} gc */
async function memory(gc) {
  for (let i = 0; i < 3; i += 1) {
    gc();
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return taken();
}

/** Bytes that are nobody else's, where the system tells: pages of files, such as weights, come and go as it likes. */
function taken() {
  if (process.platform !== 'linux') return process.memoryUsage.rss();
  return 1024 * Number(/^RssAnon:\s+(\d+) kB/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1]);
}
