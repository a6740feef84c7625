import { listOf, integer, oneOf, text } from '../options.ts';
import type { LaneName } from '../types.ts';
import { jsonOf } from './body.ts';
import type { Exchange } from './exchange.ts';
import { field, fieldsOf, invalid, type Fields } from './fields.ts';
import type { Nudging } from '../engine.ts';

/** Texts as tokens and back, in the vocabulary of one model: of `lane`, or the one that the model's name says, or the base. */

/** `POST /tokenize`: `content` (or `prompt`) to `tokens`, with `with_pieces` also what each shows. @throws ApiError */
export async function tokenize(exchange: Exchange): Promise<object> {
  const { engine, lane, fields } = await asked(exchange);
  const content = field<string>(fields, 'content', text) ?? field<string>(fields, 'prompt', text);
  if (content === undefined) throw invalid('content', content, 'a string');
  const { signal } = exchange.gone;
  const { mostTokens } = exchange.server.limits;
  // Counting is the engine's thread's work, but a list is made on that which answers everybody.
  const count = await engine.countTokens({ text: content }, { lane, signal });
  if (count > mostTokens) throw invalid('content', `${count} tokens`, `at most ${mostTokens} tokens, which is what is listed at once`);
  const tokens = await engine.tokenize(content, { lane, signal });
  const listed = fields['with_pieces'] === true ? tokens.map(({ token, bytes }) => ({ id: token, piece: pieceOf(bytes) })) : undefined;
  return { tokens: listed ?? tokens.map(({ token }) => token), count: tokens.length, max_model_len: engine.models[lane].context };
}

/** `POST /detokenize`: `tokens` to `content`. @throws ApiError */
export async function detokenize(exchange: Exchange): Promise<object> {
  const { engine, lane, fields } = await asked(exchange);
  const tokens = field<number[]>(fields, 'tokens', listOf(integer(0, 2 ** 31 - 1)));
  if (tokens === undefined) throw invalid('tokens', tokens, 'an array of token ids');
  const { mostTokens } = exchange.server.limits;
  if (tokens.length > mostTokens) throw invalid('tokens', `${tokens.length} tokens`, `at most ${mostTokens} token ids`);
  const content = Buffer.from(await engine.detokenize(tokens, { lane, signal: exchange.gone.signal })).toString('utf8');
  return { content, prompt: content };
}

async function asked(exchange: Exchange): Promise<{ engine: Nudging; lane: LaneName; fields: Fields }> {
  exchange.mayAsk();
  const { models, limits } = exchange.server;
  const fields = fieldsOf(await jsonOf(exchange.request, limits.mostBytes));
  const { served, mode, id } = models.named(fields['model']);
  exchange.asks(served, id);
  const lane = field<LaneName>(fields, 'lane', oneOf('base', 'aligned')) ?? (mode === 'aligned' ? 'aligned' : 'base');
  return { engine: served.ready(), lane, fields };
}

/** As text where it is one; else its bytes. */
function pieceOf(bytes: Uint8Array): string | number[] {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return [...bytes];
  }
}
