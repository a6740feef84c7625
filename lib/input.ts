import type { Settings } from './defaults.ts';
import { inContext } from './in-context.ts';
import { mustBeUsed } from './mode-options.ts';
import type { NativePrompt } from './native.ts';
import { check, defined, generateRules, isObject, reject } from './options.ts';
import { promptFor, readQuestion, type Question } from './prompts.ts';
import type { AbortSignalLike, Countable, GenerateOptions, Input, LaneName } from './types.ts';

/** What is asked, and how. */
export interface Asked {
  question: Question;
  settings: Settings;
  signal: AbortSignalLike | undefined;
}

/**
 * Splits an input into what is asked and how, and checks both.
 *
 * @param usual settings of the engine, which hold unless the input or `options` say otherwise
 * @throws NudgingError ERR_INVALID_OPTION
 */
export function readInput(input: Input, options: GenerateOptions | undefined, usual: Settings): Asked {
  let inline: Record<string, unknown> = {};
  if (isObject(input)) {
    const { messages, base, aligned, ...rest } = input as Record<string, unknown>;
    inline = rest;
  }
  check(inline, generateRules);
  const given = isObject(options) ? { ...options } : options;
  if (given !== undefined) check(given, generateRules);
  const own = { ...defined(inline), ...defined(given ?? {}) };
  const { signal, ...settings } = { ...usual, ...own } as GenerateOptions;
  mustBeUsed(own, settings);
  const question = readQuestion(input, settings.prefill);
  if (settings.mode !== 'in-context') return { question, settings, signal };
  if (question.kind === 'raw') reject('mode', settings.mode, '"base" for raw prompts, which have no place for examples');
  const { prompt } = inContext(settings.inContextPrompt, settings.sealBasePrompt);
  return { question, settings: { ...settings, basePrompt: prompt }, signal };
}

/** The prompt whose tokens are to be counted. @throws as {@link readInput} */
export function readCountable(
  input: Countable,
  lane: LaneName,
  options: GenerateOptions,
  usual: Settings,
): { prompt: NativePrompt; signal: AbortSignalLike | undefined } {
  if (!isText(input)) {
    const { question, settings, signal } = readInput(input, options, usual);
    return { prompt: promptFor(lane, question, settings), signal };
  }
  check(options, generateRules);
  const { text, ...unknown } = input;
  check(unknown, {}, 'text');
  if (typeof text !== 'string') reject('text', text, 'a string');
  return { prompt: { segments: [{ text, special: false }] }, signal: options.signal };
}

/** Whether it is a text by itself, with no prompt around it. */
export function isText(input: Countable): input is { text: string } {
  return isObject(input) && 'text' in input;
}
