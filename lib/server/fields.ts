import { inspect } from 'node:util';
import { integer, isObject, number, type Rule } from '../options.ts';
import { ApiError } from './api-error.ts';

/** The fields of a request's body. Null is the same as missing, as for OpenAI; what nobody asks for is ignored. */
export type Fields = Readonly<Record<string, unknown>>;

/** @throws ApiError 400 */
export function fieldsOf(body: unknown): Fields {
  if (!isObject(body)) throw new ApiError(400, 'ERR_BODY_INVALID', 'the body must be a JSON object');
  return Object.fromEntries(Object.entries(body).filter(([, value]) => value !== null && value !== undefined));
}

/** The value of a field, if it has one. @throws ApiError 400 for a wrong one */
export function field<T>(fields: Fields, name: string, rule: Rule, shownAs = name): T | undefined {
  const value = fields[name];
  if (value === undefined) return undefined;
  if (!rule.check(value)) throw invalid(shownAs, value, rule.expected);
  return value as T;
}

export function invalid(param: string, value: unknown, expected: string): ApiError {
  return new ApiError(400, 'ERR_FIELD_INVALID', `\`${param}\` must be ${expected}; got ${shown(value)}`, { param });
}

/** Longer than this nothing of a request is repeated to its sender. */
const mostShown = 200;

function shown(value: unknown): string {
  const fields = isObject(value) ? Object.keys(value).length : 0;
  if (fields > 10) return `an object of ${fields} fields`;
  const text = inspect(value, { depth: 0, maxStringLength: 60, maxArrayLength: 10, breakLength: Infinity, customInspect: false });
  return text.length > mostShown ? `${text.slice(0, mostShown)}…` : text;
}

/** @param logged what a log may know, where the name of the field is the client's own */
export function unsupported(param: string, why: string, logged?: string): ApiError {
  const details = logged === undefined ? { param } : { param, logged };
  return new ApiError(400, 'ERR_FIELD_UNSUPPORTED', `\`${param}\` is not supported: ${why}`, details);
}

const isEmpty = (value: unknown) =>
  (Array.isArray(value) && value.length === 0) || (isObject(value) && Object.keys(value).length === 0) || value === '';

/** Fields that would change the answer, and cannot be had here. With these values they ask for nothing. */
const impossible: Record<string, { nothing: (value: unknown) => boolean; why: string }> = {
  tools: { nothing: isEmpty, why: 'models are not asked to call tools here; leave it out' },
  tool_choice: { nothing: (value) => value === 'none' || value === 'auto', why: 'models are not asked to call tools here; leave it out' },
  functions: { nothing: isEmpty, why: 'models are not asked to call functions here; leave it out' },
  function_call: { nothing: (value) => value === 'none' || value === 'auto', why: 'models are not asked to call functions here' },
  response_format: {
    nothing: (value) => isObject(value) && value['type'] === 'text',
    why: 'answers are plain text; ask for JSON in words, and check what comes',
  },
  modalities: {
    nothing: (value) => Array.isArray(value) && value.every((each) => each === 'text'),
    why: 'text is all there is',
  },
  audio: { nothing: () => false, why: 'text is all there is' },
  web_search_options: { nothing: () => false, why: 'nothing is searched here' },
  frequency_penalty: { nothing: (value) => value === 0, why: 'use `repetition_penalty` (1.1 for example), which both models know' },
  presence_penalty: { nothing: (value) => value === 0, why: 'use `repetition_penalty` (1.1 for example), which both models know' },
  logit_bias: { nothing: isEmpty, why: 'token ids are of one vocabulary, and two models answer' },
  best_of: { nothing: (value) => value === 1, why: 'ask for several answers with `n`, and choose' },
  suffix: { nothing: isEmpty, why: 'models go on behind a text, not in the middle of it' },
};

/** @throws ApiError 400 for a field whose effect cannot be had */
export function refuseImpossible(fields: Fields): void {
  for (const [name, { nothing, why }] of Object.entries(impossible)) {
    if (fields[name] !== undefined && !nothing(fields[name])) throw unsupported(name, why);
  }
}

export const probability = number(0, 1);
export const count = (most: number) => integer(1, most);
