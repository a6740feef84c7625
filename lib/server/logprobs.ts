import type { Answer, Decision, GenerateOptions, Inspected, Mode, Round } from '../types.ts';
import { unsupported } from './fields.ts';

/** A token that stands in an answer. */
export interface SpokenToken {
  /** Not necessarily whole characters. */
  bytes: Uint8Array;
  /** Natural logarithm of the probability that its own model gave it; null where it was not asked. */
  logprob: number | null;
  /** Whether it is the aligned model's. */
  nudged: boolean;
  /** The likeliest token there, where it may have been another one. */
  top?: { bytes: Uint8Array; logprob: number };
}

const explained = new Set<Mode>(['nudge', 'base', 'aligned', 'in-context']);

/** Probabilities are those of the likeliest token. @throws ApiError 400 where they would not be those of the tokens */
export function mustKnowProbabilities({ mode = 'nudge', temperature = 0 }: GenerateOptions): void {
  if (!explained.has(mode)) throw unsupported('logprobs', `in the mode "${mode}"; it is in ${[...explained].join(', ')}`);
  if (temperature > 0) throw unsupported('logprobs', 'with a temperature over 0, where tokens are drawn; set `temperature` to 0');
}

/**
 * The tokens of an answer with a full trace. They are those that the decisions name, and not what the text would be split into: of a draft
 * as much as was taken of it, of the base's run what it said.
 */
export function tokensOf(answer: Answer, mode: Mode = 'nudge'): SpokenToken[] {
  if (mode !== 'nudge') return alone(answer, mode);
  const decisions = answer.decisions ?? [];
  let at = 0;
  const next = (kind: Decision['kind']): Decision[] => {
    const from = at;
    while (decisions[at]?.kind === kind) at += 1;
    return decisions.slice(from, at);
  };
  let start = 0;
  return answer.rounds.flatMap((round) => {
    const drafted = next(round.by === 'lead' ? 'lead' : 'draft');
    const asked = round.by === 'lead' ? [] : next('boundary');
    const ran = round.by === 'lead' ? [] : next('run');
    const handover = start + bytesIn(round.words);
    const end = handover + bytesIn(round.base);
    const words = placed(drafted, start, handover, true);
    const base = placed(ofBase(round, asked, ran), handover, end, false);
    start = end;
    return [...words, ...base];
  });
}

/** The token with which the base took over, and its run as far as it was sure. */
function ofBase({ base }: Round, asked: readonly Decision[], ran: readonly Decision[]): Decision[] {
  const first = asked.at(-1);
  return base === '' || first === undefined ? [] : [first, ...ran.filter(({ speaks }) => speaks === 'base')];
}

/** Tokens one behind the other from a place on, cut where what was taken of them ends. */
function placed(decisions: readonly Decision[], start: number, end: number, nudged: boolean): SpokenToken[] {
  let at = start;
  const tokens: SpokenToken[] = [];
  for (const { bytes, probability, ends } of decisions) {
    if (at >= end || ends) break;
    tokens.push({ bytes: bytes.subarray(0, end - at), logprob: Math.log(probability), nudged });
    at += bytes.length;
  }
  return tokens;
}

/** One model's tokens, as far as they were not cut by a stop string. */
function alone({ rounds, decisions = [] }: Answer, mode: Mode): SpokenToken[] {
  const end = bytesIn(rounds.map(({ words, base }) => words + base).join(''));
  return placed(decisions, 0, end, mode === 'aligned');
}

const bytesIn = (text: string) => Buffer.byteLength(text);

/** As text, for people: bytes that are no whole character are U+FFFD, and `bytes` has them as they are. */
export function textOfToken({ bytes }: { bytes: Uint8Array }): string {
  return Buffer.from(bytes).toString('utf8');
}

/** The token that was likeliest, and the one that is there. */
function likeliest(token: SpokenToken): Record<string, number> | null {
  if (token.logprob === null) return null;
  const top = token.top ? { [textOfToken(token.top)]: token.top.logprob } : {};
  return { ...top, [textOfToken(token)]: token.logprob };
}

interface ListedToken {
  token: string;
  bytes: number[];
  logprob: number | null;
}

function listed(token: SpokenToken): ListedToken {
  return { token: textOfToken(token), bytes: [...token.bytes], logprob: token.logprob };
}

/** Of a chat. `top` is 0 or 1: what was said was the likeliest. */
export function chatLogprobs(tokens: readonly SpokenToken[], top: number): object {
  const content = tokens.map((token) => ({
    ...listed(token),
    top_logprobs: top === 0 ? [] : [listed(token)],
    nudged: token.nudged,
  }));
  return { content, refusal: null };
}

/** The tokens of a prompt as one model finds them. What shows nothing, such as BOS, is left out. */
export function tokensOfPrompt({ scores = [] }: Inspected, first: Uint8Array, aligned: boolean): SpokenToken[] {
  const rest = scores.map(({ bytes, logprob, topBytes, topLogprob }) => ({
    bytes,
    logprob,
    nudged: aligned,
    top: { bytes: topBytes, logprob: topLogprob },
  }));
  return first.length === 0 ? rest : [{ bytes: first, logprob: null, nudged: aligned }, ...rest];
}

/** Of a completion, in the older shape. Offsets are those of the tokens' texts in the text, in characters. */
export function completionLogprobs(tokens: readonly SpokenToken[], top: number): object {
  let at = 0;
  const offsets = tokens.map((token) => {
    const here = at;
    at += textOfToken(token).length;
    return here;
  });
  return {
    tokens: tokens.map(textOfToken),
    token_logprobs: tokens.map(({ logprob }) => logprob),
    top_logprobs: top === 0 ? null : tokens.map(likeliest),
    text_offset: offsets,
    bytes: tokens.map(({ bytes }) => [...bytes]),
    nudged: tokens.map(({ nudged }) => nudged),
  };
}
