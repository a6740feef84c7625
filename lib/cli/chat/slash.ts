import { readFile, writeFile } from 'node:fs/promises';
import { defaults } from '../../defaults.ts';
import { explanationText } from '../../explain/index.ts';
import { nearest } from '../../nearest.ts';
import { readTextFile } from '../../text-file.ts';
import type { GenerateOptions, LaneName } from '../../types.ts';
import { readFlags } from '../args.ts';
import { fileFailure, UsageError } from '../failure.ts';
import { groupsNamed, type Flag } from '../flags.ts';
import { columnsOf, entry, prose } from '../layout.ts';
import { palette } from '../terminal.ts';
import type { Chat } from './chat.ts';
import { readSession, savedSession } from './session.ts';

/** What a line that begins with a slash does. */
interface Slash {
  name: string;
  /** What may stand behind it. */
  value?: string;
  about: string;
  run(chat: Chat, argument: string): void | Promise<void>;
}

/** Flags that a chat can change while it goes on. */
const changeable = () =>
  groupsNamed('generation', 'prompts')
    .flatMap((group) => group.flags)
    .filter((flag) => flag.option !== undefined && !['mode', 'prefill', 'fit', 'system'].includes(flag.name));

const table: Slash[] = [
  { name: 'help', about: 'this list', run: (chat) => chat.say(helpText()) },
  {
    name: 'why',
    about: 'who wrote each word of the last answer, and why',
    run: (chat) => {
      const answer = lastOf(chat).answer;
      const styles = chat.marking === 'colour' ? palette(process.stdout) : {};
      chat.say(explanationText(answer.explain(), { columns: columnsOf(process.stdout), ...styles }));
    },
  },
  { name: 'base', about: 'what the base model alone says to the last question', run: (chat) => alone(chat, 'base') },
  { name: 'aligned', about: 'what the aligned model alone says to it', run: (chat) => alone(chat, 'aligned') },
  { name: 'gamma', value: 'P', about: 'show or change γ, below which the base defers', run: (chat, value) => set(chat, 'gamma', value) },
  {
    name: 'rule',
    value: 'RULE',
    about: 'show or change the rule by which the base defers',
    run: (chat, value) => set(chat, 'rule', value),
  },
  {
    name: 'set',
    value: 'FLAG VALUE',
    about: 'show or change another setting, by its flag: /set temperature 0.7, /set max-tokens 500',
    run: (chat, argument) => {
      const [, flag = '', value = ''] = /^(\S*)\s*([\s\S]*)$/.exec(argument) ?? [];
      if (flag !== '') return set(chat, flag.replace(/^--/, ''), value);
      chat.say(changedSettings(chat));
    },
  },
  {
    name: 'system',
    value: 'TEXT',
    about: 'show or change the system text; /system - takes it away',
    run: (chat, text) => {
      if (text !== '') chat.session.system = text === '-' ? '' : text;
      chat.say(chat.session.system === '' ? 'There is no system text.' : `System text: ${chat.session.system}`);
    },
  },
  { name: 'tokens', about: 'how long the chat is, for each model', run: tokens },
  {
    name: 'marks',
    value: 'HOW',
    about: "colour, brackets or none for the aligned model's words",
    run: (chat, how) => {
      if (how === 'colour' || how === 'color') chat.marking = 'colour';
      else if (how === 'brackets' || how === 'none') chat.marking = how;
      else if (how !== '') throw new UsageError(`/marks cannot be "${how}": it must be colour, brackets or none`);
      chat.say(`The aligned model's words are marked by: ${chat.marking}`);
    },
  },
  { name: 'save', value: 'FILE', about: 'write the chat to a file', run: save },
  { name: 'load', value: 'FILE', about: 'go on with a chat from a file', run: load },
  {
    name: 'clear',
    about: 'forget what was said; the settings stay',
    run: (chat) => {
      chat.session.messages = [];
      chat.last = undefined;
      chat.say('Forgotten.');
    },
  },
  { name: 'quit', about: 'leave, as Ctrl-D does', run: (chat) => chat.quit() },
];

export const slashWords: readonly string[] = table.map(({ name }) => `/${name}`);

/** A question may begin with a slash, such as a path; a command is one word of letters behind it. */
export function isSlash(line: string): boolean {
  return /^\/[a-z]+(\s|$)/.test(line.trim());
}

/** @throws UsageError for what is no command, or a wrong value */
export async function runSlash(chat: Chat, line: string): Promise<void> {
  const [, word = '', argument = ''] = /^\/([a-z]+)\s*([\s\S]*)$/.exec(line) ?? [];
  const found = table.find(({ name }) => name === word);
  if (!found) {
    const meant = nearest(
      word,
      table.map(({ name }) => name),
    );
    throw new UsageError(`there is no /${word}: ${meant === undefined ? '/help lists what there is' : `did you mean /${meant}?`}`);
  }
  if (found.value === undefined && argument !== '') throw new UsageError(`/${word} takes nothing behind it: leave out "${argument}"`);
  await found.run(chat, argument);
}

/** Asked with a space in front, a line with a slash is a question. */
function helpText(): string {
  const columns = columnsOf(process.stdout);
  const keys = [
    ['Ctrl-C', 'stops an answer; at the prompt it clears the line, and twice it leaves'],
    ['\\', 'at the end of a line: it goes on in the next one'],
    ['Tab, ↑, ↓', 'complete a command; earlier lines'],
  ] as const;
  return [
    ...table.map(({ name, value, about }) => entry(`/${name}${value === undefined ? '' : ` ${value}`}`, about, 20, columns)),
    '\n',
    ...keys.map(([key, about]) => entry(key, about, 20, columns)),
  ].join('');
}

function lastOf(chat: Chat) {
  if (!chat.last) {
    const since = chat.session.messages.length > 0 ? 'since the chat was loaded' : 'yet';
    throw new UsageError(`nothing was asked ${since}: write a question first`);
  }
  return chat.last;
}

/** The same question, asked of one model. It is not part of the chat. */
async function alone(chat: Chat, mode: LaneName): Promise<void> {
  await chat.answer(lastOf(chat).messages, { mode });
}

function set(chat: Chat, name: string, value: string): void {
  const flag = changeable().find((each) => each.name === name);
  if (!flag) {
    const names = changeable().map((each) => each.name);
    const meant = nearest(name, names);
    throw new UsageError(
      `there is no setting "${name}" to change here: ${meant === undefined ? `it may be ${names.join(', ')}` : `did you mean ${meant}?`}`,
    );
  }
  const option = flag.option as keyof GenerateOptions;
  if (value !== '' || flag.value === undefined) {
    const { load } = readFlags(
      groupsNamed('generation', 'prompts'),
      [flag.value === undefined ? `--${name}` : `--${name}=${value}`],
      'chat',
    );
    Object.assign(chat.session.settings, { [option]: (load as GenerateOptions)[option] });
  }
  chat.say(`${name}: ${shownValue(chat, flag)}`);
}

function shownValue(chat: Chat, { option, otherwise }: Flag): string {
  const name = option as keyof GenerateOptions;
  const value = chat.session.settings[name] ?? chat.surroundings.loaded[name] ?? (defaults as GenerateOptions)[name];
  if (value === undefined) return otherwise ?? 'not set';
  return typeof value === 'string' ? value : JSON.stringify(value);
}

function changedSettings(chat: Chat): string {
  const changed = changeable().filter(({ option }) => chat.session.settings[option as keyof GenerateOptions] !== undefined);
  const names = [...new Set(changed.map((flag) => flag.option))].map((option) => changed.find((flag) => flag.option === option) as Flag);
  if (names.length === 0) {
    const all = changeable().map((flag) => flag.name);
    return prose(`Nothing was changed. What can be: ${all.join(', ')}`, columnsOf(process.stdout));
  }
  return names.map((flag) => `${flag.name}: ${shownValue(chat, flag)}`).join('\n');
}

async function tokens(chat: Chat): Promise<void> {
  const { nudging } = chat.surroundings;
  const { messages, system } = chat.session;
  if (messages.length === 0) return chat.say('Nothing was said yet.');
  // A prompt ends with the user's message, so the last answer is counted by itself.
  const [said, answered] = [messages.slice(0, -1), messages.at(-1)?.content ?? ''];
  const lines = (['base', 'aligned'] as const).map(async (lane) => {
    const options = { lane, ...(system === '' ? {} : { system }) };
    const [prompt, answer] = await Promise.all([
      nudging.countTokens({ messages: said }, options),
      nudging.countTokens({ text: answered }, { lane }),
    ]);
    return `${lane}: ${prompt + answer} of ${nudging.models[lane].context} tokens`;
  });
  chat.say((await Promise.all(lines)).join('\n'));
}

async function save(chat: Chat, path: string): Promise<void> {
  if (path === '') throw new UsageError('/save needs a file: write /save FILE');
  await mustBeOurs(path);
  try {
    await writeFile(path, savedSession(chat.session));
  } catch (error) {
    throw fileFailure(error, 'the file', path);
  }
  chat.say(`Saved to ${path}.`);
}

/** A file that is there must be a saved chat: a mistyped name should cost nothing. */
async function mustBeOurs(path: string): Promise<void> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
    throw fileFailure(error, 'the file', path);
  }
  if (!/^\s*\{\s*"nudgingChat"/.test(text)) throw new UsageError(`"${path}" is there, and is no saved chat: choose another name`);
}

async function load(chat: Chat, path: string): Promise<void> {
  if (path === '') throw new UsageError('/load needs a file: write /load FILE');
  chat.session = await sessionFrom(path);
  chat.last = undefined;
  chat.say(`Going on with ${path}: ${chat.session.messages.length / 2} questions and answers.`);
}

/** A chat from a file. @throws UsageError */
export async function sessionFrom(path: string) {
  let text: string;
  try {
    text = await readTextFile(path);
  } catch (error) {
    throw fileFailure(error, 'the file', path);
  }
  try {
    return readSession(text);
  } catch (error) {
    throw new UsageError(`the file "${path}" ${(error as Error).message}: choose a file that /save has written`);
  }
}
