import { exitCodes } from './failure.ts';
import { groups, ruleOf, type Flag } from './flags.ts';

const width = 100;
const indent = 26;

/** The text of --help. */
export function helpText(): string {
  return `nudging: a big base model writes; where it is unsure of its next word, a small aligned model supplies it.
So a base model answers like an assistant, without any training of its own.

Usage
  nudging "question" [flags]              one answer, shown as it is made
  nudging generate "question" [flags]     the same
  nudging --input FILE [flags]            many questions from a JSONL file

Examples
  nudging "What is a harbor?"             the demonstration pair; nudged words in colour
  nudging --base 70b.gguf --aligned 7b-chat.gguf --gamma 0.4 "Why is the sky blue?"
  echo "What is a harbor?" | nudging --json | jq .stats.nudgeRatio
  nudging --input questions.jsonl --output answers.jsonl --parallel 4
${groups.map((group) => `\n${group.title}\n${group.flags.map(entry).join('')}`).join('')}
Rows of --input are one of
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
for a pipe.

Exit codes
  ${exitCodes.ok}    answered
  ${exitCodes.failed}    failed while running, or some rows of --input have an error
  ${exitCodes.usage}    something in the command, a file or a model must be mended: one line says what
  ${exitCodes.interrupted}  interrupted: Ctrl-C ends with what is there, a second one ends at once
`;
}

function entry(flag: Flag): string {
  const head = `  --${flag.name}${flag.value ? ` ${flag.value}` : ''}`;
  const text = [flag.about, range(flag), flag.otherwise === undefined ? '' : `default: ${flag.otherwise}`].filter(Boolean).join('; ');
  const [first = '', ...rest] = wrap(text, width - indent);
  const lines = [
    head.length < indent ? head.padEnd(indent) + first : `${head}\n${' '.repeat(indent)}${first}`,
    ...rest.map((line) => ' '.repeat(indent) + line),
  ];
  return `${lines.join('\n')}\n`;
}

/** The numbers that a flag allows, from the library's own rule. */
function range(flag: Flag): string {
  if (flag.kind !== 'number' && flag.kind !== 'lanes') return '';
  return / from (\S+ to [^\s,]+)/.exec(ruleOf(flag)?.expected ?? '')?.[1] ?? '';
}

function wrap(text: string, columns: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > columns) {
      lines.push(line);
      line = word;
    } else {
      line = line === '' ? word : `${line} ${word}`;
    }
  }
  return [...lines, line];
}
