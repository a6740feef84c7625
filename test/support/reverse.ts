import type { Answer, Decision, Input, Inspected, LaneName, Nudging, Round, StopReason } from '../../lib/index.ts';
import { leadOf, type ReferenceAnswer, type RuleOptions } from './reference.ts';
import { samplingOf, type Choosing, type Question } from './replay.ts';

/**
 * The rules of the mode `reverse`, R26 to R30, written a second time, as reference.ts does it for the others: every question is a whole
 * prompt that is tokenised and decoded from nothing.
 */
export async function referenceInReverse(engine: Nudging, input: Input, options: RuleOptions & Choosing): Promise<ReferenceAnswer> {
  const { gamma, lookahead, maxTokens, punctuation = 'aligned' } = options;
  const sampling = samplingOf(options);
  const ask = (lane: LaneName, text: string, tokens: readonly number[]) => engine.inspect({ lane, input, text, tokens, sampling });
  const staysWithTheAligned = ({ bytes }: Inspected) => punctuation === 'aligned' && isPunctuation(bytes);
  const rounds: Round[] = [];
  let out = '';
  let used = 0;
  const finish = (stopReason: StopReason): ReferenceAnswer => ({ text: out, rounds, stopReason, used });

  if (options.lead) {
    const first = await leadOf(ask, { ...options, endRule: 'aligned' });
    ({ text: out, used } = first);
    rounds.push({ words: out, base: '', by: 'lead' });
    if (first.reason) return { ...finish(first.reason), ...(first.reason === 'end' ? { endedBy: 'aligned' } : {}) };
  }

  for (;;) {
    const start = out;
    const round: Round = { words: '', base: '', by: 'none' };
    rounds.push(round);
    const own: number[] = [];
    const bytes: number[] = [];
    for (;;) {
      const next = await ask('aligned', start, own);
      if (next.ends) {
        round.by = 'end';
        return { ...finish('end'), endedBy: 'aligned' };
      }
      // R27, R28
      const begins = isWhole(bytes) && next.bytes.length > 0 && (out === '' || out.endsWith(' ') || next.bytes[0] === 0x20);
      const word = begins && !staysWithTheAligned(next) && next.probability < gamma ? await wordOfTheBase() : undefined;
      if (word) {
        round.by = 'unsure';
        const written = Math.min(word.length - 1, maxTokens - used);
        round.base = word[written] as string;
        used += written;
        out += round.base;
        if (used === maxTokens) return finish('length');
        break;
      }
      own.push(next.token);
      bytes.push(...next.bytes);
      round.words = decoded(bytes);
      out = start + round.words;
      used += 1;
      if (used === maxTokens) return finish('length');
    }
  }

  /** R29: what the base's word shows after each of its tokens that have a part in it; nothing if it has none to say. */
  async function wordOfTheBase(): Promise<string[] | undefined> {
    const shown = [''];
    const tokens: number[] = [];
    const bytes: number[] = [];
    while (tokens.length < lookahead) {
      const next = await ask('base', out, tokens);
      if (next.ends || next.bytes.length === 0 || staysWithTheAligned(next)) break;
      tokens.push(next.token);
      bytes.push(...next.bytes);
      shown.push(decoded(bytes));
      if (/^ *[^ ]+ /.test(decoded(bytes))) break;
    }
    const word = /^ *[^ ]+/.exec(decoded(bytes))?.[0];
    if (word === undefined) return undefined;
    const cost = shown.findIndex((text) => text.length >= word.length);
    return shown.slice(0, cost + 1).map((text) => text.slice(0, word.length));
  }
}

/** R4: the whole characters. */
function decoded(bytes: readonly number[], stream = true): string {
  return new TextDecoder('utf-8', { ignoreBOM: true }).decode(Uint8Array.from(bytes), { stream });
}

/** Whether the bytes do not end within a character. */
const isWhole = (bytes: readonly number[]): boolean => decoded(bytes) === decoded(bytes, false);

/** R28, by regular expression. */
function isPunctuation(bytes: Uint8Array): boolean {
  const text = decoded([...bytes]).replace(/^ +/, '');
  const ascii = '\\t-\\r -\\/:-@[-`{-~';
  const latin = '¡§«¶·»¿';
  const general = '\\u2010-\\u2027\\u2030-\\u205e\\u3001-\\u3003\\u3008-\\u3011\\u3014-\\u301f\\u3030';
  const wide = '\\uff01-\\uff0f\\uff1a-\\uff20\\uff3b-\\uff40\\uff5b-\\uff65';
  const marks = new RegExp(`^[${ascii}${latin}${general}${wide}]+$`);
  return isWhole([...bytes]) && marks.test(text);
}

/** The questions of a run in reverse, in order. Where each belongs, its place tells: a round ends behind the base's word. */
export function* questionsInReverse(answer: Answer): Generator<Question> {
  const decisions = answer.decisions ?? [];
  const bytes = new TextEncoder().encode(answer.rounds.map(({ words, base }) => words + base).join(''));
  const upTo = (position: number) => new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes.slice(0, position));
  const size = (text: string) => new TextEncoder().encode(text).length;
  let at = 0;
  let end = 0;
  for (const [round, { words, base, by }] of answer.rounds.entries()) {
    const start = end;
    end += size(words + base);
    const own: number[] = [];
    const word: number[] = [];
    let asked = start;
    for (; at < decisions.length; at += 1) {
      const decision = decisions[at] as Decision;
      if (decision.kind === 'draft' && (by === 'lead' || decision.position > end - size(base))) break;
      if (decision.kind === 'draft' || decision.kind === 'lead') {
        yield { decision, lane: 'aligned', text: upTo(start), tokens: [...own], round };
        own.push(decision.token);
      } else {
        if (decision.kind === 'boundary') {
          asked = decision.position;
          word.length = 0;
        }
        yield { decision, lane: 'base', text: upTo(asked), tokens: [...word], round };
        word.push(decision.token);
      }
    }
  }
}
