import { readFlags } from '../args.ts';
import { bashCompletion } from '../completion/bash.ts';
import { fishCompletion } from '../completion/fish.ts';
import { completionTable, type CompletedCommand } from '../completion/table.ts';
import { zshCompletion } from '../completion/zsh.ts';
import { exitCodes, UsageError } from '../failure.ts';
import { print } from '../terminal.ts';
import type { Command } from './command.ts';

const shells: Readonly<Record<string, (commands: readonly CompletedCommand[]) => string>> = {
  bash: bashCompletion,
  zsh: zshCompletion,
  fish: fishCompletion,
};

export const completion: Command = {
  name: 'completion',
  summary: 'print a script that completes commands and flags in a shell',
  usage: Object.keys(shells),
  about: `The script knows the commands and flags of this version. In the file that your shell reads when it starts:
  bash    source <(nudging completion bash)
  zsh     source <(nudging completion zsh)      behind compinit
  fish    nudging completion fish | source`,
  groups: [],
  words: Object.keys(shells),
  async run(argv) {
    const [shell, ...others] = readFlags(this.groups, argv, this.name).words;
    const names = Object.keys(shells).join(', ');
    if (shell === undefined || others.length > 0)
      throw new UsageError(`completion is for one shell: name ${names.replace(/, (\w+)$/, ' or $1')}`);
    if (!Object.hasOwn(shells, shell)) throw new UsageError(`there is no completion for "${shell}": it must be one of ${names}`);
    print((shells[shell] as (typeof shells)[string])(await completionTable()));
    return exitCodes.ok;
  },
};
