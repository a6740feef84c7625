import { Template } from '@huggingface/jinja';
import { LlamaLogLevel, getLlama } from 'node-llama-cpp';

/** @typedef {import('node-llama-cpp').Token} Token */

/**
 * One model behind node-llama-cpp: what would come next after this text? Its tokenizer calls, its logits, and a Jinja engine that is not
 * llama.cpp's; nothing of ours.
 */
export class Lane {
  /** @type {import('node-llama-cpp').LlamaModel} */
  #model;
  /** @type {import('node-llama-cpp').LlamaContextSequence} */
  #sequence;
  /** @type {Token[]} */
  #head = [];
  #tail = '';
  /** @type {Map<string, Token>} */
  #controls = new Map();

  /**
   * @param {import('node-llama-cpp').LlamaModel} model
   * @param {import('node-llama-cpp').LlamaContextSequence} sequence
   */
  constructor(model, sequence) {
    this.#model = model;
    this.#sequence = sequence;
    for (const token of model.iterateAllTokens()) {
      if (model.getTokenAttributes(token).control) this.#controls.set(model.detokenize([token], true), token);
    }
  }

  /** @param {string} path */
  static async load(path) {
    // One thread: its threads wait by spinning, and two models on a busy machine with few cores then take a hundred times as long.
    const llama = await getLlama({ gpu: false, build: 'never', logLevel: LlamaLogLevel.error, maxThreads: 1 });
    const model = await llama.loadModel({ modelPath: path });
    const context = await model.createContext({ contextSize: 1024, threads: 1 });
    return new Lane(model, context.getSequence());
  }

  /** The model's own chat template, up to where the assistant speaks. @param {string} question */
  chat(question) {
    const source = this.#model.fileInfo.metadata.tokenizer.chat_template ?? '';
    return new Template(source).render({
      messages: [{ role: 'user', content: question }],
      add_generation_prompt: true,
      bos_token: '',
      eos_token: '',
    });
  }

  /** @param {string} prompt @param {boolean} isTemplate whether it may spell control tokens */
  begin(prompt, isTemplate) {
    // Only what follows the last control token can merge with the output.
    let cut = 0;
    if (isTemplate) {
      for (const text of this.#controls.keys()) {
        const at = prompt.lastIndexOf(text);
        if (at >= 0) cut = Math.max(cut, at + text.length);
      }
    }
    this.#head = this.#model.tokenize(prompt.slice(0, cut), true);
    this.#tail = prompt.slice(cut);
    const { bos, shouldPrependBosToken } = this.#model.tokens;
    if (shouldPrependBosToken && bos !== null && this.#head[0] !== bos) this.#head.unshift(bos);
  }

  /** @param {readonly Token[]} tokens */
  text(tokens) {
    // Half a character at the end is not shown.
    return this.#model.detokenize(tokens).replace(/\uFFFD+$/, '');
  }

  /**
   * The most probable token after prompt, output and tokens of the model's own.
   * @param {string} output
   * @param {readonly Token[]} [own]
   */
  async next(output, own = []) {
    const tokens = [...this.#head, ...this.#model.tokenize(this.#tail + output, false), ...own];
    const known = this.#sequence.contextTokens;
    let same = 0;
    while (same < known.length && same < tokens.length - 1 && known[same] === tokens[same]) same += 1;
    if (same < known.length) await this.#sequence.eraseContextTokenRanges([{ start: same, end: known.length }]);

    const rest = tokens.slice(same);
    const last = /** @type {Token} */ (rest.pop());
    const answers = await this.#sequence.controlledEvaluate([
      ...rest,
      [last, { generateNext: { totalLogitWeight: true, logits: { filter: { includeTop: 1 } } } }],
    ]);
    const found = answers[rest.length]?.next;
    const token = found?.logits?.keys().next().value;
    if (token === undefined || found?.totalLogitWeight === undefined) throw new Error('node-llama-cpp gave no logits');
    const text = this.text([token]);
    return {
      token,
      text,
      ends: this.#model.isEogToken(token),
      shows: this.#model.detokenize([token]) !== '',
      probability: 1 / found.totalLogitWeight,
    };
  }
}
