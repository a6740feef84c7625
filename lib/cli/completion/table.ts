import { knownFlags } from '../args.ts';
import { allCommands } from '../commands/index.ts';
import { ruleOf, type Flag } from '../flags.ts';

/** What can be completed behind a word: paths, or some words, or nothing that is known. */
export type Choice = 'files' | readonly string[] | undefined;

/** A flag, as far as completion is concerned. */
export interface CompletedFlag {
  name: string;
  about: string;
  /** What stands for its value in the help; missing: a switch. */
  value?: string;
  choice: Choice;
}

export interface CompletedCommand {
  name: string;
  summary: string;
  usage: readonly string[];
  flags: CompletedFlag[];
  words: Choice;
}

/** All commands and their flags, from the tables that parsing and help read. */
export async function completionTable(): Promise<CompletedCommand[]> {
  return (await allCommands()).map(({ name, summary, usage, groups, words }) => ({
    name,
    summary,
    usage,
    flags: knownFlags(groups).map(completed),
    words,
  }));
}

function completed(flag: Flag): CompletedFlag {
  const { name, about, value } = flag;
  return { name, about, ...(value === undefined ? {} : { value }), choice: value === undefined ? undefined : choiceOf(flag) };
}

/** Words that a flag takes are stated in its rule. */
function choiceOf(flag: Flag): Choice {
  if (flag.value === 'FILE') return 'files';
  const words = /one of ((?:"[^"]*"(?:, )?)+)/.exec(ruleOf(flag)?.expected ?? '')?.[1];
  return words === undefined ? undefined : [...words.matchAll(/"([^"]*)"/g)].map(([, word = '']) => word);
}
