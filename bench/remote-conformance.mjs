#!/usr/bin/env node
// Whether a base behind a server gives the in-process engine's rounds with the same weights: docs/remote.md has the table.
import path from 'node:path';
import { parseArgs } from 'node:util';
import { madeModel } from './lib/made-models.mjs';
import { readQuestions } from './lib/setup.mjs';
import { isBuilt } from './rivals/binaries.mjs';
import { startServer } from './rivals/server.mjs';
import { BuildError, runMain } from '../scripts/lib/errors.mjs';
import { inRoot } from '../scripts/lib/paths.mjs';

const help = `Compares a base behind a server with the same base in this process, answer by answer.

Usage: node bench/remote-conformance.mjs [--questions N] [--max-tokens N]
       node bench/remote-conformance.mjs --url URL --api vllm|sglang|llama-server --base FILE --aligned FILE [--gamma G] …

Where two answers part, the first decision that differs must be a tie: within what batch shapes move 16-bit weights (docs/semantics.md).
Without a server it starts llama-server (npm run bench:rivals) with five pairs, and takes the tools of the tests
(node scripts/build.mjs --tests). With one, FILE has the base's weights as the server has them.
`;

/** As for F16 in native/trust/tie_tolerance.cpp. */
const tie = { probability: 0.008, margin: 0.04 };

/** @typedef {import('../dist/index.js').Answer} Answer @typedef {import('../dist/index.js').Decision} Decision */

/**
 * @typedef {object} Pair
 * @property {string} base
 * @property {string} aligned
 * @property {number} gamma
 * @property {boolean} [prompt] without a chat template: random models have none
 * @property {{ url: string, api: import('../dist/index.js').RemoteModel['api'] }} [server] that has the base already
 */

await runMain(async () => {
  const text = /** @type {const} */ ({ type: 'string' });
  const { values } = parseArgs({
    options: {
      questions: text,
      'max-tokens': text,
      url: text,
      api: text,
      base: text,
      aligned: text,
      gamma: text,
      help: { type: 'boolean' },
    },
  });
  if (values.help) return void process.stdout.write(help);
  const questions = readQuestions(Number(values.questions ?? 24));
  const maxTokens = Number(values['max-tokens'] ?? 48);
  const chosen = values.url === undefined ? await pairs() : [pairBehind({ ...values, url: values.url })];
  console.log('| base, aligned | γ | answers | rounds | the same | ties | mismatches | largest change of p |');
  console.log('| --- | --- | --- | --- | --- | --- | --- | --- |');
  let mismatches = 0;
  for (const pair of chosen) {
    const result = await compare(pair, questions, maxTokens);
    mismatches += result.mismatches;
    const { answers, rounds, same, ties, change } = result;
    const name = [pair.base, pair.aligned].map((file) => path.basename(file, '.gguf').replace(/-[0-9a-f]{8}$/, '')).join(', ');
    console.log(`| ${name} | ${pair.gamma} | ${answers} | ${rounds} | ${same} | ${ties} | ${result.mismatches} | ${change.toFixed(4)} |`);
  }
  if (mismatches > 0) throw new BuildError(`${mismatches} answers differ where nothing was close`);
});

/** @param {{ url: string, api?: string, base?: string, aligned?: string, gamma?: string }} flags @returns {Pair} */
function pairBehind({ url, api, base, aligned, gamma }) {
  if ((api !== 'vllm' && api !== 'sglang' && api !== 'llama-server') || base === undefined || aligned === undefined)
    throw new BuildError(`--url goes with --api, --base and --aligned\n\n${help}`);
  return { base, aligned, gamma: Number(gamma ?? 0.4), server: { url, api } };
}

/** @returns {Promise<Pair[]>} */
async function pairs() {
  if (!isBuilt('llama-server')) throw new BuildError('llama-server is not built: npm run bench:rivals');
  const demo = (/** @type {string} */ name) => inRoot(`models/demo/${name}.gguf`);
  const random = (/** @type {string} */ vocabulary, /** @type {number} */ seed) =>
    madeModel('random_model', {
      stem: `random-${vocabulary}-${seed}`,
      source: ['vocab', inRoot(`vendor/llama.cpp/models/ggml-vocab-${vocabulary}.gguf`)],
      options: { arch: 'llama', embd: 32, seed },
    });
  return [
    { base: demo('base'), aligned: demo('aligned'), gamma: 0.4 },
    { base: demo('base'), aligned: demo('aligned'), gamma: 0.7 },
    { base: demo('base'), aligned: demo('aligned-cross'), gamma: 0.4 },
    // A base that has learnt nothing, with real tokenizers.
    { base: await random('llama-spm', 1), aligned: demo('aligned'), gamma: 0.1, prompt: true },
    { base: await random('gpt-2', 1), aligned: demo('aligned'), gamma: 0.1, prompt: true },
  ];
}

/** @param {Pair} pair @param {readonly string[]} questions @param {number} maxTokens */
async function compare({ base, aligned, gamma, prompt = false, server: running }, questions, maxTokens) {
  const { Nudging } = await import('../dist/index.js');
  const started = running ? undefined : await startServer(base, 512, 1, 2);
  const server = running ?? { url: started?.url ?? '', api: /** @type {const} */ ('llama-server') };
  const here = await Nudging.load({ base, aligned, context: 512 });
  const far = await Nudging.load({ base: { url: server.url, api: server.api, tokenizer: base }, aligned, context: 512, parallel: 2 });
  const total = { answers: 0, rounds: 0, same: 0, ties: 0, mismatches: 0, change: 0 };
  for (const question of questions) {
    const input = prompt ? { base: question, aligned: question } : question;
    const options = /** @type {const} */ ({ maxTokens, gamma, trace: 'full' });
    const [near, distant] = [await here.generate(input, options), await far.generate(input, options)];
    total.answers += 1;
    total.rounds += near.rounds.length;
    const { change, parts } = partingOf(near, distant);
    total.change = Math.max(total.change, change);
    if (JSON.stringify(near.rounds) === JSON.stringify(distant.rounds)) total.same += 1;
    else if (parts.some((decision) => isClose(decision, gamma))) total.ties += 1;
    else total.mismatches += 1;
  }
  await Promise.all([here.close(), far.close()]);
  await started?.stop();
  return total;
}

/**
 * How far probabilities were moved as long as both decided alike, and the first decisions that were not alike.
 * @param {Answer} near @param {Answer} distant
 */
function partingOf(near, distant) {
  const [one, other] = [near.decisions ?? [], distant.decisions ?? []];
  let change = 0;
  for (let at = 0; at < Math.max(one.length, other.length); at += 1) {
    const [a, b] = [one[at], other[at]];
    const alike = a && b && a.kind === b.kind && a.position === b.position && a.token === b.token && a.speaks === b.speaks;
    if (!alike) return { change, parts: [a, b, one[at - 1]].filter((decision) => decision !== undefined) };
    change = Math.max(change, Math.abs(a.probability - b.probability));
  }
  return { change, parts: [] };
}

/** @param {Decision} decision @param {number} gamma */
function isClose({ probability, margin }, gamma) {
  return margin < tie.margin || Math.abs(probability - gamma) < tie.probability;
}
