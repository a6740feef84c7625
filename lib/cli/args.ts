import { parseArgs } from 'node:util';
import { buffersIn } from '../kernels.ts';
import { mustBeUsed } from '../mode-options.ts';
import { nearest } from '../nearest.ts';
import { guardIn } from '../guard.ts';
import { ruleIn } from '../rule.ts';
import { templateVariables } from '../template-options.ts';
import { readTextFileSync } from '../text-file.ts';
import type { LoadOptions, TemplateOptions, TemplateValue, TensorOverride } from '../types.ts';
import { commandLike, isCommand } from './commands/index.ts';
import { fileFailure, UsageError } from './failure.ts';
import { readRemote } from './remote-flags.ts';
import { flags, flagsNamed, inFlagNames, ruleOf, type Flag, type FlagGroup } from './flags.ts';

/** A command line, checked. */
export interface Arguments {
  action: 'generate' | 'help' | 'version';
  /** Missing: standard input, if it is piped. */
  question?: string;
  /** What goes to the library: models, and the settings of every answer. */
  load: LoadOptions;
  input?: string;
  output?: string;
  /** Go on with an output that was made with something else. */
  append: boolean;
  json: boolean;
  trace: boolean;
  verbose: boolean;
}

/** What a command line's flags say. */
export interface GivenFlags {
  /** Options of the library: models, and the settings of every answer. */
  load: LoadOptions;
  /** By name, the values of flags that set no option. */
  values: Readonly<Record<string, unknown>>;
  /** Names of the switches that were given. */
  switches: ReadonlySet<string>;
  /** What is no flag, in order; from this index on behind `--`. */
  words: string[];
  literalFrom: number;
}

/** Every command has these. What they do is done for all (run.ts). */
export const commonFlags = flagsNamed('verbose', 'help');

/**
 * Sorts and checks a command line by the flags of a command; `--verbose` and `--help` are always among them.
 *
 * @param name of the command, for the remedy of an unknown flag
 * @throws UsageError
 */
export function readFlags(groups: readonly FlagGroup[], argv: readonly string[], name?: string): GivenFlags {
  return settings(sort(knownFlags(groups), argv, name));
}

/** The flags of a command with these groups. */
export function knownFlags(groups: readonly FlagGroup[]): Flag[] {
  const own = groups.flatMap((group) => group.flags);
  return [...own, ...commonFlags.filter((flag) => !own.some((each) => each.name === flag.name))];
}

/** The command line of `nudging "question"`. @throws UsageError */
export function readArguments(argv: readonly string[]): Arguments {
  const sorted = sort(flags, argv);
  const { switches } = sorted;
  // Help must be reachable from a command line that is wrong otherwise.
  const action = switches.has('help') ? 'help' : switches.has('version') ? 'version' : 'generate';
  const given = {
    append: switches.has('append'),
    json: switches.has('json'),
    trace: switches.has('trace'),
    verbose: switches.has('verbose'),
  };
  if (action !== 'generate') return { action, load: {}, ...given };

  const { load, values, words, literalFrom } = settings(sorted);
  const args: Arguments = { action, load, ...given, ...values };
  if (args.trace) load.trace = 'full';
  if (words[0] === 'generate' && literalFrom > 0) words.shift();
  else if (literalFrom > 0) refuseMisplacedCommand(words);
  if (words.length > 1) {
    const shown = `"${words[0]}", "${words[1]}"${words.length > 2 ? ', …' : ''}`;
    throw new UsageError(
      `${words.length} questions were given (${shown}): put one question in quotes, or pass a file of them with --input`,
    );
  }
  if (words[0] !== undefined) args.question = words[0];
  checkTogether(args);
  return args;
}

/**
 * A command is the first word of a command line. One behind flags would be taken for a question; one that is misspelt beside others, too.
 */
function refuseMisplacedCommand([first, second]: readonly string[]): void {
  if (first === undefined) return;
  const ask = `put the whole question in quotes, or ask this one with nudging generate "${first}"`;
  if (isCommand(first)) throw new UsageError(`"${first}" is a command, and flags stand before it: write nudging ${first} first, or ${ask}`);
  const meant = second === undefined ? undefined : commandLike(first);
  if (meant !== undefined) throw new UsageError(`there is no command "${first}": did you mean nudging ${meant}? If not, ${ask}`);
}

interface Sorted extends Pick<GivenFlags, 'switches' | 'words' | 'literalFrom'> {
  known: readonly Flag[];
  texts: Map<Flag, string[]>;
}

/** Splits the arguments by kind. Strict parsing would throw errors of its own, without a remedy. */
function sort(known: readonly Flag[], argv: readonly string[], name?: string): Sorted {
  const options = Object.fromEntries(
    known.map((flag) => [
      flag.name,
      { type: flag.value ? 'string' : 'boolean', multiple: true, ...(flag.name === 'help' ? { short: 'h' } : {}) } as const,
    ]),
  );
  const { tokens } = parseArgs({ args: [...argv], options, strict: false, allowPositionals: true, tokens: true });
  const texts = new Map<Flag, string[]>();
  const switches = new Set<string>();
  const words: string[] = [];
  let literalFrom = Infinity;
  for (const token of tokens) {
    if (token.kind === 'positional') words.push(token.value);
    if (token.kind === 'option-terminator') literalFrom = words.length;
    if (token.kind !== 'option') continue;
    const flag = known.find((each) => each.name === token.name);
    if (!flag) throw unknown(token.rawName, known, name);
    if (!flag.value) {
      if (token.value !== undefined) throw new UsageError(`--${flag.name} takes no value: leave out "=${token.value}"`);
      switches.add(flag.name);
      continue;
    }
    // `--pair --json` is a forgotten value; a text that begins like a flag can still be given with "=".
    const forgotten = token.value === undefined || (!token.inlineValue && known.some((each) => token.value === `--${each.name}`));
    if (forgotten) throw new UsageError(`--${flag.name} needs a value: write --${flag.name} ${flag.value}`);
    texts.set(flag, [...(texts.get(flag) ?? []), token.value as string]);
  }
  return { known, texts, switches, words, literalFrom };
}

/** Makes values of the texts. */
function settings({ known, texts, switches, words, literalFrom }: Sorted): GivenFlags {
  const load: LoadOptions = {};
  const values: Record<string, unknown> = {};
  for (const [flag, given] of texts) {
    if (flag.option !== undefined) Object.assign(load, { [flag.option]: settingOf(flag, given) });
    else values[flag.name] = settingOf(flag, given);
  }
  readRemote(load, values);
  if (switches.has('no-stop') && load.stop !== undefined) {
    throw new UsageError('--stop and --no-stop were given: leave out one of them');
  }
  for (const { name, option, sets = true } of known) {
    if (option !== undefined && switches.has(name)) Object.assign(load, { [option]: sets });
  }
  return { load, values, switches, words, literalFrom };
}

function unknown(rawName: string, known: readonly Flag[], name?: string): UsageError {
  const meant = rawName.startsWith('--')
    ? nearest(
        rawName.slice(2),
        known.map((flag) => flag.name),
      )
    : undefined;
  const help = `see nudging ${name === undefined ? '' : `${name} `}--help`;
  return new UsageError(`unknown flag ${rawName}: ${meant === undefined ? help : `did you mean --${meant}?`}`);
}

/** How a flag's text, the last of all that were given, becomes a value. */
const readers: Record<NonNullable<Flag['kind']>, (flag: Flag, text: string, texts: string[]) => unknown> = {
  number: (_, text) => numberOrWord(text),
  lanes: (_, text) => lanesIn(text),
  commas: (_, text) => text.split(',').map((part) => part.trim()),
  'lane-lists': (_, text) => lanesIn(text, listIn),
  overrides: (_, __, texts) => overridesIn(texts),
  file: contentOf,
  list: (_, __, texts) => texts,
  names: (_, text) => buffersIn(text),
  json: jsonIn,
  members: (flag, _, texts) => membersIn(flag, texts),
  rule: (_, text) => ruleIn(text),
  guard: (_, text) => guardIn(text),
};

function settingOf(flag: Flag, texts: string[]): unknown {
  const text = lastOf(texts);
  const value = flag.kind === undefined ? text : readers[flag.kind](flag, text, texts);
  const rule = ruleOf(flag);
  if (rule && !rule.check(value)) {
    const expected =
      flag.kind === 'list'
        ? 'a non-empty text'
        : flag.kind === 'lanes'
          ? rule.expected.replace(/, or \{ base, aligned \} .*/, ', or base=N,aligned=N with such values')
          : flag.kind === 'lane-lists'
            ? 'values with / between them, as A/B, or base=A/B,aligned=B; see --help'
            : flag.kind === 'overrides'
              ? 'PATTERN=DEVICE, such as ffn_.*_exps=CPU, or with base: or aligned: in front of it'
              : rule.expected;
    if (flag.kind === 'file') throw new UsageError(`the file of --${flag.name} "${text}" is empty: write a template into it`);
    const blamed = rule.blame?.(value).expected ?? expected;
    const inWords = flag.kind === 'rule' ? blamed.replace(/, or an object .*/, ', alone or with parameters as in bet:lambda=0.1') : blamed;
    const ofGuard = flag.kind === 'guard' ? blamed.replace(/^true or false, or an object .*/, 'on, off, or every=N,tokens=N') : inWords;
    throw new UsageError(`--${flag.name} cannot be "${text}": it must be ${ofGuard}`);
  }
  return value;
}

/** NaN for what is no number, so that the option's rule refuses it. `Number` alone takes "" for 0 and knows hexadecimal. */
function numberIn(text: string): number {
  return /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text) ? Number(text) : Number.NaN;
}

/** Some options take a word in place of a number, such as `auto`: which, is for the rule to judge. */
function numberOrWord(text: string): unknown {
  if (text === 'true' || text === 'false') return text === 'true';
  const value = numberIn(text);
  return Number.isNaN(value) ? text : value;
}

/** `8`, or `base=8,aligned=-1`, or one of the two; words likewise. */
function lanesIn(text: string, valueIn: (text: string) => unknown = numberOrWord): unknown {
  if (!text.includes('=')) return valueIn(text);
  return Object.fromEntries(
    text.split(',').map((part) => {
      const [lane = '', value = ''] = part.split('=', 2);
      return [lane.trim(), valueIn(value.trim())];
    }),
  );
}

/** `CUDA0/CUDA1`, or `3/1`. */
function listIn(text: string): unknown[] {
  return text.split('/').map((part) => numberOrWord(part.trim()));
}

/** `PATTERN=DEVICE`, for both models or with the name of one in front: `base:PATTERN=DEVICE`. */
function overridesIn(texts: string[]): unknown {
  const lanes = { base: [] as TensorOverride[], aligned: [] as TensorOverride[] };
  for (const text of texts) {
    const [, lane, pattern = '', device = ''] = /^(?:(base|aligned):)?(.*)=([^=]*)$/s.exec(text) ?? [];
    const override = { pattern, device };
    if (lane !== 'aligned') lanes.base.push(override);
    if (lane !== 'base') lanes.aligned.push(override);
  }
  return lanes;
}

function jsonIn(flag: Flag, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new UsageError(`--${flag.name} cannot be "${text}": it is not JSON (${(error as Error).message})`);
  }
}

/** `NAME=JSON`, several times. */
function membersIn(flag: Flag, texts: string[]): TemplateOptions {
  const members = Object.fromEntries(
    texts.map((text) => {
      const end = text.indexOf('=');
      try {
        if (end > 0) return [text.slice(0, end), JSON.parse(text.slice(end + 1)) as TemplateValue];
      } catch {
        // Said below.
      }
      const example = `such as enable_thinking=true or, with double quotes that reach the command, effort='"low"'`;
      throw new UsageError(`--${flag.name} cannot be "${text}": it must be NAME=JSON, ${example}`);
    }),
  );
  try {
    templateVariables(members);
  } catch (error) {
    throw new UsageError(inFlagNames((error as Error).message));
  }
  return members;
}

function contentOf(flag: Flag, path: string): string {
  let text: string;
  try {
    text = readTextFileSync(path);
  } catch (error) {
    throw fileFailure(error, `the file of --${flag.name}`, path);
  }
  const asks = flag.option === 'basePrompt' || flag.option === 'inContextPrompt';
  if (asks && text !== '' && !text.includes('{question}')) {
    throw new UsageError(`the file of --${flag.name} "${path}" has no {question}: write {question} where the question belongs`);
  }
  return text;
}

/** Refuses one model of a pair, with neither the other nor a manifest to take it from. @throws UsageError */
export function refuseHalfPair(load: LoadOptions): void {
  if (load.pair === undefined && (load.base === undefined) !== (load.aligned === undefined)) {
    const [given, missing] = load.base === undefined ? ['aligned', 'base'] : ['base', 'aligned'];
    throw new UsageError(`--${given} is half a pair: add --${missing}, or --pair for the rest`);
  }
}

/** Refuses flags that do not go together, of commands that generate. @throws UsageError; NudgingError ERR_INVALID_OPTION */
export function refuseContradictions(load: LoadOptions): void {
  refuseHalfPair(load);
  mustBeUsed(load, load);
}

function checkTogether({ question, load, input, output, append }: Arguments): void {
  refuseContradictions(load);
  if (question !== undefined && question.trim() === '') throw new UsageError('the question is empty: write one in quotes');
  if (input === '') throw new UsageError('--input names no file: pass a JSONL file, or - for standard input');
  if (output === '') throw new UsageError('--output names no file: pass the path of a JSONL file');
  if (input !== undefined && question !== undefined) throw new UsageError('a question and --input were given: leave out one of them');
  if (output !== undefined && input === undefined)
    throw new UsageError('--output is for many questions: add --input, or redirect one answer with >');
  if (append && output === undefined) throw new UsageError('--append is for --output: name the file to go on with');
}

function lastOf(values: string[]): string {
  return values[values.length - 1] as string;
}
