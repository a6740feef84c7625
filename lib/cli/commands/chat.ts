import { readFlags, refuseContradictions } from '../args.ts';
import { Chat } from '../chat/chat.ts';
import { Lines } from '../chat/lines.ts';
import { sessionFrom, slashWords } from '../chat/slash.ts';
import { exitCodes, UsageError } from '../failure.ts';
import { flagsNamed, groupsNamed } from '../flags.ts';
import { load } from '../load.ts';
import type { Command } from './command.ts';

export const chat: Command = {
  name: 'chat',
  summary: 'ask and go on asking, with the aligned words marked',
  usage: ['[flags]'],
  about: `Each line is a question, to which the chat so far belongs. Commands begin with a slash: /why shows who wrote each word of the \
last answer and why, /base and /aligned ask one model alone, /gamma changes γ, and /help lists all of them. Ctrl-C stops an answer, Ctrl-D \
leaves. What is pasted is one text, with all its lines. Where the context is full, the oldest questions are left out.`,
  groups: [
    {
      title: 'Chat',
      flags: [
        { name: 'load', value: 'FILE', about: 'go on with a chat that /save has written' },
        { name: 'json', about: 'print each answer as one JSON object on a line, and all else on stderr' },
      ],
    },
    ...groupsNamed('models', 'generation', 'prompts').map((group) => ({
      ...group,
      // The chat has its own way of these.
      flags: group.flags.filter(({ name }) => name !== 'fit' && name !== 'prefill'),
    })),
    ...groupsNamed('engine').map((group) => ({ ...group, flags: group.flags.filter(({ name }) => name !== 'parallel') })),
    {
      title: 'Output',
      flags: flagsNamed('thinking').map((flag) => ({
        ...flag,
        about: 'let a model think that can, and show its thinking dimmed, above the answer',
      })),
    },
  ],
  notes: `Piped in, each line is asked in turn, without prompts and remarks:
  printf 'What is a harbor?\\nAnd a blur?\\n' | nudging chat

NO_COLOR=1 marks the aligned model's words with brackets, on a terminal; /marks changes it.`,
  async run(argv, interrupt) {
    const { load: options, values, switches, words } = readFlags(this.groups, argv, this.name);
    if (words.length > 0) throw new UsageError(`questions are written in the chat: leave out "${words[0]}"`);
    refuseContradictions(options);
    const session = typeof values['load'] === 'string' ? await sessionFrom(values['load']) : { system: '', messages: [], settings: {} };
    const { system, ...loaded } = options;
    const nudging = await load({ parallel: 1, ...loaded }, interrupt.signal, switches.has('verbose'));
    const interactive = process.stdin.isTTY === true && process.stdout.isTTY === true;
    const lines = new Lines({ input: process.stdin, output: process.stdout, interactive, words: slashWords });
    const leave = () => lines.close();
    interrupt.signal.addEventListener('abort', leave);
    try {
      const running = new Chat(
        { nudging, loaded, lines, interactive, json: switches.has('json'), signal: interrupt.signal },
        { ...session, system: system ?? session.system },
      );
      await running.run();
      return interrupt.exitCode ?? (running.failed && !interactive ? exitCodes.failed : exitCodes.ok);
    } finally {
      interrupt.signal.removeEventListener('abort', leave);
      lines.close();
      await nudging.close();
    }
  },
};
