import type { Candidate, Input, Nudging } from '../../lib/index.ts';
import type { Mixing } from './mixture-reference.ts';
import { samplingOf, type Choosing } from './replay.ts';

/** What can follow a text: a byte, or its end. */
export const endSymbol = 256;

const utf8 = new TextEncoder();

/**
 * R41 and R42 a second time, without any state: P(symbol | text) of one model from all spellings of the text behind the prompt, each asked
 * from nothing. For vocabularies that can be listed (`candidates`), prompts whose text ends with a token that no other reaches over, and
 * text in ASCII.
 */
export class ByteLawReference {
  readonly #engine: Nudging;
  readonly #lane: string;
  readonly #input: Input;
  readonly #prompt: readonly number[];
  readonly #said = new Map<string, readonly Candidate[]>();

  readonly #sampling: Choosing;

  constructor(engine: Nudging, lane: string, input: Input, sampling: Choosing, prompt: readonly number[]) {
    this.#engine = engine;
    this.#lane = lane;
    this.#input = input;
    this.#sampling = sampling;
    this.#prompt = prompt;
  }

  static async of(engine: Nudging, lane: string, input: Input, choosing: Choosing): Promise<ByteLawReference> {
    const { context } = await engine.inspect({ lane, input });
    return new ByteLawReference(engine, lane, input, samplingOf({ ...choosing, temperature: 0 }), context);
  }

  async law(text: string): Promise<number[]> {
    const masses = Array.from({ length: 257 }, () => 0);
    await this.#goOn(masses, utf8.encode(text), [], 0, 1);
    const total = masses.reduce((sum, mass) => sum + mass, 0);
    return masses.map((mass) => mass / total);
  }

  /** The tokens of a text behind the prompt. */
  async spell(text: string): Promise<number[]> {
    const { context } = await this.#engine.inspect({ lane: this.#lane, input: this.#input, text });
    return context.slice(this.#prompt.length);
  }

  async #goOn(masses: number[], text: Uint8Array, tokens: number[], at: number, weight: number): Promise<void> {
    for (const { token, bytes, probability } of await this.#after(tokens)) {
      const mass = weight * probability;
      // The two ends of the tiny vocabulary are the only tokens that show nothing.
      if (bytes.length === 0) {
        if (at === text.length) masses[endSymbol] = (masses[endSymbol] ?? 0) + mass;
        continue;
      }
      const here = bytes.subarray(0, text.length - at);
      if (here.some((byte, i) => byte !== text[at + i])) continue;
      const next = bytes[text.length - at];
      if (next !== undefined) masses[next] = (masses[next] ?? 0) + mass;
      else if (await this.#isValid(text.subarray(0, at + bytes.length), [...tokens, token]))
        await this.#goOn(masses, text, [...tokens, token], at + bytes.length, mass);
    }
  }

  async #isValid(bytes: Uint8Array, tokens: readonly number[]): Promise<boolean> {
    const text = new TextDecoder().decode(bytes);
    const same = (spelled: readonly number[]) => spelled.length === tokens.length && spelled.every((token, i) => token === tokens[i]);
    if (same(await this.spell(text))) return true;
    if (!/\s$/.test(text)) return false;
    for (const follower of ['a', '0', '!']) {
      const longer = await this.spell(text + follower);
      if (longer.at(-1) === follower.charCodeAt(0) && same(longer.slice(0, -1))) return true;
    }
    return false;
  }

  async #after(tokens: readonly number[]): Promise<readonly Candidate[]> {
    const key = tokens.join();
    const known = this.#said.get(key);
    if (known) return known;
    const question = { lane: this.#lane, input: this.#input, tokens: [...tokens], sampling: this.#sampling, candidates: 1000 };
    const { candidates } = await this.#engine.inspect(question);
    this.#said.set(key, candidates);
    return candidates;
  }
}

/** What several models write byte by byte, greedily: every spelling of every text asked from nothing (R45 to R48). */
export async function byteReference(
  engine: Nudging,
  input: Input,
  { lanes, score }: Mixing,
  { maxTokens, ...choosing }: { maxTokens: number } & Choosing,
) {
  const laws: ByteLawReference[] = [];
  for (const lane of lanes) laws.push(await ByteLawReference.of(engine, lane, input, choosing));
  let text = '';
  for (;;) {
    const masses: number[][] = [];
    for (const law of laws) masses.push(await law.law(text));
    const scores = Array.from({ length: 257 }, (_, symbol) => score(masses.map((law) => law[symbol] ?? 0)));
    // Only ASCII is spelled here; what goes beyond ends the comparison.
    const symbol = scores.indexOf(Math.max(...scores.slice(0, 128), scores[endSymbol] ?? 0));
    if (Math.max(...scores.slice(0xc2, 0xf5)) > (scores[symbol] ?? 0)) return { text, stopReason: 'beyond ASCII' as const };
    if (symbol === endSymbol) return { text, stopReason: 'end' as const };
    const longer = text + String.fromCharCode(symbol);
    if (((await laws[0]?.spell(longer))?.length ?? 0) > maxTokens) return { text, stopReason: 'length' as const };
    text = longer;
  }
}
