import { likeliest, listIn, logprobIn, objectIn, ProtocolError, tokenIn, type Protocol, type Question, type Said } from './protocol.ts';

/** Probabilities asked for at each place: the likeliest token's and the next one's. */
const alternatives = 2;

/**
 * vLLM's OpenAI-compatible server. A draft is asked about with one prompt for each of its beginnings, in one call: `prompt_logprobs` would
 * say the same of a single prompt, but every request that asks for them is computed without the prefix cache.
 */
export const vllm: Protocol = {
  ask({ tokens, asked, run }, model) {
    const prompts = Array.from({ length: asked }, (_, index) => tokens.slice(0, tokens.length - (asked - 1) + index));
    return {
      path: '/v1/completions',
      body: {
        ...(model === undefined ? {} : { model }),
        prompt: asked === 1 ? tokens : prompts,
        max_tokens: asked === 1 ? 1 + run : 1,
        temperature: 0,
        logprobs: alternatives,
        return_tokens_as_token_ids: true,
        add_special_tokens: false,
        stream: asked === 1 && run > 0,
      },
    };
  },
  reader: (question) => ({ read: (value) => answersIn(value, question) }),
  health: '/health',
  about: ['/v1/models'],
  facts([list]) {
    const models = list === undefined ? [] : listIn(objectIn(list, 'what /v1/models says')['data'], 'data of /v1/models');
    const lengths = models.map((each) => objectIn(each, 'a model')['max_model_len']).filter((length) => typeof length === 'number');
    return {
      models: models.map((each) => String(objectIn(each, 'a model')['id'])),
      ...(lengths[0] === undefined ? {} : { context: lengths[0] }),
    };
  },
  tokenize: (text, model) => ({
    path: '/tokenize',
    body: { ...(model === undefined ? {} : { model }), prompt: text, add_special_tokens: false },
  }),
  tokens: (said) => listIn(objectIn(said, 'what /tokenize says')['tokens'], 'tokens').map((token) => tokenIn(token, 'a token')),
};

function answersIn(value: unknown, { asked }: Question): Said[] {
  const choices = listIn(objectIn(value, 'the answer')['choices'], 'choices').map((choice) => objectIn(choice, 'a choice'));
  if (asked === 1) return choices.flatMap((choice) => placesIn(choice));
  // They come in the order of the prompts, but it is the index that counts.
  const byPrompt = [...choices].sort((one, other) => Number(one['index']) - Number(other['index']));
  if (byPrompt.length !== asked) throw new ProtocolError(`${asked} prompts have ${byPrompt.length} choices`);
  return byPrompt.map((choice) => {
    const [first] = placesIn(choice);
    if (!first) throw new ProtocolError('a choice has no token');
    return first;
  });
}

function placesIn(choice: Record<string, unknown>): Said[] {
  // The last event of a stream has none.
  if (choice['logprobs'] === null || choice['logprobs'] === undefined) {
    if (choice['text'] === '' || choice['text'] === undefined) return [];
    throw new ProtocolError('a choice has no logprobs');
  }
  const { tokens, top_logprobs: top } = objectIn(choice['logprobs'], 'logprobs');
  const goesOn = listIn(tokens, 'tokens').map((token) => idIn(token));
  const places = listIn(top, 'top_logprobs');
  if (places.length !== goesOn.length) throw new ProtocolError(`${goesOn.length} tokens have ${places.length} top_logprobs`);
  return places.map((place, index) => {
    const alternatives = Object.entries(objectIn(place, 'one of top_logprobs'));
    const choices = alternatives.map(([token, logprob]) => ({ token: idIn(token), logprob: logprobIn(logprob, 'a logprob') }));
    return likeliest(choices, goesOn[index] ?? -1, 'one of top_logprobs');
  });
}

/** Texts would not do: different tokens may have the same one. */
function idIn(key: unknown): number {
  const [, id] = typeof key === 'string' ? (/^token_id:(\d+)$/.exec(key) ?? []) : [];
  if (id !== undefined) return tokenIn(Number(id), 'a token');
  throw new ProtocolError('tokens come as texts, not as token_id:N: it takes a vLLM that knows return_tokens_as_token_ids');
}
