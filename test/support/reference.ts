import type { Answer, GenerateOptions, Input, Inspected, LaneName, Nudging, Round, StopReason } from '../../lib/index.ts';
import { samplingOf, type Choosing } from './replay.ts';

/** What the reference returns: the parts of an {@link Answer} that the rules determine. */
export type ReferenceAnswer = Pick<Answer, 'text' | 'rounds' | 'stopReason' | 'endedBy'> & { used: number };

/** The options of the rules. */
export type RuleOptions = Required<Pick<GenerateOptions, 'gamma' | 'lookahead' | 'maxTokens'>> &
  Pick<GenerateOptions, 'endRule' | 'endCertainty' | 'shortDrafts' | 'lead' | 'punctuation'>;

type Ask = (lane: LaneName, text: string, tokens: readonly number[]) => Promise<Inspected>;

/**
 * The rules of nudging, R1 to R16 and R23 to R25, written a second time: slowly, in another language, and without any state between
 * questions. Every question is a whole prompt that is tokenised and decoded from nothing. The engine must give the same rounds.
 */
export async function reference(engine: Nudging, input: Input, options: RuleOptions & Choosing): Promise<ReferenceAnswer> {
  const { gamma, lookahead, maxTokens, endRule = 'aligned', endCertainty = 0.9, shortDrafts = 'accept' } = options;
  const sampling = samplingOf(options);
  const ask = (lane: LaneName, text: string, tokens: readonly number[] = []) => engine.inspect({ lane, input, text, tokens, sampling });
  const rounds: Round[] = [];
  let out = '';
  let used = 0;
  const finish = (stopReason: StopReason): ReferenceAnswer => ({ text: out, rounds, stopReason, used });
  const end = (endedBy: LaneName): ReferenceAnswer => ({ ...finish('end'), endedBy });
  // R23
  const isTheEnd = ({ ends, probability }: Inspected) => endRule !== 'aligned' && ends && probability >= endCertainty;

  if (options.lead) {
    const first = await leadOf(ask, options);
    ({ text: out, used } = first);
    rounds.push({ words: out, base: '', by: 'lead' });
    if (first.reason) return first.reason === 'end' ? end('aligned') : finish(first.reason);
  }

  for (;;) {
    // R3: the aligned model's draft; shown[k] is the text of its first k tokens.
    const shown = [''];
    const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
    const drafted: number[] = [];
    let ended = false;
    while (drafted.length < lookahead) {
      const next = await ask('aligned', out, drafted);
      if (next.ends) {
        ended = true;
        break;
      }
      drafted.push(next.token);
      shown.push((shown.at(-1) as string) + decoder.decode(next.bytes, { stream: true }));
    }
    const draft = shown.at(-1) as string;

    let take = draft;
    let by: Round['by'] = 'end';
    let first: Inspected | undefined;
    let endedBy: LaneName | undefined = ended && endRule !== 'base' ? 'aligned' : undefined;
    if (ended && draft === '' && endRule === 'base') {
      // R23: the base has the word.
      const next = await ask('base', out);
      if (next.ends) endedBy = 'base';
      if (next.ends || next.bytes.length === 0) by = 'base-end';
      else first = next;
    } else if (!ended || shortDrafts === 'check' || endRule === 'base') {
      // R8, R24
      if (endedBy === undefined) by = 'none';
      if (!ended) take = allButTheLastWord(draft);
      for (const boundary of boundaries(draft)) {
        const next = await ask('base', out + draft.slice(0, boundary));
        const word = /^ [^ ]*/.exec(draft.slice(boundary))?.[0] as string;
        if (next.ends || next.bytes.length === 0) by = 'base-end';
        else if (startsWith(word, next.bytes)) by = 'agree';
        else if (next.probability >= gamma) by = 'confident';
        else continue;
        take = draft.slice(0, boundary);
        if (by !== 'base-end') first = next;
        endedBy = isTheEnd(next) ? 'base' : undefined;
        break;
      }
    }

    // R12, R13
    const cost = shown.findIndex((text) => text.length >= take.length);
    if (used + cost > maxTokens) {
      take = shown[maxTokens - used] as string;
      rounds.push({ words: take, base: '', by: 'limit' });
      out += take;
      used = maxTokens;
      return finish('length');
    }
    used += cost;
    out += take;
    const round: Round = { words: take, base: '', by };
    rounds.push(round);
    if (endedBy) return end(endedBy);
    if (used === maxTokens) return finish('length');
    if (take === '' && !first) return finish('stalled');
    if (!first) continue;

    // R9-R11
    const runDecoder = new TextDecoder('utf-8', { ignoreBOM: true });
    const start = out;
    const run: number[] = [];
    let next = first;
    do {
      run.push(next.token);
      round.base += runDecoder.decode(next.bytes, { stream: true });
      used += 1;
      if (used === maxTokens) break;
      next = await ask('base', start, run);
    } while (!next.ends && next.bytes.length > 0 && next.probability >= gamma);
    out += round.base;
    if (used === maxTokens) return finish('length');
    if (isTheEnd(next)) return end('base');
  }
}

/** R25: what the aligned model writes first, the tokens that it costs, and why the answer ends there if it does. */
export async function leadOf(
  ask: Ask,
  { lead = 0, lookahead, maxTokens, endRule }: RuleOptions,
): Promise<{ text: string; used: number; reason?: StopReason }> {
  const shown = [''];
  const tokens: number[] = [];
  const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
  let ended = false;
  let end: number | undefined;
  while (tokens.length < lead + lookahead && end === undefined) {
    const next = await ask('aligned', '', tokens);
    ended = next.ends;
    if (ended) break;
    tokens.push(next.token);
    const text = (shown.at(-1) as string) + decoder.decode(next.bytes, { stream: true });
    shown.push(text);
    if (tokens.length > lead) end = boundaries(text).find((boundary) => boundary >= (shown[lead] as string).length);
    else if (tokens.length === maxTokens) return { text, used: maxTokens, reason: 'length' };
  }
  const text = (shown.at(-1) as string).slice(0, end);
  const covering = shown.findIndex((each) => each.length >= text.length);
  const used = Math.max(Math.min(lead, tokens.length), covering);
  if (used > maxTokens) return { text: shown[maxTokens] as string, used: maxTokens, reason: 'length' };
  if (ended && endRule !== 'base') return { text, used, reason: 'end' };
  if (used === maxTokens) return { text, used, reason: 'length' };
  return { text, used, ...(text === '' && !ended ? { reason: 'stalled' } : {}) };
}

/** R5, by regular expression: before the last space of a run that has a word before it and a word after it. */
function boundaries(draft: string): number[] {
  return [...draft.matchAll(/(?<=[^ ] *) (?=[^ ])/g)].map((match) => match.index);
}

/** R8 */
function allButTheLastWord(draft: string): string {
  const leading = /^ */.exec(draft)?.[0].length ?? 0;
  const last = draft.lastIndexOf(' ');
  return last < leading ? draft : draft.slice(0, last);
}

function startsWith(word: string, bytes: Uint8Array): boolean {
  const have = new TextEncoder().encode(word);
  return bytes.length <= have.length && bytes.every((byte, index) => byte === have[index]);
}
