import { readArguments } from '../args.ts';
import { batch } from '../batch.ts';
import { exitCodes } from '../failure.ts';
import { groups } from '../flags.ts';
import { generate as answer } from '../generate.ts';
import { columnsOf, helpText } from '../help.ts';
import { print } from '../terminal.ts';
import { versionText } from '../version.ts';
import type { Command } from './command.ts';

/** The command that is meant where none is named. */
export const generate: Command = {
  name: 'generate',
  summary: 'answer a question, or many (the word may be left out)',
  usage: ['"question" [flags]', '--input FILE [flags]'],
  groups,
  help: helpText,
  async run(argv, interrupt) {
    const args = readArguments(argv);
    if (args.action === 'version') print(versionText());
    else if (args.action === 'help') print(await helpText(columnsOf(process.stdout)));
    else return args.input === undefined ? answer(args, interrupt) : batch({ ...args, input: args.input }, interrupt);
    return exitCodes.ok;
  },
};
