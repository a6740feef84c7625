import { mustBeUsed } from '../mode-options.ts';
import { nearest } from '../nearest.ts';
import { check, generateRules } from '../options.ts';
import type { GenerateOptions, Mode } from '../types.ts';
import { EvaluationError } from './evaluation-error.ts';

/** What answers: one of the models alone, or both together in some way. */
export interface System {
  /** Its kind and settings as `--system` takes them, such as `nudged:gamma=0.3`: what tells it from others in a file of results. */
  name: string;
  /** `large`: the third model, alone. The others are the pair. */
  engine: 'pair' | 'large';
  options: GenerateOptions & { mode: Mode };
}

/** Names of systems, beside the engine's own modes. */
const kinds: Readonly<Record<string, Pick<System, 'engine'> & { mode: Mode }>> = {
  base: { engine: 'pair', mode: 'base' },
  aligned: { engine: 'pair', mode: 'aligned' },
  nudged: { engine: 'pair', mode: 'nudge' },
  large: { engine: 'large', mode: 'aligned' },
};

/** Options that a task, the run or the name itself decides. */
const notTheirs: ReadonlySet<string> = new Set(['mode', 'system', 'basePrompt', 'prefill', 'trace', 'signal', 'highWaterMark', 'timeout']);

/**
 * Reads `KIND` or `KIND:option=value,option=value`. A kind is base, aligned, nudged, large, or any mode that the engine has; the options
 * are those of `generate`. A value is JSON, or else a text as it stands.
 *
 * @throws EvaluationError
 */
export function readSystem(text: string): System {
  const end = text.indexOf(':');
  const kind = (end === -1 ? text : text.slice(0, end)).trim();
  const known = Object.hasOwn(kinds, kind) ? kinds[kind] : modeNamed(kind);
  if (!known) {
    const meant = nearest(kind, Object.keys(kinds));
    throw new EvaluationError(
      `there is no system "${kind}": ${meant === undefined ? `it must be ${kindsText}` : `did you mean ${meant}?`}`,
    );
  }
  const options = Object.fromEntries(end === -1 ? [] : splitOutside(text.slice(end + 1)).map((part) => settingIn(part, text)));
  try {
    check(options, generateRules, 'options');
    mustBeUsed(options, { ...options, mode: known.mode });
  } catch (error) {
    throw new EvaluationError(`the system "${text}" is wrong: ${(error as Error).message.replaceAll('`', '"')}`);
  }
  return { name: nameOf(kind, options), engine: known.engine, options: { ...options, mode: known.mode } };
}

const kindsText = `${Object.keys(kinds).join(', ')}, or a mode of the engine`;

function modeNamed(kind: string): (typeof kinds)[string] | undefined {
  return generateRules['mode']?.check(kind) ? { engine: 'pair', mode: kind as Mode } : undefined;
}

function nameOf(kind: string, options: Record<string, unknown>): string {
  const settings = Object.entries(options).map(([name, value]) => `${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`);
  return settings.length === 0 ? kind : `${kind}:${settings.join(',')}`;
}

function settingIn(part: string, whole: string): [string, unknown] {
  const end = part.indexOf('=');
  if (end < 1) throw new EvaluationError(`the system "${whole}" has "${part}", which is no setting: write option=value`);
  const name = part.slice(0, end).trim();
  if (notTheirs.has(name))
    throw new EvaluationError(`the system "${whole}" sets "${name}", which its name, the tasks or a flag decide: leave it out`);
  const text = part.slice(end + 1).trim();
  try {
    return [name, JSON.parse(text)];
  } catch {
    return [name, text];
  }
}

/** Parts between commas that stand in no quotes, brackets or braces. */
export function splitOutside(text: string): string[] {
  const parts: string[] = [];
  let depth = 0;
  let quoted = false;
  let start = 0;
  for (let at = 0; at < text.length; at += 1) {
    const letter = text.charAt(at);
    if (quoted && letter === '\\') at += 1;
    else if (letter === '"') quoted = !quoted;
    else if (!quoted && '[{'.includes(letter)) depth += 1;
    else if (!quoted && ']}'.includes(letter)) depth -= 1;
    else if (!quoted && depth === 0 && letter === ',') {
      parts.push(text.slice(start, at));
      start = at + 1;
    }
  }
  return [...parts, text.slice(start)].map((part) => part.trim());
}

/** What is compared. */
export interface WantedSystems {
  /** Kinds, `nudged` standing for one system per γ. */
  names: readonly string[];
  gammas: readonly number[];
  /** Further ones, written out. */
  specs: readonly string[];
  /** Whether there is a third model. */
  large: boolean;
}

/** All systems in order, each once. @throws EvaluationError */
export function expandSystems({ names, gammas, specs, large }: WantedSystems): System[] {
  const texts = names.flatMap((name) => (name === 'nudged' ? gammas.map((gamma) => `nudged:gamma=${gamma}`) : [name]));
  if (large && !names.includes('large')) texts.push('large');
  const systems = [...texts, ...specs].map(readSystem);
  if (!large && systems.some(({ engine }) => engine === 'large')) {
    throw new EvaluationError('the system "large" needs a third model: name its file with --large');
  }
  if (systems.length === 0) throw new EvaluationError('there is no system to evaluate: name some with --systems');
  return [...new Map(systems.map((system) => [system.name, system])).values()];
}
