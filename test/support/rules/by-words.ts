import type { Inspected } from '../../../lib/index.ts';
import type { Ask, Drafted, Judge, Place } from './judge.ts';

const bytesOf = ({ bytes }: Inspected) => Buffer.from(bytes).toString('latin1');
/** Spaces, then others, then a space. */
const isWhole = (text: string) => /^ *[^ ]+ /.test(text);
const shows = (text: string) => /[^ ]/.test(text);
const silent = ({ ends, bytes }: Inspected) => ends || bytes.length === 0;

/** What the first `count` of these tokens show, character by character (R4). */
function shown(tokens: readonly Inspected[], count = tokens.length): string {
  const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
  return tokens
    .slice(0, count)
    .map(({ bytes }) => decoder.decode(bytes, { stream: true }))
    .join('');
}

/**
 * R18 and R19: the bet on words, between two thresholds. Products are single precision, factor by factor, as the engine's.
 */
export function byWords({ low, high, lambda }: { low: number; high: number; lambda: number }, lookahead: number, ask: Ask): Judge {
  let draft: Drafted = { text: '', tokens: [] };
  let end: Inspected | undefined;
  let judged = new Map<string, boolean>();

  /** The aligned model's word behind `text`: how probable. */
  async function alignedWord(text: string): Promise<number> {
    const serves = text.startsWith(draft.text) && (draft.text + shown(draft.tokens)).startsWith(text);
    if (!serves) {
      draft = { text, tokens: [] };
      end = undefined;
    }
    for (;;) {
      const begins = draft.tokens.map((_, index) => draft.text.length + shown(draft.tokens, index).length);
      const first = begins.findIndex((begin) => begin >= text.length);
      const own = first < 0 ? [] : draft.tokens.slice(first, first + lookahead);
      const rest = (draft.text + shown(draft.tokens)).slice(text.length);
      if (end === undefined && !isWhole(rest) && own.length < lookahead) {
        const next = await ask(
          'aligned',
          draft.text,
          draft.tokens.map(({ token }) => token),
        );
        if (next.ends) end = next;
        else draft.tokens.push(next);
        continue;
      }
      const last = text.length + (/^ *[^ ]+(?= )/.exec(rest)?.[0].length ?? Infinity);
      let product = 1;
      for (const [index, { probability }] of own.entries())
        if ((begins[first + index] as number) < last) product = Math.fround(product * probability);
      return end !== undefined && !shows(rest) ? Math.fround(product * end.probability) : product;
    }
  }

  return {
    follow(round) {
      draft = { text: round.text, tokens: [...round.tokens] };
      end = undefined;
      judged = new Map();
    },

    async speaks({ start, run, next }: Place) {
      if (next.probability < low) return false;
      if (next.probability >= high) return true;
      // Where the word begins that `next` stands in.
      const tokens = [...run, next];
      let from = 0;
      let word = '';
      for (const [index, token] of tokens.entries()) {
        const begins = isWhole(word) || index - from === lookahead || (shows(word) && bytesOf(token).startsWith(' '));
        if (begins) [from, word] = [index, ''];
        word += bytesOf(token);
      }
      const key = `${from} behind ${start}`;
      const before = judged.get(key);
      if (before !== undefined) return before;

      const least = Math.fround((await alignedWord(start + shown(run, from))) - lambda);
      let product = tokens.slice(from).reduce((sofar, { probability }) => Math.fround(sofar * probability), 1);
      while (product >= least && !isWhole(word) && tokens.length - from < lookahead) {
        const further = await ask(
          'base',
          start,
          tokens.map(({ token }) => token),
        );
        if (silent(further) || (shows(word) && bytesOf(further).startsWith(' '))) break;
        tokens.push(further);
        word += bytesOf(further);
        product = Math.fround(product * further.probability);
      }
      judged.set(key, product >= least);
      return product >= least;
    },
  };
}
