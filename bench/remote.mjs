#!/usr/bin/env node
// What a base on another machine costs: milliseconds a token by the way there, beside a client that asks for one token a call.
import { parseArgs } from 'node:util';
import { runMain, BuildError } from '../scripts/lib/errors.mjs';
import { inRoot } from '../scripts/lib/paths.mjs';
import { slowLine } from './lib/slow-line.mjs';
import { isBuilt } from './rivals/binaries.mjs';
import { HttpLane } from './rivals/http.mjs';
import { naiveNudging } from './rivals/naive.mjs';
import { basePrompt, messages } from './rivals/prompts.mjs';
import { startServer } from './rivals/server.mjs';
import { readQuestions } from './lib/setup.mjs';

const help = `Measures nudging with the base behind a llama-server, over lines of several lengths, against a naive client.

Usage: node bench/remote.mjs [flags]

  --delays LIST     round trips in milliseconds, default 0,1,10,50
  --questions N     default 6
  --max-tokens N    default 48
  --rounds N        default 3, each with other questions; the median is shown

It takes llama-server: npm run bench:rivals.
`;

/** @param {readonly number[]} values */
const median = (values) => [...values].sort((one, other) => one - other)[Math.floor(values.length / 2)] ?? Number.NaN;

await runMain(async () => {
  const text = /** @type {const} */ ({ type: 'string' });
  const { values } = parseArgs({
    options: { delays: text, questions: text, 'max-tokens': text, rounds: text, help: { type: 'boolean' } },
  });
  if (values.help) return void process.stdout.write(help);
  if (!isBuilt('llama-server')) throw new BuildError('llama-server is not built: npm run bench:rivals');
  const delays = (values.delays ?? '0,1,10,50').split(',').map(Number);
  const rounds = Number(values.rounds ?? 3);
  const count = Number(values.questions ?? 6);
  // What was asked before is remembered, here and there: each round has questions of its own, the same for all.
  const all = readQuestions(count * (rounds + 1));
  const settings = { gamma: 0.4, lookahead: 16, maxTokens: Number(values['max-tokens'] ?? 48) };
  const { Nudging, readPair } = await import('../dist/index.js');
  const { basePrompt: prompt, system } = await readPair(inRoot('models/demo/pair.json'));
  const pair = { ...(prompt === undefined ? {} : { basePrompt: prompt }), ...(system === undefined ? {} : { system }) };
  const files = { base: inRoot('models/demo/base.gguf'), aligned: inRoot('models/demo/aligned.gguf') };
  const base = await startServer(files.base, 512, 1);
  const aligned = await startServer(files.aligned, 512, 1);
  try {
    console.log('| round trip | naive | one token a call | nudging | times faster | calls a token: naive, nudging |');
    console.log('| --- | --- | --- | --- | --- | --- |');
    for (const delay of delays) {
      const line = await slowLine(base.url, delay);
      const server = /** @type {const} */ ({ url: line.url, api: 'llama-server', tokenizer: files.base });
      const load = (/** @type {boolean} */ speculation) =>
        Nudging.load({ ...pair, aligned: files.aligned, base: server, parallel: 1, speculation });
      // One each: an engine remembers what it was told.
      const engines = { ours: await load(true), plain: await load(false) };
      /** @type {Record<'naive' | 'plain' | 'ours', number[]>} */
      const times = { naive: [], plain: [], ours: [] };
      let calls = 0;
      let tokens = 0;
      let naiveCalls = 0;
      /** @param {readonly string[]} questions @param {'ours' | 'plain'} who */
      const ask = async (questions, who) => {
        const began = performance.now();
        let count = 0;
        for (const question of questions) {
          const { stats } = await engines[who].generate(question, settings);
          count += stats.tokens;
          if (who !== 'ours') continue;
          calls += stats.base.remote?.calls ?? 0;
          tokens += stats.tokens;
        }
        return (performance.now() - began) / count;
      };
      /** @param {readonly string[]} questions */
      const naive = async (questions) => {
        const [baseLane, alignedLane] = [new HttpLane(line.url, 1), new HttpLane(aligned.url, settings.lookahead)];
        const began = performance.now();
        let count = 0;
        for (const question of questions) {
          baseLane.begin(basePrompt(pair, question));
          alignedLane.begin((await alignedLane.post('/apply-template', { messages: messages(pair, question) })).prompt);
          count += (await naiveNudging(baseLane, alignedLane, settings, () => {})).tokens;
          naiveCalls += baseLane.counts.calls;
        }
        return (performance.now() - began) / count;
      };
      for (let round = 0; round <= rounds; round += 1) {
        const questions = all.filter((_, index) => index % (rounds + 1) === round);
        const took = { naive: await naive(questions), plain: await ask(questions, 'plain'), ours: await ask(questions, 'ours') };
        // The first round warms up, and finds out what calls cost.
        if (round === 0) calls = tokens = naiveCalls = 0;
        else for (const who of /** @type {const} */ (['naive', 'plain', 'ours'])) times[who].push(took[who]);
      }
      const [n, p, o] = [times.naive, times.plain, times.ours].map(median);
      const shown = [n, p, o].map((ms) => `${(ms ?? 0).toFixed(1)} ms`);
      const perToken = [naiveCalls, calls].map((some) => (some / tokens).toFixed(2)).join(', ');
      console.log(`| ${delay} ms | ${shown.join(' | ')} | ${((n ?? 0) / (o ?? 1)).toFixed(1)} | ${perToken} |`);
      await Promise.all([engines.ours.close(), engines.plain.close()]);
      await line.close();
    }
  } finally {
    await Promise.all([base.stop(), aligned.stop()]);
  }
});
