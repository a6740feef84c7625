import type { Answer, GenerateOptions, Input, Inspected, LaneName, Nudging, Round, StopReason } from '../../lib/index.ts';
import { resolvedRule } from '../../lib/rule.ts';
import { samplingOf, type Choosing } from './replay.ts';
import { judgeOf } from './rules/judge.ts';

/** What the reference returns: the parts of an {@link Answer} that the rules determine. */
export type ReferenceAnswer = Pick<Answer, 'text' | 'rounds' | 'stopReason'> & { used: number };

/**
 * The rules of nudging, R1 to R21, written a second time: slowly, in another language, and without any state between questions. Every
 * question is a whole prompt that is tokenised and decoded from nothing. The engine must give the same rounds.
 */
export async function reference(
  engine: Nudging,
  input: Input,
  options: Required<Pick<GenerateOptions, 'gamma' | 'lookahead' | 'maxTokens'>> & Pick<GenerateOptions, 'rule'> & Choosing,
): Promise<ReferenceAnswer> {
  const { gamma, lookahead, maxTokens } = options;
  const sampling = samplingOf(options);
  const ask = (lane: LaneName, text: string, tokens: readonly number[] = []) => engine.inspect({ lane, input, text, tokens, sampling });
  const judge = judgeOf(resolvedRule(options.rule), gamma, lookahead, ask);
  const rounds: Round[] = [];
  let out = '';
  let used = 0;
  const finish = (stopReason: StopReason): ReferenceAnswer => ({ text: out, rounds, stopReason, used });

  for (;;) {
    // R3: the aligned model's draft; shown[k] is the text of its first k tokens.
    const shown = [''];
    const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
    const drafted: Inspected[] = [];
    let ended = false;
    while (drafted.length < lookahead) {
      const next = await ask('aligned', out, idsOf(drafted));
      if (next.ends) {
        ended = true;
        break;
      }
      drafted.push(next);
      shown.push((shown.at(-1) as string) + decoder.decode(next.bytes, { stream: true }));
    }
    const draft = shown.at(-1) as string;
    judge.follow({ text: out, tokens: drafted });

    let take = draft;
    let by: Round['by'] = 'end';
    let first: Inspected | undefined;
    if (!ended) {
      by = 'none';
      take = allButTheLastWord(draft);
      for (const boundary of boundaries(draft)) {
        const start = out + draft.slice(0, boundary);
        const next = await ask('base', start);
        const word = /^ [^ ]*/.exec(draft.slice(boundary))?.[0] as string;
        if (next.ends || next.bytes.length === 0) by = 'base-end';
        else if (startsWith(word, next.bytes)) by = 'agree';
        else if (await judge.speaks({ start, run: [], next })) by = 'confident';
        else continue;
        take = draft.slice(0, boundary);
        if (by !== 'base-end') first = next;
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
    if (ended) return finish('end');
    if (used === maxTokens) return finish('length');
    if (take === '') return finish('stalled');
    if (!first) continue;

    // R9-R11
    const runDecoder = new TextDecoder('utf-8', { ignoreBOM: true });
    const start = out;
    const run: Inspected[] = [];
    let next = first;
    do {
      run.push(next);
      round.base += runDecoder.decode(next.bytes, { stream: true });
      used += 1;
      if (used === maxTokens) break;
      next = await ask('base', start, idsOf(run));
    } while (!next.ends && next.bytes.length > 0 && (await judge.speaks({ start, run, next })));
    out += round.base;
    if (used === maxTokens) return finish('length');
  }
}

const idsOf = (said: readonly Inspected[]) => said.map(({ token }) => token);

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
