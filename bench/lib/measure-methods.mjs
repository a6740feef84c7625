import { isRight } from '../../scripts/lib/eval-questions.mjs';
import { segments } from '../rivals/prompts.mjs';
import { aims, yardstick } from './methods.mjs';
import { spread, sum } from './statistics.mjs';

/** @typedef {import('./methods.mjs').Method} Method */
/** @typedef {import('../../scripts/lib/eval-questions.mjs').Question} Question */
/** @typedef {import('../../dist/index.js').Nudging} Nudging */
/** @typedef {import('../../dist/index.js').Answer} Answer */
/** @typedef {{ tokens: number, nudged: number, base: number, aligned: number, others: number, ms: number }} Sums of several answers */
/** @typedef {{ method: Method, right: number, scored: number, texts: string[], rounds: Sums[] }} Measured */

/** Answers every question by every method; what cannot be done with these models is left out, with the reason. */
export class Measurement {
  /** @type {Measured[]} */
  measured = [];
  /** @type {{ label: string, reason: string }[]} */
  missing = [];
  #engine;
  #prompt;

  /** @param {Nudging} engine with one request at a time @param {string | undefined} prompt one raw prompt for both models */
  constructor(engine, prompt) {
    this.#engine = engine;
    this.#prompt = prompt;
  }

  /**
   * Answers the questions once by each method and counts right answers. Without questions it only finds out whether the method works here.
   * @param {readonly Method[]} methods @param {readonly Question[]} questions @param {(method: Method) => void} step
   */
  async score(methods, questions, step) {
    for (const method of methods) {
      try {
        await this.#answer('What is a harbor?', { ...method.options, maxTokens: 1 });
        /** @type {string[]} */
        const texts = [];
        for (const { question } of questions) texts.push((await this.#answer(question, method.options)).text);
        const right = questions.filter((question, index) => isRight(question, texts[index] ?? '')).length;
        this.measured.push({ method, right, scored: questions.length, texts, rounds: [] });
        step(method);
      } catch (error) {
        if (!['ERR_VOCABULARIES_DIFFER', 'ERR_INVALID_OPTION'].includes(/** @type {any} */ (error).code)) throw error;
        this.missing.push({ label: method.label, reason: /** @type {Error} */ (error).message });
      }
    }
  }

  /**
   * One timed round. Methods take turns at every second question, in an order that turns too, so that whatever disturbs one disturbs all.
   * Two questions at a time, because one that is asked again would be answered from memory. Prompts are in the caches then: what is timed
   * is the answer.
   * @param {number} round @param {readonly Question[]} questions
   */
  async time(round, questions) {
    /** @type {Map<string, Answer[]>} */
    const answers = new Map(this.measured.map(({ method }) => [method.name, []]));
    for (let at = 0; at < questions.length; at += 2) {
      const first = (round * 7 + at * 3) % this.measured.length;
      for (const { method } of [...this.measured.slice(first), ...this.measured.slice(0, first)]) {
        for (const { question } of questions.slice(at, at + 2)) {
          await this.#cachePrompts(question, method);
          answers.get(method.name)?.push(await this.#answer(question, method.options));
        }
      }
    }
    for (const { method, rounds } of this.measured) rounds.push(sums(answers.get(method.name) ?? []));
  }

  /** @param {string} question @param {Method} method */
  async #cachePrompts(question, { options, asksReference }) {
    if (options.mode === 'in-context') {
      await this.#answer(question, { ...options, maxTokens: 1 });
      return;
    }
    await this.#answer(question, { mode: 'base', stop: [], maxTokens: 1 });
    await this.#answer(question, { mode: 'aligned', maxTokens: 1 });
    if (asksReference) await this.#answer(question, { mode: 'ensemble', weights: { reference: 1 }, unit: 'token', maxTokens: 1 });
  }

  /** @param {string} question @param {import('../../dist/index.js').GenerateOptions} options */
  #answer(question, options) {
    const prompt = this.#prompt;
    return this.#engine.generate(prompt === undefined ? question : rawFor(prompt, question), options);
  }
}

/** @param {string} prompt @param {string} question */
const rawFor = (prompt, question) => ({ base: segments(prompt, question), aligned: segments(prompt, question) });

/** @param {readonly Answer[]} answers @returns {Sums} */
function sums(answers) {
  const all = (/** @type {(stats: Answer['stats']) => number} */ of) => sum(answers.map(({ stats }) => of(stats)));
  return {
    tokens: all(({ tokens }) => tokens),
    nudged: all(({ nudgedTokens }) => nudgedTokens),
    base: all(({ base }) => base.decodes),
    aligned: all(({ aligned }) => aligned.decodes),
    others: all(({ others }) => sum(Object.values(others).map(({ decodes }) => decodes))),
    ms: all(({ times }) => times.total),
  };
}

const msPerToken = (/** @type {Sums} */ { ms, tokens }) => ms / tokens;
/** Of a model alone. */
const msPerPass = (/** @type {Sums} */ { ms, base, aligned, others }) => ms / (base + aligned + others);

/** What a report says of each method. @param {readonly Measured[]} measured */
export function methodFigures(measured) {
  const nudging = measured.find(({ method }) => method.name === yardstick);
  return measured.map(({ method, right, scored, texts, rounds }) => {
    const tokens = sum(rounds.map((round) => round.tokens));
    const perToken = (/** @type {'nudged' | 'base' | 'aligned' | 'others'} */ what) => sum(rounds.map((round) => round[what])) / tokens;
    return {
      name: method.name,
      label: method.label,
      options: method.options,
      right,
      scored,
      msPerToken: spread(rounds.map(msPerToken)),
      ...(nudging
        ? { toNudging: spread(rounds.map((round, index) => msPerToken(round) / msPerToken(/** @type {Sums} */ (nudging.rounds[index])))) }
        : {}),
      tokens: tokens / rounds.length,
      passes: { base: perToken('base'), aligned: perToken('aligned'), reference: perToken('others') },
      nudgeRatio: perToken('nudged'),
      rounds,
      texts: texts.slice(0, 4),
    };
  });
}

/**
 * Which aims are met: for each one that can be judged, the ratio of times, of the same round each.
 * @param {readonly Measured[]} measured
 */
export function judgedAims(measured) {
  const roundsOf = (/** @type {string} */ name) => measured.find(({ method }) => method.name === name)?.rounds ?? [];
  return aims.flatMap(({ over, atMost, ...under }) => {
    const parts = 'tokenOf' in under ? [under.tokenOf] : under.passesOf;
    const ratios = roundsOf(over).flatMap((round, index) => {
      const others = parts.flatMap((name) => roundsOf(name)[index] ?? []);
      if (others.length < parts.length) return [];
      return [msPerToken(round) / sum(others.map('tokenOf' in under ? msPerToken : msPerPass))];
    });
    if (ratios.length === 0) return [];
    const label = 'tokenOf' in under ? `${over} ÷ ${under.tokenOf}` : `${over} ÷ one pass each of ${parts.join(', ')}`;
    return [{ label, atMost, ...spread(ratios) }];
  });
}
