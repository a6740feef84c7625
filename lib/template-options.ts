import { isObject, reject } from './options.ts';
import type { TemplateOptions, TemplateValue } from './types.ts';

/** Characters of JSON, and levels of arrays and objects, that {@link TemplateOptions} may have. */
const mostCharacters = 65_536;
const mostDepth = 16;

/** Names that a template finds set: by the engine, and by Jinja as llama.cpp has it. */
const reserved = new Map<string, string>([
  ...['messages', 'add_generation_prompt', 'bos_token', 'eos_token'].map((name) => [name, 'the engine sets it'] as const),
  ...['range', 'namespace', 'raise_exception', 'strftime_now', 'tojson'].map((name) => [name, 'it is a function of Jinja'] as const),
  ...['loop', 'caller', 'true', 'false', 'none', 'True', 'False', 'None'].map((name) => [name, 'it is a word of Jinja'] as const),
]);

/**
 * The variables of a chat template as the text of a JSON object. What was checked is what is used: each property is read once.
 *
 * @param switches variables that are true unless the options set them
 * @throws NudgingError ERR_INVALID_OPTION, which names the variable that is wrong
 */
export function templateVariables(options: TemplateOptions, switches: readonly string[] = []): string {
  if (!isPlainObject(options)) reject('templateOptions', options, 'an object of plain JSON values');
  const members: string[] = [];
  const unset = new Set(switches);
  let length = 0;
  for (const [name, value] of Object.entries(options)) {
    if (value === undefined) continue;
    const option = `templateOptions.${name}`;
    if (!/^[A-Za-z_]\w*$/.test(name)) reject(option, value, 'named as a Jinja variable is: letters, digits and _, no digit first');
    const why = reserved.get(name);
    if (why !== undefined) reject(option, value, `left out or renamed: ${why}`);
    const member = `"${name}":${jsonOf(value, { option, value, left: mostCharacters - length })}`;
    length += member.length + 1;
    members.push(member);
    unset.delete(name);
  }
  if (length > mostCharacters) reject('templateOptions', options, `at most ${mostCharacters} characters of JSON`);
  return `{${[...Array.from(unset, (name) => `"${name}":true`), ...members].join()}}`;
}

/** The variable that is being read, for messages, and the characters that it may still take. */
interface Reading {
  readonly option: string;
  readonly value: unknown;
  left: number;
}

function jsonOf(value: unknown, reading: Reading, depth = 1): string {
  const text = textOf(value, reading, depth);
  // What a container holds has been counted; this counts it again, once a level.
  reading.left -= typeof value === 'object' ? 2 : text.length + 1;
  if (reading.left < 0)
    reject(reading.option, reading.value, `short enough: all variables together may have ${mostCharacters} characters of JSON`);
  return text;
}

function textOf(value: unknown, reading: Reading, depth: number): string {
  switch (typeof value) {
    case 'boolean':
      return String(value);
    case 'string':
      return value.length > reading.left ? value : textJson(value);
    case 'number':
      if (!Number.isFinite(value) || (Number.isInteger(value) && !Number.isSafeInteger(value))) break;
      return JSON.stringify(value);
    case 'object': {
      if (value === null) return 'null';
      if (depth > mostDepth) reject(reading.option, reading.value, `nested at most ${mostDepth} levels deep`);
      if (Array.isArray(value)) return `[${Array.from(value, (each) => jsonOf(each, reading, depth + 1)).join()}]`;
      if (!isPlainObject(value)) break;
      const members = Object.entries(value).filter(([, each]) => each !== undefined);
      return `{${members.map(([key, each]) => `${jsonOf(key, reading, depth)}:${jsonOf(each, reading, depth + 1)}`).join()}}`;
    }
  }
  return reject(
    reading.option,
    reading.value,
    'of plain JSON values: strings, finite numbers (whole ones within ±(2^53 - 1)), booleans, null, arrays and plain objects',
  );
}

/** Halves of characters become U+FFFD, as they do in messages. */
function textJson(text: string): string {
  return JSON.stringify(text.replace(/\p{Surrogate}/gu, '\ufffd'));
}

/** Of this realm or another one; a Map, a Date or an object of a class says less as JSON than it holds. */
function isPlainObject(value: unknown): value is Record<string, TemplateValue | undefined> {
  if (!isObject(value)) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}
