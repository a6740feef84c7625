import { LeftOut, likeliest, listIn, logprobIn, objectIn, tokenIn, type Protocol, type Reader, type Said } from './protocol.ts';

/** Probabilities asked for at each place: the likeliest token's and the next one's. */
const alternatives = 2;

/**
 * llama.cpp's server (tools/server/README.md). It does not say what follows inside a prompt, so a draft is forced on it token by token, by
 * a grammar of token ids; `n_probs` are those of the raw logits, which the grammar does not touch.
 */
export const llamaServer: Protocol = {
  ask({ tokens, asked, run, again = false }, model) {
    const known = tokens.length - (asked - 1);
    return {
      path: '/completion',
      body: {
        ...(model === undefined ? {} : { model }),
        prompt: tokens.slice(0, known),
        n_predict: asked + run,
        n_probs: alternatives,
        temperature: 0,
        samplers: ['top_k'],
        top_k: 1,
        cache_prompt: true,
        stream: true,
        // What is likeliest does not depend on what it is made to say.
        ...(again ? { grammar: wholeText } : asked > 1 ? { grammar: grammarOf(tokens.slice(known)) } : {}),
      },
    };
  },
  reader: () => new LlamaServerReader(),
  health: '/health',
  about: ['/props', '/v1/models'],
  facts([props, list]) {
    const settings =
      props === undefined ? {} : objectIn(objectIn(props, 'what /props says')['default_generation_settings'] ?? {}, '/props');
    const models = list === undefined ? [] : listIn(objectIn(list, 'what /v1/models says')['data'], 'data of /v1/models');
    const first = models.length === 1 ? objectIn(objectIn(models[0], 'a model')['meta'] ?? {}, 'meta') : {};
    return {
      models: models.map((each) => String(objectIn(each, 'a model')['id'])),
      ...(typeof settings['n_ctx'] === 'number' && settings['n_ctx'] > 0 ? { context: settings['n_ctx'] } : {}),
      ...(typeof first['n_vocab'] === 'number' ? { vocabulary: first['n_vocab'] } : {}),
    };
  },
  tokenize: (text) => ({ path: '/tokenize', body: { content: text, add_special: false, parse_special: false } }),
  tokens: (said) => listIn(objectIn(said, 'what /tokenize says')['tokens'], 'tokens').map((token) => tokenIn(token, 'a token')),
};

/**
 * These tokens, and then any. A grammar cannot say "any token", only "any but this one". Token 0 is `<unk>` or an exclamation mark; where
 * it is the likeliest, that is seen, and the run is cut there.
 */
function grammarOf(forced: readonly number[]): string {
  return `root ::= ${forced.map((token) => `<[${token}]>`).join(' ')} !<[0]>*`;
}

/** Any token whose text is whole. */
const wholeText = 'root ::= [ -~]+';

class LlamaServerReader implements Reader {
  #read = 0;

  read(value: unknown): Said[] {
    const event = objectIn(value, 'an event of the stream');
    const probabilities = event['completion_probabilities'];
    const counted = typeof event['tokens_predicted'] === 'number' ? event['tokens_predicted'] : undefined;
    // The last event says how it ended, and no token.
    const said = probabilities === undefined || event['stop'] === true ? [] : placesIn(probabilities);
    // A token that ends in the middle of a character has no event: the server waits for the rest of the character, and forgets how
    // probable its beginning was.
    if (counted !== undefined && counted > this.#read + said.length) throw new LeftOut();
    this.#read += said.length;
    return said;
  }
}

function placesIn(probabilities: unknown): Said[] {
  return listIn(probabilities, 'completion_probabilities').map((each) => {
    const place = objectIn(each, 'one of completion_probabilities');
    const choices = listIn(place['top_logprobs'], 'top_logprobs').map((choice) => {
      const { id, logprob } = objectIn(choice, 'one of top_logprobs');
      return { token: tokenIn(id, 'its id'), logprob: logprobIn(logprob, 'its logprob') };
    });
    return likeliest(choices, tokenIn(place['id'], 'id'), 'top_logprobs');
  });
}
