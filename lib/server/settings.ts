import { eitherOf, flag, generateRules, integer, isObject, listOf, nonEmptyText, number, oneOf, type Rule } from '../options.ts';
import type { GenerateOptions } from '../types.ts';
import { count, field, invalid, probability, unsupported, type Fields } from './fields.ts';
import type { Limits } from './options.ts';

/** What a request wants to be told beside the text. */
export interface Telling {
  /** Answers to one prompt. */
  choices: number;
  streams: boolean;
  /** Of a stream: its tokens at the end. */
  usage: boolean;
  /** The library's whole answer, with all decisions or without. */
  trace: 'full' | 'rounds' | undefined;
}

/** Every token of an answer is compared with all of them, so they are no place for books. */
const longestStop = 1000;
const aStop: Rule = {
  check: (value) => nonEmptyText.check(value) && (value as string).length <= longestStop,
  expected: `a non-empty string of at most ${longestStop} characters`,
};
/** OpenAI has 4. */
const mostStops = 16;

/** The library's options from the fields that all routes share. What is not given is the engine's. @throws ApiError 400 */
export function settingsOf(fields: Fields, limits: Limits, lengths: readonly string[]): GenerateOptions {
  const stop = field<string | string[]>(fields, 'stop', eitherOf(aStop, listOf(aStop)));
  if (Array.isArray(stop) && stop.length > mostStops) throw invalid('stop', stop, `at most ${mostStops} texts`);
  const topP = field<number>(fields, 'top_p', probability);
  const topK = field<number>(fields, 'top_k', integer(-1, 1_000_000));
  const repeatPenalty = field<number>(fields, 'repetition_penalty', number(0.01, 100));
  const prefill = field<boolean>(fields, 'continue_final_message', flag);
  return withoutMissing({
    temperature: field<number>(fields, 'temperature', number(0, 2)),
    // At 0 the likeliest token is left, which is what who asks for it means.
    topP: topP === 0 ? Number.EPSILON : topP,
    topK: topK === -1 ? 0 : topK,
    minP: field<number>(fields, 'min_p', probability),
    seed: field<number>(fields, 'seed', integer(0, Number.MAX_SAFE_INTEGER)),
    maxTokens: lengthOf(fields, limits, lengths),
    stop,
    repeatPenalty,
    prefill: prefill || undefined,
    ...ownSettings(fields),
  });
}

/** The first of these fields that is there. */
function lengthOf(fields: Fields, { mostTokens }: Limits, names: readonly string[]): number | undefined {
  for (const name of names) {
    const length = field<number>(fields, name, count(mostTokens));
    if (length !== undefined) return length;
  }
  return undefined;
}

const ownRules: Record<string, Rule> = {
  gamma: generateRules['gamma'] as Rule,
  rule: generateRules['rule'] as Rule,
  mode: generateRules['mode'] as Rule,
  lookahead: generateRules['lookahead'] as Rule,
  trace: eitherOf(flag, oneOf('rounds', 'full')),
};

/** `nudging: { gamma, rule, mode, lookahead, trace }`. Unlike OpenAI's fields these are ours, so a misspelt one is an error. */
function ownSettings(fields: Fields): GenerateOptions {
  const own = ownFields(fields);
  const { trace, ...settings } = own;
  return { ...settings, ...(trace === true || trace === 'full' ? { trace: 'full' } : {}) } as GenerateOptions;
}

function ownFields(fields: Fields): Record<string, unknown> {
  const own = fields['nudging'];
  if (own === undefined) return {};
  const names = Object.keys(ownRules).join(', ');
  if (!isObject(own)) throw invalid('nudging', own, `an object with some of ${names}`);
  const given = Object.fromEntries(Object.entries(own).filter(([, value]) => value !== null && value !== undefined));
  for (const name of Object.keys(given)) {
    if (!Object.hasOwn(ownRules, name)) throw unsupported(`nudging.${name.slice(0, 60)}`, `known are ${names}`, 'about nudging');
    field(given, name, ownRules[name] as Rule, `nudging.${name}`);
  }
  return given;
}

/** @throws ApiError 400 */
export function tellingOf(fields: Fields, limits: Limits): Telling {
  const streams = field<boolean>(fields, 'stream', flag) ?? false;
  const streamOptions = fields['stream_options'];
  if (streamOptions !== undefined && !isObject(streamOptions)) throw invalid('stream_options', streamOptions, 'an object');
  if (streamOptions !== undefined && !streams) throw invalid('stream_options', streamOptions, 'left out unless `stream` is true');
  const usage = field<boolean>(streamOptions ?? {}, 'include_usage', flag, 'stream_options.include_usage') ?? false;
  const trace = ownFields(fields)['trace'];
  return {
    choices: field<number>(fields, 'n', count(limits.mostChoices)) ?? 1,
    streams,
    usage,
    trace: trace === true ? 'full' : trace === false ? undefined : (trace as Telling['trace']),
  };
}

/** Different answers need different draws: a seed is that of the first one, and the others count on from it. */
export function ofChoice(options: GenerateOptions, choice: number): GenerateOptions {
  return options.seed === undefined || choice === 0 ? options : { ...options, seed: (options.seed + choice) % Number.MAX_SAFE_INTEGER };
}

function withoutMissing<T extends object>(options: T): GenerateOptions {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as GenerateOptions;
}
