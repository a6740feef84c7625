import { NudgingError } from '../errors.ts';
import { noTraffic } from './client.ts';
import type { RemoteLane } from './lane.ts';
import type { ServerFacts } from './protocol.ts';

/** Texts that tokenizers cut in different ways: words, numbers, spaces, other scripts, what is not normal. */
export const probes = [
  'The quick brown fox jumps over the lazy dog.',
  '  two spaces,\n\nand newlines\t1234567890 3.14',
  'Grüße, naïve café — “quotes” 你好 мир 🙂',
];

/**
 * Whether the server is there, has the model, and how long contexts it takes.
 *
 * @throws NudgingError ERR_REMOTE_…; the signal's reason
 */
export async function connect(lane: RemoteLane, signal: AbortSignal): Promise<ServerFacts> {
  const { client, protocol, model } = lane;
  await client.get(protocol.health, signal);
  const said: unknown[] = [];
  for (const path of protocol.about) said.push(await client.get(path, signal));
  const facts = lane.read(() => protocol.facts(said));
  const { models = [] } = facts;
  if (model.model !== undefined && models.length > 0 && !models.includes(model.model)) {
    const has = models.slice(0, 5).join(', ');
    throw new NudgingError('ERR_REMOTE_REFUSED', `${client.host} has no model "${model.model}": it has ${has}`, {
      option: lane.name,
      value: model.model,
    });
  }
  lane.servedAs ??= model.api === 'vllm' ? models[0] : undefined;
  return facts;
}

/**
 * Whether texts become the same tokens here and there, and whether the server says how probable what it says is.
 *
 * @param tokenize in the vocabulary that is loaded here
 * @param vocabulary tokens that it has
 * @throws NudgingError ERR_REMOTE_…; the signal's reason
 */
export async function compare(
  lane: RemoteLane,
  facts: ServerFacts,
  vocabulary: number,
  tokenize: (text: string) => Promise<number[]>,
  signal: AbortSignal,
): Promise<void> {
  const { client, model } = lane;
  if (facts.vocabulary !== undefined && facts.vocabulary !== vocabulary) {
    throw other(lane, `it has ${facts.vocabulary} tokens, and "${model.tokenizer}" ${vocabulary}`);
  }
  let known = true;
  for (const text of probes) {
    const own = await tokenize(text);
    const theirs: number[] | undefined = known ? await tokensThere(lane, text, signal) : undefined;
    known = theirs !== undefined;
    if (theirs && theirs.join() !== own.join()) {
      throw other(lane, `${JSON.stringify(text.slice(0, 20))} is ${shown(theirs)} there and ${shown(own)} in "${model.tokenizer}"`);
    }
  }
  const tokens = await tokenize(probes[0] ?? '');
  let places = 0;
  // A draft of two tokens, and one more.
  for await (const said of lane.said({ tokens, asked: 3, run: 0 }, signal, noTraffic())) {
    places += said.length;
    const sure = said.find(({ token }) => token >= vocabulary);
    if (sure) throw other(lane, `it says token ${sure.token}, and "${model.tokenizer}" has ${vocabulary}`);
  }
  if (places !== 3) throw lane.wrong(`${client.host} says what follows at ${places} places of 3`);
}

/** Undefined where the server has no tokenizer to ask. */
async function tokensThere(lane: RemoteLane, text: string, signal: AbortSignal): Promise<number[] | undefined> {
  try {
    for await (const said of lane.client.ask(lane.protocol.tokenize(text, lane.servedAs), signal, noTraffic())) {
      return lane.read(() => lane.protocol.tokens(said));
    }
  } catch (error) {
    const { status } = ((error as Error).cause ?? {}) as { status?: number };
    if (status === 404 || status === 405) return undefined;
    throw error;
  }
  return undefined;
}

function other({ client }: RemoteLane, how: string): NudgingError {
  return new NudgingError(
    'ERR_REMOTE_PROTOCOL',
    `${client.host} has another tokenizer (${how}): name a GGUF file of the model that is served`,
  );
}

function shown(tokens: readonly number[]): string {
  return `[${tokens.slice(0, 6).join(', ')}${tokens.length > 6 ? ', …' : ''}]`;
}
