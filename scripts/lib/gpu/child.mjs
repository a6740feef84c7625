// One engine under load, in a process of its own because a GPU may take it along: `node child.mjs ORDER`, ORDER and what is printed in
// JSON.
import { readFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { inRoot } from '../paths.mjs';

/**
 * @typedef {object} Order
 * @property {object} load      options of Nudging.load
 * @property {object} [ask]     options of every request
 * @property {string[]} questions
 * @property {number} streams   requests at once
 * @property {number} seconds   for which new requests are made, after the models are loaded
 * @property {number} [loads]   times that the engine is loaded, each for an equal part of the seconds; default: 1
 * @property {string} [reference] a file with the expected answers by question
 * @property {string} [prompt]  one raw prompt for both models, with {question} in it
 * @property {number} [seed]    of the order of questions
 *
 * @typedef {object} Outcome
 * @property {number} answers
 * @property {number} tokens
 * @property {number} ms        in which requests ran
 * @property {number} firstMs   median time to the first text
 * @property {number} same
 * @property {number} ties      other answers that had a decision on the edge
 * @property {{ question: string, expected: string, got: string }[]} wrong
 * @property {Record<string, number>} errors by code
 * @property {string} firstError
 * @property {Record<string, string>} texts
 * @property {number} gpuLayers
 * @property {string[]} buffers
 * @property {{ baseDecodes: number, alignedDecodes: number, baseMs: number, alignedMs: number }} passes
 */

const order = /** @type {Order} */ (JSON.parse(process.argv[2] ?? '{}'));
/** @type {Record<string, string>} */
const reference = order.reference ? JSON.parse(readFileSync(order.reference, 'utf8')) : {};
/** @type {typeof import('../../../lib/index.ts')} */
const { Nudging } = await import(pathToFileURL(inRoot('dist/index.js')).href);

/** @type {Outcome} */
const outcome = {
  answers: 0,
  tokens: 0,
  ms: 0,
  firstMs: 0,
  same: 0,
  ties: 0,
  wrong: [],
  errors: {},
  firstError: '',
  texts: {},
  gpuLayers: 0,
  buffers: [],
  passes: { baseDecodes: 0, alignedDecodes: 0, baseMs: 0, alignedMs: 0 },
};
/** @type {number[]} */
const firsts = [];

/** Numbers that look random, the same for the same seed. @param {number} state */
function* numbers(state) {
  for (;;) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    yield state / 2 ** 32;
  }
}
const random = numbers(order.seed ?? 1);

/** @param {string} question @param {import('../../../lib/index.ts').Answer} answer */
function judge(question, answer) {
  outcome.answers += 1;
  outcome.tokens += answer.stats.tokens;
  outcome.texts[question] = answer.text;
  firsts.push(answer.stats.times.firstPiece);
  outcome.passes.baseDecodes += answer.stats.base.decodes;
  outcome.passes.alignedDecodes += answer.stats.aligned.decodes;
  outcome.passes.baseMs += answer.stats.times.baseDecode;
  outcome.passes.alignedMs += answer.stats.times.alignedDecode;
  const expected = reference[question];
  if (expected === undefined || expected === answer.text) outcome.same += 1;
  else if (answer.ties > 0) outcome.ties += 1;
  else outcome.wrong.push({ question, expected, got: answer.text });
}

/** @param {string} question @returns {import('../../../lib/index.ts').Input} */
function inputOf(question) {
  if (order.prompt === undefined) return question;
  const prompt = order.prompt.replace('{question}', () => question);
  return { base: prompt, aligned: prompt };
}

const loads = order.loads ?? 1;
for (let load = 0; load < loads; load += 1) {
  const engine = await Nudging.load(order.load);
  outcome.gpuLayers = engine.models.base.gpuLayers;
  outcome.buffers = [...new Set([engine.models.base, engine.models.aligned].flatMap(({ memory }) => Object.keys(memory.buffers)))];
  const begin = performance.now();
  const end = begin + (1000 * order.seconds) / loads;
  const waiting = [...order.questions];
  let asked = 0;
  const next = () => {
    if (performance.now() > end && asked >= order.streams) return undefined;
    asked += 1;
    if (waiting.length === 0) waiting.push(...order.questions);
    return waiting.splice(Math.floor(/** @type {number} */ (random.next().value) * waiting.length), 1)[0];
  };
  const asker = async () => {
    for (let question = next(); question !== undefined; question = next()) {
      try {
        judge(question, await engine.generate(inputOf(question), order.ask ?? {}));
      } catch (error) {
        const { code = 'none', message } = /** @type {{ code?: string, message: string }} */ (error);
        outcome.errors[code] = (outcome.errors[code] ?? 0) + 1;
        outcome.firstError ||= message;
        // Nothing more will come of it.
        if (code === 'ERR_DEVICE_FAILED') return;
      }
    }
  };
  await Promise.all(Array.from({ length: order.streams }, asker));
  outcome.ms += performance.now() - begin;
  await engine.close();
}
firsts.sort((a, b) => a - b);
outcome.firstMs = firsts[Math.floor(firsts.length / 2)] ?? 0;
process.stdout.write(`${JSON.stringify(outcome)}\n`);
