import { existsSync } from 'node:fs';
import { naiveNudging } from './naive.mjs';
import { basePrompt, messages } from './prompts.mjs';

/** @typedef {import('./index.mjs').Setup} Setup @typedef {import('./index.mjs').Outcome} Outcome */

// Installed beside the peer implementation, so that this package itself depends on no other binding.
const installed = new URL('../peer/node_modules/', import.meta.url);
const library = new URL('node-llama-cpp/dist/index.js', installed);
export const isInstalled = () => existsSync(library);

/**
 * Naive nudging over node-llama-cpp: one context for each model, of which the longest common prefix is kept.
 * @param {Setup} setup
 */
export async function open({ pair, prompt, settings, context, threads }) {
  const { getLlama, LlamaLogLevel } = await import(library.href);
  const { Template } = await import(new URL('@huggingface/jinja/dist/index.js', installed).href);
  const llama = await getLlama({ gpu: false, build: 'never', logLevel: LlamaLogLevel.error, maxThreads: 0 });
  /** @param {'base' | 'aligned'} name */
  const load = async (name) => {
    const model = await llama.loadModel({ modelPath: pair[name] });
    const made = await model.createContext({ contextSize: context, threads: { ideal: threads[name], min: threads[name] } });
    return new NodeLlamaLane(model, made.getSequence());
  };
  const base = await load('base');
  const aligned = await load('aligned');
  const template = new Template(pair.alignedPrompt ?? aligned.model.fileInfo.metadata.tokenizer.chat_template ?? '');

  return {
    /** @param {string} question @returns {Promise<Outcome>} */
    async answer(question) {
      const start = performance.now();
      let firstMs;
      const raw = prompt?.replace('{question}', () => question);
      base.begin(raw ?? basePrompt(pair, question));
      aligned.begin(
        raw ?? template.render({ messages: messages(pair, question), add_generation_prompt: true, bos_token: '', eos_token: '' }),
      );
      const { text, tokens } = await naiveNudging(base, aligned, settings, () => (firstMs ??= performance.now() - start));
      const ms = performance.now() - start;
      return {
        text,
        tokens,
        ms,
        firstMs: firstMs ?? ms,
        rewinds: base.counts.rewinds + aligned.counts.rewinds,
        lanes: { base: base.counts, aligned: aligned.counts },
      };
    },
    processes: () => [],
    close: () => llama.dispose(),
  };
}

class NodeLlamaLane {
  #sequence;
  /** @type {number[]} */
  #head = [];
  #tail = '';
  /** @type {Map<string, number>} */
  #controls = new Map();
  counts = { decodes: 0, decodedTokens: 0, rewinds: 0 };

  /** @param {any} model @param {any} sequence */
  constructor(model, sequence) {
    this.model = model;
    this.#sequence = sequence;
    for (const token of model.iterateAllTokens()) {
      if (model.getTokenAttributes(token).control) this.#controls.set(model.detokenize([token], true), token);
    }
  }

  /** @param {string} prompt */
  begin(prompt) {
    this.counts = { decodes: 0, decodedTokens: 0, rewinds: 0 };
    // What is in front of the last control token can be tokenised once: nothing merges across it.
    let cut = 0;
    for (const text of this.#controls.keys()) {
      const at = text === '' ? -1 : prompt.lastIndexOf(text);
      if (at >= 0) cut = Math.max(cut, at + text.length);
    }
    this.#head = cut === 0 ? [] : this.model.tokenize(prompt.slice(0, cut), true);
    this.#tail = prompt.slice(cut);
    const { bos, shouldPrependBosToken } = this.model.tokens;
    if (shouldPrependBosToken && bos !== null && this.#head[0] !== bos) this.#head.unshift(bos);
  }

  /** @param {readonly number[]} tokens */
  text(tokens) {
    return this.model.detokenize(tokens).replace(/\uFFFD+$/, '');
  }

  /** @param {string} output @param {readonly number[]} [own] */
  async next(output, own = []) {
    const tokens = [...this.#head, ...this.model.tokenize(this.#tail + output, false), ...own];
    const known = this.#sequence.contextTokens;
    let same = 0;
    while (same < known.length && same < tokens.length - 1 && known[same] === tokens[same]) same += 1;
    if (same < known.length) {
      await this.#sequence.eraseContextTokenRanges([{ start: same, end: known.length }]);
      this.counts.rewinds += 1;
    }
    const rest = tokens.slice(same);
    this.counts.decodes += 1;
    this.counts.decodedTokens += rest.length;
    const last = rest.pop();
    // The cheapest question that the library has: the top token and the sum of weights, no sorted list of probabilities.
    const answers = await this.#sequence.controlledEvaluate([
      ...rest,
      [last, { generateNext: { totalLogitWeight: true, logits: { filter: { includeTop: 1 } } } }],
    ]);
    const found = answers[rest.length].next;
    const token = found.logits.keys().next().value;
    const text = this.model.detokenize([token]);
    return { token, text, ends: this.model.isEogToken(token), probability: 1 / found.totalLogitWeight };
  }
}
