import { stat } from 'node:fs/promises';
import { basename } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { defaults } from '../defaults.ts';
import { defaultInContextPrompt } from '../in-context.ts';
import { optionsOfModes } from '../mode-options.ts';
import { isObject, samplingRules } from '../options.ts';
import { baseEndsAlone } from '../next-question.ts';
import { withPair } from '../pair.ts';
import { defaultBasePrompt } from '../prompts.ts';
import { resolvedRule } from '../rule.ts';
import { isRemote } from '../remote/model.ts';
import type { LoadOptions, RemoteModel } from '../types.ts';
import { UsageError } from './failure.ts';
import { inFlagNames } from './flags.ts';
import { ownVersion } from '../own-version.ts';

/** What answers were made with, by the library's names. Records are compared whole: whatever is added to one counts. */
export type MadeWith = Record<string, unknown>;

/**
 * Options that leave an answer as it is (up to ties where the engine is not deterministic: docs/semantics.md): how fast it comes, how long
 * one waits. All others count, so that an option that is new is not forgotten here. `pair` is only where settings come from; they count
 * themselves.
 */
const irrelevant: ReadonlySet<string> = new Set<keyof LoadOptions>([
  'pair',
  'threads',
  'parallel',
  'batch',
  'overlap',
  'speculation',
  'maxQueue',
  'isolate',
  'rpcTimeout',
  'mmap',
  'timeout',
  'highWaterMark',
  'onProgress',
  'signal',
]);

/**
 * The record of what a run makes its answers with: flags, what the pair says, and defaults, as one.
 *
 * @throws NudgingError ERR_PAIR_INVALID
 */
export async function madeWith(load: LoadOptions): Promise<MadeWith> {
  const { base, aligned, reference, ...given } = await withPair(load);
  const prompts = { basePrompt: defaultBasePrompt, inContextPrompt: defaultInContextPrompt };
  const settings: LoadOptions = { ...defaults, ...prompts, ...given };
  const { mode, stop = baseEndsAlone(settings) ? undefined : [] } = settings;
  const written = { rule: resolvedRule(settings.rule), stop: typeof stop === 'string' ? [stop] : stop };
  const relevant = Object.entries({ ...settings, ...written }).filter(([option]) => {
    // Greedy answers do not depend on how samples are drawn.
    if (settings.temperature === 0 && Object.hasOwn(samplingRules, option)) return option === 'temperature';
    if (mode && optionsOfModes[option as keyof typeof optionsOfModes]?.includes(mode) === false) return false;
    if (settings.repeatPenalty === 1 && (option === 'repeatPenalty' || option === 'repeatWindow')) return false;
    if (settings.endRule === 'aligned' && option === 'endCertainty') return false;
    return !irrelevant.has(option);
  });
  const files = { base, aligned, ...(reference === undefined ? {} : { reference }) };
  const marks = await Promise.all(Object.entries(files).map(async ([name, model]) => [name, await markOf(model)] as const));
  const record = { version: ownVersion(), ...Object.fromEntries(relevant), ...Object.fromEntries(marks) };
  // As it will be read: what is undefined is not there.
  return JSON.parse(JSON.stringify(record)) as MadeWith;
}

/** What tells a model from another one. What a server has under one name may change, and nobody sees that. */
async function markOf(model: string | RemoteModel): Promise<object> {
  if (!isRemote(model)) return fileMark(model);
  const { url, api, model: name, tokenizer } = model;
  return { url, api, ...(name === undefined ? {} : { model: name }), tokenizer: await fileMark(tokenizer) };
}

/**
 * What tells a model's file from another one. Weights take minutes to hash, so it is what a build tool would look at. Not the folder: the
 * same file may have moved with the answers.
 */
async function fileMark(path: string): Promise<object> {
  try {
    const { size, mtime } = await stat(path);
    return { file: basename(path), bytes: size, modified: mtime.toISOString() };
  } catch {
    // Loading it will say what is wrong with it.
    return { file: basename(path) };
  }
}

/** An output file that was made with other models or settings than those of this run, or does not say with which. */
export class OtherSettingsError extends UsageError {
  /** What the file's last answers were made with; undefined if it does not say. */
  readonly was: MadeWith | undefined;
  readonly now: MadeWith;

  constructor(path: string, was: MadeWith | undefined, now: MadeWith) {
    const remedy = 'choose another --output, or go on all the same with --append';
    const what = was
      ? `--output "${path}" was made with other settings (${differences(was, now)}): use the same, ${remedy}`
      : `--output "${path}" does not say which models and settings it was made with: ${remedy}`;
    super(what);
    this.was = was;
    this.now = now;
  }
}

/** A message has room for that many values; the rest is only named. */
const mostShown = 3;

/** What differs between two records; empty if nothing does. */
export function differences(was: MadeWith, now: MadeWith): string {
  const names = [...new Set([...Object.keys(was), ...Object.keys(now)])].filter((name) => !isDeepStrictEqual(was[name], now[name]));
  const shown = names.slice(0, mostShown).map((name) => {
    const [before, after] = [excerpt(was[name], now[name]), excerpt(now[name], was[name])];
    return before === after ? `${flagOf(name)} is another one` : `${flagOf(name)} was ${before}, now ${after}`;
  });
  const others = names.slice(mostShown).map(flagOf);
  return [...shown, ...(others.length > 0 ? [`also ${others.join(', ')}`] : [])].join('; ');
}

function flagOf(name: string): string {
  return inFlagNames(`\`${name}\``).replaceAll('`', '');
}

/** A value on one line; of an object, what the other one does not have as well. */
function excerpt(value: unknown, other: unknown): string {
  if (value === undefined) return 'not set';
  const own = isObject(value) && isObject(other) ? Object.entries(value).filter(([key, part]) => !isDeepStrictEqual(part, other[key])) : [];
  const text = own.length > 0 ? own.map(([key, part]) => `${key} ${String(part)}`).join(', ') : JSON.stringify(value);
  return text.length > 72 ? `${text.slice(0, 72)}…` : text;
}
