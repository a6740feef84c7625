// Asks one model the same questions in every shape that a decode can have, and prints as JSON whether all answers are the same to the bit.
// A process of its own for every model: scripts/test-architectures.mjs starts it.
import { Nudging } from '../../dist/index.js';

/** @typedef {import('../../dist/index.js').Answer} Answer @typedef {import('../../dist/index.js').GenerateOptions} GenerateOptions */
/** @typedef {import('../../dist/index.js').LoadOptions} LoadOptions @typedef {import('../../dist/index.js').LaneName} LaneName */

const [file = '', flashAttention] = process.argv.slice(2);
const maxTokens = 16;
/** The vocabulary of these models has a token for every five letters. */
const letters = 5;

/** So many tokens; unlike for every seed. @param {number} tokens @param {number} seed */
function prompt(tokens, seed) {
  let state = seed;
  const letter = () => {
    state = (state * 1103515245 + 12345) % 2 ** 31;
    return String.fromCharCode(97 + ((state >> 16) % 26));
  };
  return Array.from({ length: letters * tokens }, letter).join('');
}

// Their sliding windows are 32 tokens: two prompts are longer, one grows beyond it, one stays below. The fourth goes on like the first and
// parts from it.
const first = prompt(97, 1);
const prompts = [first, prompt(21, 2), prompt(5, 3), first.slice(0, letters * 43) + prompt(6, 4)];

/** @param {LoadOptions} options */
const load = (options) =>
  Nudging.load({
    base: file,
    aligned: file,
    deterministic: true,
    context: 256,
    threads: 1,
    repeatLimit: 1000,
    stop: [],
    ...(flashAttention === 'false' ? { flashAttention: false } : {}),
    ...options,
  });
const input = (/** @type {string} */ text) => ({ base: text, aligned: text });

/** The bits of everything that an answer was made from. @param {Answer} answer */
const bits = ({ text, stopReason, rounds, decisions = [] }) =>
  JSON.stringify([
    text,
    stopReason,
    rounds,
    decisions.map(({ kind, position, token, probability, margin }) => [kind, position, token, probability, margin]),
  ]);

/** @param {Nudging} engine @param {readonly string[]} texts @param {GenerateOptions} options */
async function oneByOne(engine, texts, options) {
  const answers = [];
  for (const text of texts) answers.push(await engine.generate(input(text), { ...options, maxTokens, trace: 'full' }));
  return answers;
}

/** @param {Nudging} engine @param {readonly string[]} texts @param {GenerateOptions} options */
const together = (engine, texts, options) =>
  Promise.all(texts.map((text) => engine.generate(input(text), { ...options, maxTokens, trace: 'full' })));

/** Where the probabilities lie, so that either model has its turn. @param {readonly Answer[]} answers */
function middle(answers) {
  const found = answers.flatMap(({ decisions = [] }) => decisions.map(({ probability }) => probability)).sort((a, b) => a - b);
  return found[Math.floor(found.length / 2)] ?? 0.5;
}

/** @type {string[]} */
const differences = [];
/** @param {string} setting @param {readonly Answer[]} expected @param {readonly Answer[]} got */
function compare(setting, expected, got) {
  const wrong = expected.filter((answer, index) => bits(answer) !== bits(/** @type {Answer} */ (got[index]))).length;
  if (wrong > 0) differences.push(`${setting} (${wrong} of ${expected.length})`);
}

async function ask() {
  // The base goes on by itself as soon as it has been asked: one decision for every token.
  /** @type {GenerateOptions} */
  const byItself = { gamma: 0, lookahead: 6, speculation: false };
  // One token a decode, nobody beside it: what everything else is compared with.
  const single = await load({ batch: 1, parallel: 1 });
  const plain = await oneByOne(single, prompts, byItself);
  /** @type {GenerateOptions} */
  const nudged = { gamma: middle(plain), lookahead: 6 };
  const pair = await oneByOne(single, prompts, { ...nudged, speculation: false });
  await single.close();
  // Answers without decisions, or the same for every prompt, would compare nothing.
  const asked = [...plain, ...pair].reduce((sum, { decisions = [] }) => sum + decisions.length, 0);
  if (new Set(plain.map(bits)).size < prompts.length || asked < maxTokens * prompts.length)
    throw new Error(`these answers compare nothing: ${asked} decisions`);

  const alone = await load({ batch: 512, parallel: 1 });
  compare('alone, whole prompts', plain, await oneByOne(alone, prompts, byItself));
  // The first again, after one that shares its beginning: what is kept of it is cut, and the rest decoded behind it.
  const back = [3, 0, 3, 0];
  const pick = (/** @type {readonly Answer[]} */ answers) => back.map((index) => /** @type {Answer} */ (answers[index]));
  compare(
    'alone, beginnings kept',
    pick(plain),
    await oneByOne(
      alone,
      back.map((index) => /** @type {string} */ (prompts[index])),
      byItself,
    ),
  );
  compare('alone, 4 guesses', pair, await oneByOne(alone, prompts, { ...nudged, speculation: 4 }));
  await alone.close();

  const small = await load({ batch: 7, parallel: 2 });
  compare('2 together, batches of 7', plain, await together(small, prompts, byItself));
  compare('2 together, batches of 7, 4 guesses', pair, await together(small, prompts, { ...nudged, speculation: 4 }));
  await small.close();

  const many = await load({ batch: 512, parallel: 4 });
  compare('4 together', plain, await together(many, prompts, byItself));
  compare('4 together, 4 guesses', pair, await together(many, prompts, { ...nudged, speculation: 4 }));
  // Once more, into caches that the others have left.
  compare('4 together again', [...pair].reverse(), await together(many, [...prompts].reverse(), { ...nudged, speculation: true }));
  await many.close();
  return { decisions: asked };
}

/** @type {Record<string, string>} */
const refusals = { ERR_NOT_DETERMINISTIC: 'refused' };
try {
  const { decisions } = await ask();
  console.log(JSON.stringify({ outcome: differences.length === 0 ? 'same' : 'differs', detail: differences.join('; '), decisions }));
} catch (error) {
  const { code, message } = /** @type {{ code?: string, message: string }} */ (error);
  const unusable = code?.startsWith('ERR_MODEL_') || code === 'ERR_CONTEXT_TOO_LARGE';
  console.log(
    JSON.stringify({
      outcome: refusals[code ?? ''] ?? (unusable ? 'does not load' : 'failed'),
      detail: `${code ?? 'error'}: ${message}`,
      decisions: 0,
    }),
  );
}
