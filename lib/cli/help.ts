import type { Command } from './commands/command.ts';
import { allCommands } from './commands/index.ts';
import { commonFlags } from './args.ts';
import { exitCodes } from './failure.ts';
import { groups, ruleOf, type Flag, type FlagGroup } from './flags.ts';
import { entry, prose } from './layout.ts';

export { columnsOf } from './layout.ts';

/** The text of --help. */
export async function helpText(columns: number): Promise<string> {
  const list = (lines: readonly (readonly [head: string, text: string])[], indent: number) =>
    lines.map(([head, text]) => entry(head, text, indent, columns)).join('');
  const commands = await allCommands();
  return [
    prose(intro, columns),
    `Usage\n${list(usage, 42)}`,
    `${prose('Commands (nudging help COMMAND says more)', columns)}${list(
      commands.map(({ name, summary }) => [name, summary]),
      16,
    )}`,
    `Examples\n${list(examples, 42)}`,
    ...groups.map((group) => groupText(group, columns)),
    prose(rows, columns),
    `Exit codes\n${list(
      exits.map(([code, text]) => [String(code), text]),
      8,
    )}`,
  ].join('\n');
}

/** The text of `nudging NAME --help`. */
export async function commandHelp(command: Command, columns: number): Promise<string> {
  if (command.help) return command.help(columns);
  const { name, summary, usage: ways, about, groups: own, notes } = command;
  const known = own.flatMap((group) => group.flags.map((flag) => flag.name));
  const common: FlagGroup = { title: 'Always', flags: commonFlags.filter((flag) => !known.includes(flag.name)) };
  return [
    prose(`nudging ${name}: ${summary}.`, columns),
    `Usage\n${ways.map((way) => entry(`nudging ${name} ${way}`.trimEnd(), '', 42, columns)).join('')}`,
    about === undefined ? '' : prose(about, columns),
    ...[...own, common].filter(({ flags }) => flags.length > 0).map((group) => groupText(group, columns)),
    notes === undefined ? '' : prose(notes, columns),
    prose('Exit codes: see nudging help.', columns),
  ]
    .filter(Boolean)
    .join('\n');
}

const intro = `nudging: a big base model writes; where it is unsure of its next word, a small aligned model supplies it.
So a base model answers like an assistant, without any training of its own.`;

const usage = [
  ['nudging "question" [flags]', 'one answer, shown as it is made'],
  ['nudging generate "question" [flags]', 'the same, also for a question that is called like a command'],
  ['nudging --input FILE [flags]', 'many questions from a JSONL file'],
  ['nudging COMMAND …', 'something else, see below'],
] as const;

const examples = [
  ['nudging "What is a harbor?"', 'the demonstration pair; nudged words in colour'],
  ['nudging --base 70b.gguf --aligned 7b-chat.gguf --gamma 0.4 "Why is the sky blue?"', ''],
  ['echo "What is a harbor?" | nudging --json | jq .stats.nudgeRatio', ''],
  ['nudging --input questions.jsonl --output answers.jsonl --parallel 4', ''],
] as const;

const rows = `Rows of --input are one of
  {"question": "What is a harbor?"}
  {"messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hello"}]}
  {"base": "Question: …\\nAnswer:\\n", "aligned": "<|im_start|>user\\n…"}   raw prompts, used as they are
and may have "templateOptions" (an object) and "prefill" (a text, or true: the last message is the
assistant's), and any other fields beside them. They hold no settings: those are flags, for all rows,
and a field that looks like one (max_tokens, temprature) is warned of. Each answer is one line that
holds its input row, untouched, under "row", so that no field of yours can clash with one of the answer:
  {"row": {…}, "text": …, "stopReason": …, "rounds": […], "pieces": […], "stats": {…}}
  {"row": {…}, "error": {"code": …, "message": …}}   this row's prompt failed; the others go on
All rows are checked before a model is loaded. An --output that exists is continued after its last
complete row, if its rows are the input's and were made with the same models and settings: the first
row that a command writes says with which, under "madeWith" (version, names, sizes and times of the
model files, prompts, and every setting that changes answers; not how many threads or rows at once).
Where they differ, nothing is written, unless --append is given: then the first row with other ones
says so. After Ctrl-C the complete answers are kept, and the same command goes on from there.

Colour: nudged words are coloured on a terminal. NO_COLOR=1 turns that off, FORCE_COLOR=1 turns it on
for a pipe.`;

const exits = [
  [exitCodes.ok, 'done'],
  [exitCodes.failed, 'failed while running, or some rows of --input have an error'],
  [exitCodes.usage, 'something in the command, a file or a model must be mended: one line says what'],
  [exitCodes.interrupted, 'interrupted: Ctrl-C ends with what is there, a second one ends at once'],
] as const;

function groupText(group: FlagGroup, columns: number): string {
  return `${prose(group.title, columns)}${group.flags.map((flag) => flagText(flag, columns)).join('')}`;
}

function flagText(flag: Flag, columns: number): string {
  const text = [flag.about, range(flag), flag.otherwise === undefined ? '' : `default: ${flag.otherwise}`].filter(Boolean).join('; ');
  return entry(`--${flag.name}${flag.value ? ` ${flag.value}` : ''}`, text, 26, columns);
}

/** The numbers that a flag allows, from its rule. */
function range(flag: Flag): string {
  if (flag.kind !== 'number' && flag.kind !== 'lanes') return '';
  return / from (\S+ to [^\s,]+)/.exec(ruleOf(flag)?.expected ?? '')?.[1] ?? '';
}
