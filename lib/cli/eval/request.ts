import { defaults } from '../../defaults.ts';
import { limits } from '../../eval/task.ts';
import { splitOutside } from '../../eval/systems.ts';
import { generateRules } from '../../options.ts';
import { withPair } from '../../pair.ts';
import type { PromptStyle } from '../../eval/prompts.ts';
import type { LoadOptions } from '../../types.ts';
import { readFlags } from '../args.ts';
import { UsageError } from '../failure.ts';
import { evalGroups } from './flags.ts';

/** The command line of `nudging eval`, checked. */
export interface EvalRequest {
  load: LoadOptions;
  out?: string;
  tasks?: string[];
  data?: string;
  systems: string[];
  gammas: number[];
  specs: string[];
  large?: string;
  limit?: number;
  seed: number;
  prompts: PromptStyle;
  judge?: { url: string; model: string };
  list: boolean;
  report: boolean;
  json: boolean;
  trace: boolean;
  verbose: boolean;
}

/** The authors' seed. */
const authorsSeed = 609;

/** @throws UsageError; NudgingError ERR_PAIR_INVALID */
export async function readRequest(argv: readonly string[]): Promise<EvalRequest> {
  const { load: given, values, switches, words } = readFlags(evalGroups, argv, 'eval');
  if (words.length > 0) throw new UsageError(`eval takes flags alone, not "${words[0]}": name tasks with --tasks`);
  if (given.pair === undefined && (given.base === undefined) !== (given.aligned === undefined)) {
    const [half, missing] = given.base === undefined ? ['aligned', 'base'] : ['base', 'aligned'];
    throw new UsageError(`--${half} is half a pair: add --${missing}, or --pair for the rest`);
  }
  const { out, data, tasks, systems = 'base,aligned,nudged', gamma, system, large, limit, seed = authorsSeed, prompts = 'paper' } = values;
  if (prompts !== 'paper' && prompts !== 'pair') throw new UsageError(`--prompts cannot be "${String(prompts)}": it must be paper or pair`);
  const { judge, 'judge-model': judgeModel } = values;
  if ((judge === undefined) !== (judgeModel === undefined)) throw new UsageError('--judge and --judge-model belong together: give both');
  const load = await settingsFor(given, prompts);
  return {
    load,
    ...(out === undefined ? {} : { out: folder('out', out) }),
    ...(data === undefined ? {} : { data: folder('data', data) }),
    ...(large === undefined ? {} : { large: folder('large', large) }),
    ...(tasks === undefined ? {} : { tasks: listIn('tasks', String(tasks)) }),
    systems: listIn('systems', String(systems)),
    gammas: gamma === undefined ? [load.gamma ?? defaults.gamma] : gammasIn(String(gamma)),
    specs: (system ?? []) as string[],
    ...(limit === undefined ? {} : { limit: limit as number }),
    seed: seed as number,
    prompts,
    ...(judge === undefined ? {} : { judge: { url: String(judge), model: String(judgeModel) } }),
    list: switches.has('list'),
    report: switches.has('report'),
    json: switches.has('json'),
    trace: switches.has('trace'),
    verbose: switches.has('verbose'),
  };
}

/** The authors' limits go before the pair's own, unless its prompts are used; flags go before both. */
async function settingsFor(given: LoadOptions, prompts: PromptStyle): Promise<LoadOptions> {
  const pair = await withPair(given);
  const chosen = prompts === 'pair' ? { ...limits, ...pair } : { ...pair, ...limits };
  return { ...chosen, ...given, base: pair.base, aligned: pair.aligned };
}

function folder(flag: string, value: unknown): string {
  if (value === '') throw new UsageError(`--${flag} is empty: name a path`);
  return String(value);
}

function listIn(flag: string, text: string): string[] {
  const parts = splitOutside(text);
  if (parts.some((part) => part === '')) throw new UsageError(`--${flag} cannot be "${text}": write names with commas between them`);
  return parts;
}

function gammasIn(text: string): number[] {
  const gammas = text.split(',').map((part) => (part.trim() === '' ? Number.NaN : Number(part)));
  if (!gammas.every((gamma) => generateRules['gamma']?.check(gamma))) {
    throw new UsageError(`--gamma cannot be "${text}": it must be numbers from 0 to 2 with commas between them`);
  }
  return gammas;
}
