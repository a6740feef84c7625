#!/usr/bin/env node
// What HTTP costs: `node bench/http.mjs --help`.
import { Agent, request } from 'node:http';
import { parseArgs } from 'node:util';
import { Nudging } from '../dist/index.js';
import { createService } from '../dist/server/handler.js';
import { listen } from '../dist/server/listen.js';
import { Models, Served } from '../dist/server/served.js';
import { BuildError, runMain } from '../scripts/lib/errors.mjs';
import { load, machine, describeMachine } from './lib/machine.mjs';

const words = ['harbor', 'candle', 'bridge', 'blur', 'garden', 'hammer', 'island', 'kettle'];

const help = `Measures the time to the first text of a stream, asked by HTTP and asked in the process itself, in turn and of the
same engine, with client and server in this one process.

Usage: node bench/http.mjs [flags]

  --pair FILE    default: the demo pair
  --rounds N     default: 200
  --threads N    default: 1
  --help         print this
`;

await runMain(async () => {
  const text = /** @type {const} */ ({ type: 'string' });
  const { values } = parseArgs({ options: { pair: text, rounds: text, threads: text, help: { type: 'boolean' } } });
  if (values.help) return void process.stdout.write(help);
  const integer = (/** @type {'rounds' | 'threads'} */ flag, /** @type {number} */ otherwise) => {
    const value = Number(values[flag] ?? otherwise);
    if (!Number.isInteger(value) || value < 1) throw new BuildError(`--${flag} cannot be "${values[flag]}": it must be a positive integer`);
    return value;
  };
  const engine = await Nudging.load({ ...(values.pair ? { pair: values.pair } : {}), threads: integer('threads', 1), parallel: 1 });
  const service = createService(new Models([new Served('pair', engine)]), {});
  const server = await listen(service, { host: '127.0.0.1', port: 0, requestTimeout: 10, mostConnections: 10 });
  const agent = new Agent({ keepAlive: true });
  const ways = /** @type {const} */ (['http', 'here']);
  /** @type {Record<'http' | 'here', number[]>} */
  const times = { http: [], here: [] };
  const rounds = integer('rounds', 200);
  const before = load();
  let asks = 0;
  try {
    for (let round = -5; round < rounds; round += 1) {
      const asked = round % 2 === 0 ? ways : [...ways].reverse();
      for (const way of asked) {
        // Another question each time: whoever asks the same again finds the prompt in the cache.
        const question = `What is a ${words[asks++ % words.length]}?`;
        const ms = way === 'http' ? await byHttp(`${server.url}/v1/chat/completions`, agent, question) : await here(engine, question);
        if (round >= 0) times[way].push(ms);
        // Nothing of the last answer is to be in the way of the next one.
        await new Promise((resolve) => setTimeout(resolve, 2));
      }
    }
  } finally {
    agent.destroy();
    await server.drain(1);
    await engine.close();
  }
  const differences = times.http.map((ms, round) => ms - /** @type {number} */ (times.here[round]));
  const shown = (/** @type {number[]} */ numbers) => [0.5, 0.9].map((share) => `${quantile(numbers, share).toFixed(2)} ms`).join(', ');
  console.log(
    [
      `time to the first text, ${rounds} rounds on ${describeMachine(machine())}, load ${before} before and ${load()} after; median, 90 %:`,
      `in the process  ${shown(times.here)}`,
      `by HTTP         ${shown(times.http)}`,
      `difference      ${shown(differences)}`,
    ].join('\n'),
  );
});

/** @param {number[]} numbers @param {number} share */
function quantile(numbers, share) {
  return [...numbers].sort((one, other) => one - other)[Math.floor(share * numbers.length)] ?? Number.NaN;
}

/** @param {Nudging} engine @param {string} question */
async function here(engine, question) {
  const began = performance.now();
  const stream = engine.stream([{ role: 'user', content: question }], { maxTokens: 4 });
  await stream.next();
  const ms = performance.now() - began;
  await stream.answer;
  return ms;
}

/** @param {string} url @param {Agent} agent @param {string} question @returns {Promise<number>} */
function byHttp(url, agent, question) {
  const body = JSON.stringify({ messages: [{ role: 'user', content: question }], max_tokens: 4, stream: true });
  const began = performance.now();
  return new Promise((resolve, reject) => {
    const headers = { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(body) };
    const asked = request(url, { method: 'POST', headers, agent }, (response) => {
      let ms = 0;
      response.on('data', () => {
        ms ||= performance.now() - began;
      });
      response.on('end', () => (response.statusCode === 200 ? resolve(ms) : reject(new Error(`status ${response.statusCode}`))));
    });
    asked.on('error', reject);
    asked.end(body);
  });
}
