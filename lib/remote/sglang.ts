import {
  likeliest,
  listIn,
  logprobIn,
  objectIn,
  ProtocolError,
  tokenIn,
  type Protocol,
  type Question,
  type Reader,
  type Said,
} from './protocol.ts';
import { vllm } from './vllm.ts';

/** Probabilities asked for at each place: the likeliest token's and the next one's. */
const alternatives = 2;

/**
 * SGLang's own API. What follows inside a prompt is said for all places behind `logprob_start_len`, and what is in front of it comes from
 * the prefix cache.
 */
export const sglang: Protocol = {
  ask({ tokens, asked, run }) {
    return {
      path: '/generate',
      body: {
        input_ids: tokens,
        sampling_params: { temperature: 0, max_new_tokens: 1 + run },
        return_logprob: true,
        // One token earlier than asked about: its own entry has nothing in front of it.
        logprob_start_len: asked > 1 ? tokens.length - asked : -1,
        top_logprobs_num: alternatives,
        stream: run > 0,
      },
    };
  },
  reader: (question) => new SglangReader(question),
  health: '/health',
  about: ['/v1/models', '/get_model_info'],
  facts: ([list]) => vllm.facts([list]),
  tokenize: vllm.tokenize,
  tokens: vllm.tokens,
};

class SglangReader implements Reader {
  readonly #question: Question;
  /** Places that were read, of the prompt and behind it. */
  #ofPrompt = false;
  #behind = 0;

  constructor(question: Question) {
    this.#question = question;
  }

  read(value: unknown): Said[] {
    const meta = objectIn(objectIn(value, 'the answer')['meta_info'], 'meta_info');
    const said: Said[] = [];
    const inside = this.#question.asked - 1;
    if (inside > 0 && !this.#ofPrompt) {
      // The first entry is null, or that of a token in front of those that were asked about.
      const places = listIn(meta['input_top_logprobs'], 'input_top_logprobs').slice(-inside);
      if (places.length < inside) throw new ProtocolError(`${inside} drafted tokens have ${places.length} input_top_logprobs`);
      const forced = this.#question.tokens.slice(-inside);
      said.push(...places.map((place, index) => placeIn(place, forced[index] ?? -1)));
      this.#ofPrompt = true;
    }
    const places = listIn(meta['output_top_logprobs'] ?? [], 'output_top_logprobs');
    const tokens = listIn(meta['output_token_logprobs'] ?? [], 'output_token_logprobs');
    if (places.length !== tokens.length) throw new ProtocolError(`${tokens.length} tokens have ${places.length} output_top_logprobs`);
    // Each event repeats those before it, unless the server was started with --incremental-streaming-output.
    const total = typeof meta['completion_tokens'] === 'number' ? meta['completion_tokens'] : places.length;
    const from = places.length >= total ? this.#behind : 0;
    said.push(...places.slice(from).map((place, index) => placeIn(place, entryIn(tokens[from + index]).token)));
    this.#behind += Math.max(0, places.length - from);
    return said;
  }
}

function placeIn(place: unknown, goesOn: number): Said {
  return likeliest(listIn(place, 'one of the top_logprobs').map(entryIn), goesOn, 'one of the top_logprobs');
}

/** `[logprob, id, text]` */
function entryIn(entry: unknown): { token: number; logprob: number } {
  const [logprob, id] = listIn(entry, 'one of the logprobs');
  return { token: tokenIn(id, 'its id'), logprob: logprobIn(logprob, 'its logprob') };
}
