import { readFlags } from '../args.ts';
import { completionTable } from '../completion/table.ts';
import { exitCodes, UsageError } from '../failure.ts';
import { columnsOf, commandHelp, helpText } from '../help.ts';
import { methodsHelp } from '../methods-help.ts';
import { print } from '../terminal.ts';
import { commandLike, commandNamed, commandNames } from './index.ts';
import type { Command } from './command.ts';

export const help: Command = {
  name: 'help',
  summary: 'say what a command does and which flags it has',
  usage: ['[COMMAND]', 'methods'],
  about: 'nudging help methods lists the ways to an answer, on one screen, with the flags of each.',
  groups: [{ title: 'Output', flags: [{ name: 'json', about: 'print all commands and their flags as one JSON object' }] }],
  words: [...commandNames, 'methods'],
  async run(argv) {
    const { switches, words } = readFlags(this.groups, argv, this.name);
    const [name, ...others] = words;
    const columns = columnsOf(process.stdout);
    if (others.length > 0) throw new UsageError('help is for one command at a time: name one');
    if (name === 'methods' && !switches.has('json')) {
      print(methodsHelp(columns));
      return exitCodes.ok;
    }
    const command = await commandNamed(name);
    if (name !== undefined && !command) {
      const meant = commandLike(name);
      const remedy = meant === undefined ? `it must be one of ${commandNames.join(', ')}` : `did you mean ${meant}?`;
      throw new UsageError(`there is no command "${name}": ${remedy}`);
    }
    if (switches.has('json')) {
      const table = await completionTable();
      print(`${JSON.stringify({ commands: name === undefined ? table : table.filter((each) => each.name === name), exitCodes })}\n`);
      return exitCodes.ok;
    }
    print(command ? await commandHelp(command, columns) : await helpText(columns));
    return exitCodes.ok;
  },
};
