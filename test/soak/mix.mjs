// What clients do: each of these asks one thing and returns how it ended.
import { setTimeout as sleep } from 'node:timers/promises';

/** @typedef {import('../../dist/index.js').Nudging} Nudging @typedef {import('../../dist/index.js').GenerateOptions} GenerateOptions */
/** @typedef {{ random: () => number, question: string, options: GenerateOptions }} Ask */

/** @param {unknown} error */
const code = (error) => /** @type {{ code?: string }} */ (error).code ?? String(error);

/**
 * Kinds of clients, how often each comes, and which endings are right.
 * @type {{ name: string, weight: number, right: RegExp, run: (engine: Nudging, ask: Ask) => Promise<string> }[]}
 */
export const clients = [
  {
    name: 'waits for the whole answer',
    weight: 30,
    right: /^(end|length|stop|stalled)$/,
    run: async (engine, { question, options }) => (await engine.generate(question, options)).stopReason,
  },
  {
    name: 'reads piece by piece',
    weight: 20,
    right: /^(end|length|stop|stalled)$/,
    run: async (engine, { question, options }) => {
      const stream = engine.stream(question, options);
      let text = '';
      for await (const piece of stream) text += piece.text;
      const answer = await stream.answer;
      return answer.text === text ? answer.stopReason : 'lost pieces';
    },
  },
  {
    name: 'reads slowly',
    weight: 8,
    right: /^(end|length|stop|stalled)$/,
    run: async (engine, { random, question, options }) => {
      const stream = engine.stream(question, { ...options, highWaterMark: 1 + Math.floor(3 * random()) });
      let text = '';
      for await (const piece of stream) {
        text += piece.text;
        if (random() < 0.3) await sleep(4 * random());
      }
      const answer = await stream.answer;
      return answer.text === text ? answer.stopReason : 'lost pieces';
    },
  },
  {
    name: 'leaves in the middle',
    weight: 12,
    right: /^(aborted|end|length|stop|stalled)$/,
    run: async (engine, { random, question, options }) => {
      const stream = engine.stream(question, options);
      let left = Math.floor(6 * random());
      for await (const _ of stream) if (left-- <= 0) break;
      return (await stream.answer).stopReason;
    },
  },
  {
    name: 'aborts',
    weight: 12,
    right: /^(aborted|end|length|stop|stalled)$/,
    run: async (engine, { random, question, options }) => {
      const controller = new AbortController();
      const timer = setTimeout(() => controller.abort(), 30 * random());
      const { stopReason } = await engine.generate(question, { ...options, signal: controller.signal });
      clearTimeout(timer);
      return stopReason;
    },
  },
  {
    name: 'has little time',
    weight: 8,
    right: /^(timeout|end|length|stop|stalled)$/,
    run: async (engine, { random, question, options }) =>
      (await engine.generate(question, { ...options, timeout: 1 + Math.floor(20 * random()) })).stopReason,
  },
  {
    name: 'forgets its stream',
    weight: 4,
    right: /^forgotten$/,
    run: async (engine, { question, options }) => {
      const stream = engine.stream(question, { ...options, highWaterMark: 2 });
      await stream.next();
      return 'forgotten';
    },
  },
  {
    name: 'asks too much',
    weight: 3,
    right: /^(ERR_PROMPT_TOO_LONG|ERR_BUSY)$/,
    run: (engine, { question, options }) => engine.generate(question.repeat(400), options).then(({ stopReason }) => stopReason, code),
  },
  {
    name: 'asks wrongly',
    weight: 3,
    right: /^ERR_INVALID_OPTION$/,
    run: (engine, { question }) => engine.generate(question, { gamma: 17 }).then(({ stopReason }) => stopReason, code),
  },
];

/** @param {readonly string[]} questions @param {() => number} random @returns {Ask} */
export function makeAsk(questions, random) {
  const pick = (/** @type {readonly any[]} */ list) => list[Math.floor(random() * list.length)];
  /** @type {GenerateOptions} */
  const options = {
    mode: pick(['nudge', 'nudge', 'nudge', 'base', 'aligned']),
    maxTokens: 1 + Math.floor(24 * random()),
    lookahead: pick([4, 8, 16]),
    speculation: pick([true, true, false, 3]),
    ...(random() < 0.3 ? { temperature: 0.8, topP: 0.9, seed: Math.floor(1e6 * random()) } : {}),
    ...(random() < 0.2 ? { stop: [' of', '.'] } : {}),
    ...(random() < 0.3 ? { system: 'Answer in one plain sentence. '.repeat(1 + Math.floor(4 * random())) } : {}),
  };
  return { random, question: pick(questions), options };
}

/** A client by its weight. @param {() => number} random */
export function pickClient(random) {
  const total = clients.reduce((sum, { weight }) => sum + weight, 0);
  let at = total * random();
  const isHit = (/** @type {{ weight: number }} */ { weight }) => {
    at -= weight;
    return at < 0;
  };
  return /** @type {typeof clients[number]} */ (clients.find(isHit) ?? clients[0]);
}

/**
 * Mulberry32: a small seeded generator of numbers in [0, 1); see https://gist.github.com/tommyettinger/46a874533244883189143505d203312c.
 * @param {number} seed
 */
export function seeded(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let z = Math.imul(state ^ (state >>> 15), state | 1);
    z ^= z + Math.imul(z ^ (z >>> 7), z | 61);
    return ((z ^ (z >>> 14)) >>> 0) / 2 ** 32;
  };
}
