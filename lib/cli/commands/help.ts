import { readFlags } from '../args.ts';
import { exitCodes, UsageError } from '../failure.ts';
import { columnsOf, commandHelp, helpText } from '../help.ts';
import { print } from '../terminal.ts';
import { commandLike, commandNamed, commandNames } from './index.ts';
import type { Command } from './command.ts';

export const help: Command = {
  name: 'help',
  summary: 'say what a command does and which flags it has',
  usage: ['[COMMAND]'],
  groups: [],
  async run(argv) {
    const [name, ...others] = readFlags(this.groups, argv, this.name).words;
    const columns = columnsOf(process.stdout);
    if (others.length > 0) throw new UsageError('help is for one command at a time: name one');
    const command = await commandNamed(name);
    if (name !== undefined && !command) {
      const meant = commandLike(name);
      const remedy = meant === undefined ? `it must be one of ${commandNames.join(', ')}` : `did you mean ${meant}?`;
      throw new UsageError(`there is no command "${name}": ${remedy}`);
    }
    print(command ? await commandHelp(command, columns) : await helpText(columns));
    return exitCodes.ok;
  },
};
