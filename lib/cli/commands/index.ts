import { edits } from '../../nearest.ts';
import type { Command } from './command.ts';

/** All commands, in the order of the help. Only the one that runs is loaded. */
const table: Record<string, () => Promise<Command>> = {
  generate: async () => (await import('./generate.ts')).generate,
  eval: async () => (await import('./eval.ts')).evaluation,
  explain: async () => (await import('./explain.ts')).explain,
  inspect: async () => (await import('./inspect.ts')).inspect,
  chat: async () => (await import('./chat.ts')).chat,
  serve: async () => (await import('./serve.ts')).serve,
  'rpc-server': async () => (await import('./rpc-server.ts')).rpcServer,
  doctor: async () => (await import('./doctor.ts')).doctor,
  pull: async () => (await import('./pull.ts')).pull,
  models: async () => (await import('./models.ts')).models,
  pairs: async () => (await import('./pairs.ts')).pairs,
  calibrate: async () => (await import('./calibrate.ts')).calibrate,
  build: async () => (await import('./build.ts')).build,
  completion: async () => (await import('./completion.ts')).completion,
  help: async () => (await import('./help.ts')).help,
};

export const commandNames: readonly string[] = Object.keys(table);

export function isCommand(word: string): boolean {
  return Object.hasOwn(table, word);
}

/** The command of this name, if there is one. */
export async function commandNamed(name: string | undefined): Promise<Command | undefined> {
  return name !== undefined && isCommand(name) ? table[name]?.() : undefined;
}

/** All of them, loaded. */
export function allCommands(): Promise<Command[]> {
  return Promise.all(Object.values(table).map((load) => load()));
}

/** The command that a word looks like, if it looks like one: a letter off, or two neighbours that changed places. */
export function commandLike(word: string): string | undefined {
  if (!/^[a-z]{3,}$/.test(word) || isCommand(word)) return undefined;
  return commandNames.find((name) => edits(word, name) <= (isSwapped(word, name) ? 2 : 1));
}

/** `caht` for `chat`: two neighbours changed places. */
function isSwapped(word: string, name: string): boolean {
  const at = [...name].findIndex((letter, index) => letter !== word[index]);
  return name.slice(0, at) + name.charAt(at + 1) + name.charAt(at) + name.slice(at + 2) === word;
}
