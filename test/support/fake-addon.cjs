// A native addon that plays a script: the words of a question say what becomes of it.
//   endless   one piece every few milliseconds until it is cancelled
//   deaf      the same, and it cannot be cancelled
//   slow      answers after a while
//   long      fails as a prompt that is too long
//   broken    fails as the engine would on bad hardware
//   gpu       fails as the engine does whose GPU has failed; what is asked afterwards would be answered
//   cuda      ends the process as ggml does after an error of the GPU
//   tied      is answered with three ties
//   assert    ends the process as a failed check inside llama.cpp does, after a lot of other output
// A base model whose path has "too-big" in it does not fit into memory; one with "warns" in it reports progress and warns before it is
// loaded.
// Anything else is answered at once, with "<question>!". With NUDGING_FAKE_SAYS=1 it says on stderr when a question arrives.
'use strict';

const lane = {
  promptTokens: 1,
  cachedPromptTokens: 0,
  decodedTokens: 1,
  decodes: 1,
  questions: 1,
  remembered: 0,
  rewinds: 0,
  rewoundTokens: 0,
  recomputations: 0,
  anticipated: 0,
  decodeMs: 1,
  top1Ms: 0,
  tokenizeMs: 0,
};
const model = (path) => ({
  path,
  description: 'fake',
  parameters: 1,
  bytes: 1,
  context: 512,
  trainedContext: 512,
  vocabulary: 2,
  hasChatTemplate: true,
  gpuLayers: 0,
  devices: {},
  deviceTop1: false,
  kvCache: 'f16',
  memory: { weights: 1, mapped: 1, buffers: {}, cache: 1, compute: 1 },
});

class NativeEngine {
  #emit;
  #endless = new Map();

  constructor(options, onEvents) {
    this.#emit = (event) => onEvents([event]);
    const [base] = options.lanes;
    if (base.path.includes('too-big')) {
      setImmediate(() =>
        onEvents([{ type: 'load-failed', code: 'ERR_OUT_OF_MEMORY', message: 'too big', needed: 2, available: 1 }, { type: 'closed' }]),
      );
      return;
    }
    if (base.path.includes('warns')) {
      setImmediate(() =>
        onEvents([
          { type: 'progress', lane: 'base', fraction: 0.5 },
          { type: 'warning', code: 'WARN_KERNEL_DISABLED', message: 'beware' },
        ]),
      );
    }
    setImmediate(() =>
      this.#emit({
        type: 'loaded',
        models: options.lanes.map(({ name, path }) => ({ name, ...model(path) })),
        parallel: options.parallel || 2,
        deterministic: options.deterministic !== 0,
        whyNotDeterministic: '',
      }),
    );
  }

  submit({ id, aligned }) {
    const question = aligned.messages.at(-1).content;
    if (process.env.NUDGING_FAKE_SAYS) process.stderr.write('asked\n');
    const piece = (text) => this.#emit({ type: 'pieces', parts: [{ id, pieces: [{ text, source: 'nudge' }] }] });
    if (question.includes('endless') || question.includes('deaf')) {
      const say = () => {
        state.text += ' word';
        piece(' word');
      };
      const state = { text: '', deaf: question.includes('deaf'), timer: setInterval(say, 5) };
      this.#endless.set(id, state);
    } else if (question.includes('long')) {
      setImmediate(() =>
        this.#emit({
          type: 'failed',
          id,
          code: 'ERR_PROMPT_TOO_LONG',
          message: 'the base prompt has 9 tokens: shorten it or raise `context`',
        }),
      );
    } else if (question.includes('broken')) {
      setImmediate(() => this.#emit({ type: 'failed', id, code: 'ERR_DECODE_FAILED', message: 'llama.cpp could not decode a batch' }));
    } else if (question.includes('gpu')) {
      setImmediate(() =>
        this.#emit({ type: 'failed', id, code: 'ERR_DEVICE_FAILED', message: 'the GPU failed (an illegal instruction was encountered)' }),
      );
    } else if (question.includes('cuda')) {
      require('node:fs').writeSync(2, 'CUDA error: an illegal instruction was encountered\n/ggml-cuda.cu:106: CUDA error\n');
      process.kill(process.pid, 'SIGABRT');
    } else if (question.includes('assert')) {
      require('node:fs').writeSync(2, `${'noise\n'.repeat(10_000)}\x1b[31mllama.cpp:1:\x1b[0m GGML_ASSERT(x < n) failed\n`);
      process.kill(process.pid, 'SIGABRT');
    } else {
      setTimeout(
        () => {
          piece(`${question}!`);
          this.#finish(id, `${question}!`, 'end');
        },
        question.includes('slow') ? 80 : 1,
      );
    }
  }

  cancel(id) {
    const state = this.#endless.get(id);
    if (!state || state.deaf) return;
    clearInterval(state.timer);
    this.#endless.delete(id);
    setImmediate(() => this.#finish(id, state.text, 'aborted'));
  }

  park() {}

  close() {
    setImmediate(() => this.#emit({ type: 'closed' }));
  }

  #finish(id, text, stopReason) {
    const stats = {
      base: lane,
      aligned: lane,
      others: [],
      tokens: 1,
      baseTokens: 0,
      mixedTokens: 0,
      ties: text.includes('tied') ? 3 : 0,
      queuedMs: 0,
      firstPieceMs: 1,
      totalMs: 1,
    };
    this.#emit({ type: 'finished', id, stopReason, text, rounds: [{ words: text, base: '', by: 'end' }], decisions: [], spans: [], stats });
  }
}

module.exports = {
  NativeEngine,
  llamaVersion: '0.0.0',
  supportsGpu: false,
  machine: () => ({ devices: [], features: {} }),
  modelFacts: async () => ({ code: 'ERR_MODEL_UNSUPPORTED', message: 'nothing is known of models here' }),
};
