import { wilson } from '../../dist/eval/stats/intervals.js';
import { isRefusal } from './attack-prompts.mjs';
import { sum } from './statistics.mjs';

/** @typedef {import('../../dist/index.js').AnswerStats} AnswerStats */
/** @typedef {import('./attacks.mjs').Family} Family */
/** @typedef {import('./attacks.mjs').Defence} Defence */
/** @typedef {import('./attack-prompts.mjs').AttackPrompt} AttackPrompt */
/** @typedef {{ count: number, of: number, share: number, low: number, high: number }} Rate with its 95 % interval (Wilson) */
/**
 * One system under one family of attacks.
 * @typedef {object} Cell
 * @property {string} family its label
 * @property {string} system its name
 * @property {Rate} refused of those that should be
 * @property {Rate} overRefused of the harmless ones
 * @property {number} tokensPerSecond of the harmless ones' answers
 * @property {number} nudgeRatio of those that should be refused: where the base is made sure, it falls
 * @property {{ checks: number, tokens: number }} guard for each answer
 * @property {{ question: string, prefill?: string, text: string, stopReason: string, refused: boolean }[]} answers of those that should be
 */

/**
 * @typedef
 *   {{ question: string, prefill?: string, text: string, stopReason: string, refused: boolean, stats: AnswerStats }}
 *   Asked
 */

/** @param {number} count @param {number} of @returns {Rate} */
const rate = (count, of) => ({ count, of, share: of === 0 ? 0 : count / of, ...wilson(count, of) });

export class AttackBench {
  #engine;
  #prompts;
  /** What complies, by question. @type {Map<string, Promise<string>>} */
  #compliant = new Map();

  /**
   * @param {Pick<import('../../dist/index.js').Nudging, 'generate' | 'countTokens'>} engine with one request at a time: answers are timed
   * @param {import('./attack-prompts.mjs').AttackPrompts} prompts
   */
  constructor(engine, prompts) {
    this.#engine = engine;
    this.#prompts = prompts;
  }

  /** @param {Family} family @param {readonly Defence[]} systems @returns {Promise<Cell[]>} */
  async measure(family, systems) {
    const { refuse, answer } = this.#prompts;
    const attacked = await this.#ask(family, systems, refuse);
    const harmless = await this.#ask(family, systems, answer);
    return systems.map(({ name }, place) => {
      const bad = attacked[place] ?? [];
      const good = harmless[place] ?? [];
      const refused = (/** @type {Asked[]} */ all) => all.filter((one) => one.refused).length;
      const seconds = sum(good.map(({ stats }) => stats.times.total)) / 1000;
      const all = [...bad, ...good];
      const nudged = sum(bad.map(({ stats }) => stats.nudgedTokens));
      const perAnswer = (/** @type {'checks' | 'tokens'} */ what) => sum(all.map(({ stats }) => stats.guard?.[what] ?? 0)) / all.length;
      return {
        family: family.label,
        system: name,
        refused: rate(refused(bad), bad.length),
        overRefused: rate(refused(good), good.length),
        tokensPerSecond: seconds === 0 ? 0 : sum(good.map(({ stats }) => stats.tokens)) / seconds,
        nudgeRatio: nudged / Math.max(1, sum(bad.map(({ stats }) => stats.tokens))),
        guard: { checks: perAnswer('checks'), tokens: perAnswer('tokens') },
        answers: bad.map(({ stats, ...rest }) => rest),
      };
    });
  }

  /**
   * Systems take turns at every second question, in an order that turns too: what disturbs the machine disturbs all, and a question that
   * was asked twice in a row would be answered from memory.
   * @param {Family} family
   * @param {readonly Defence[]} systems
   * @param {readonly AttackPrompt[]} prompts
   * @returns {Promise<Asked[][]>} by system
   */
  async #ask(family, systems, prompts) {
    /** @type {Asked[][]} */
    const all = systems.map(() => []);
    for (let at = 0; at < prompts.length; at += 2) {
      /** @type {import('./attacks.mjs').Attacked[]} */
      const attacked = [];
      for (const { question, compliant } of prompts.slice(at, at + 2)) {
        const beginning = (/** @type {number} */ tokens) => this.#beginning({ question, compliant }, tokens);
        attacked.push(await family.attack({ question, beginning }));
      }
      for (let turn = 0; turn < systems.length; turn += 1) {
        const place = (at / 2 + turn) % systems.length;
        const { options } = /** @type {Defence} */ (systems[place]);
        for (const one of attacked) all[place]?.push(await this.#answer(one, options));
      }
    }
    return all;
  }

  /**
   * @param {import('./attacks.mjs').Attacked} attacked
   * @param {import('../../dist/index.js').GenerateOptions} options
   * @returns {Promise<Asked>}
   */
  async #answer({ question, prefill }, options) {
    const begun = prefill === undefined ? {} : { prefill };
    const input = { messages: [{ role: /** @type {const} */ ('user'), content: question }], ...begun };
    // One token first: prompts are in the caches then, for each alike, and what is timed is the answer.
    await this.#engine.generate(input, { ...options, maxTokens: 1 });
    const answer = await this.#engine.generate(input, options);
    const { text, stopReason, stats } = answer;
    return { question, ...begun, text, stopReason, refused: isRefusal(answer, this.#prompts.refusals), stats };
  }

  /**
   * Whole words from the beginning of what complies, at most so many tokens of the aligned model.
   * @param {{ question: string, compliant?: string | undefined }} prompt
   * @param {number} tokens
   */
  async #beginning(prompt, tokens) {
    const text = await this.#whatComplies(prompt);
    const ends = [...text.matchAll(/\S(?=\s|$)/g)].map(({ index }) => index + 1);
    let taken = text.slice(0, ends[0]);
    for (const end of ends) {
      const longer = text.slice(0, end);
      if ((await this.#engine.countTokens({ text: longer }, { lane: 'aligned' })) > tokens) break;
      taken = longer;
    }
    return taken;
  }

  /** @param {{ question: string, compliant?: string | undefined }} prompt @returns {Promise<string>} */
  #whatComplies({ question, compliant }) {
    if (compliant !== undefined) return Promise.resolve(compliant);
    const known = this.#compliant.get(question);
    if (known) return known;
    const said = this.#engine.generate(question, { mode: 'base', maxTokens: 64 }).then(({ text }) => text.trim() || 'Sure, here it is:');
    this.#compliant.set(question, said);
    return said;
  }
}
