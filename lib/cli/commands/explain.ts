import { writeFile } from 'node:fs/promises';
import { withPair } from '../../pair.ts';
import { defaults } from '../../defaults.ts';
import { explanationHtml, explanationOf, explanationSvg, explanationText, type Explanation } from '../../explain/index.ts';
import { savedAnswer } from '../../explain/saved.ts';
import { readTextFile } from '../../text-file.ts';
import type { LoadOptions } from '../../types.ts';
import { readFlags, refuseContradictions } from '../args.ts';
import { exitCodes, fileFailure, UsageError } from '../failure.ts';
import { flagsNamed, groupsNamed } from '../flags.ts';
import type { Interrupt } from '../interrupt.ts';
import { answerJson } from '../json.ts';
import { columnsOf } from '../layout.ts';
import { load } from '../load.ts';
import { questionFrom, textFromStdin } from '../question.ts';
import { palette, print } from '../terminal.ts';
import type { Command } from './command.ts';

export const explain: Command = {
  name: 'explain',
  summary: 'show who wrote each word of an answer, and why',
  usage: ['"question" [flags]', '--from FILE [flags]'],
  about: `Without a format it writes to the terminal: the answer, below each word of the aligned model a ~, and in tenths how probable \
the base's best token was there; then round by round what the base would have said, and why it was asked no further.`,
  groups: [
    {
      title: 'What to write',
      flags: [
        { name: 'html', value: 'FILE', about: 'one page with a card for each word and the probability strip; - is standard output' },
        { name: 'svg', value: 'FILE', about: 'a picture of the answer; - is standard output' },
        { name: 'json', about: 'print the answer with all decisions, and the explanation, as one JSON object' },
        {
          name: 'from',
          value: 'FILE',
          about:
            'explain this answer and load no models: what --json --trace or explain --json printed, ' +
            'or one row of an output; - is standard input',
        },
      ],
    },
    // One question at a time.
    ...groupsNamed('models', 'generation', 'prompts', 'engine').map((group) => ({
      ...group,
      flags: group.flags.filter(({ name }) => name !== 'fit' && name !== 'parallel'),
    })),
    { title: 'Output', flags: flagsNamed('thinking') },
  ],
  notes: `Examples
  nudging explain "What is a harbor?"
  nudging explain --html answer.html "What is a harbor?"
  nudging --json --trace "What is a harbor?" > answer.json && nudging explain --from answer.json

With --from, --gamma says which threshold the answer was made with, where the file does not. Several formats can be written at once.`,
  async run(argv, interrupt) {
    const { load: options, values, switches, words } = readFlags(this.groups, argv, this.name);
    const { html, svg, from } = values as { html?: string; svg?: string; from?: string };
    refuseContradictions(options);
    const toStdout = [html === '-', svg === '-', switches.has('json')].filter(Boolean).length;
    if (toStdout > 1) throw new UsageError('several formats go to standard output: name files for all but one');
    const explained =
      from === undefined
        ? await answered(await questionFrom(words, interrupt.signal, this.name), options, switches.has('verbose'), interrupt)
        : await fromFile(from, options, words, interrupt);
    const { explanation, json } = explained;
    if (html !== undefined) await write(html, explanationHtml(explanation), '--html');
    if (svg !== undefined) await write(svg, explanationSvg(explanation), '--svg');
    if (switches.has('json')) print(`${JSON.stringify(json)}\n`);
    else if (html === undefined && svg === undefined)
      print(explanationText(explanation, { columns: columnsOf(process.stdout), ...palette(process.stdout) }));
    return interrupt.exitCode ?? exitCodes.ok;
  },
};

interface Explained {
  explanation: Explanation;
  /** What --json prints, and --from reads. */
  json: object;
}

async function answered(question: string, options: LoadOptions, verbose: boolean, interrupt: Interrupt): Promise<Explained> {
  const settings = await withPair(options);
  const nudging = await load({ parallel: 1, ...options }, interrupt.signal, verbose);
  try {
    const answer = await nudging.generate(question, { signal: interrupt.signal, trace: 'full' });
    const asked = { question, gamma: settings.gamma ?? defaults.gamma, mode: settings.mode ?? defaults.mode };
    const explanation = answer.explain();
    return { explanation, json: { ...asked, ...answerJson(answer), explanation } };
  } finally {
    await nudging.close();
  }
}

async function fromFile(path: string, { gamma }: LoadOptions, words: readonly string[], interrupt: Interrupt): Promise<Explained> {
  if (words.length > 0) throw new UsageError('a question and --from were given: leave out one of them');
  let text: string;
  try {
    text = path === '-' ? await textFromStdin(interrupt.signal) : await readTextFile(path);
  } catch (error) {
    interrupt.signal.throwIfAborted();
    throw fileFailure(error, 'the file of --from', path);
  }
  try {
    const value = JSON.parse(text) as unknown;
    const { answer, asked } = savedAnswer(value);
    const explanation = explanationOf(answer, { ...asked, ...(gamma === undefined ? {} : { gamma }) });
    return { explanation, json: { ...(value as object), explanation } };
  } catch (error) {
    const reason = error instanceof SyntaxError ? `is not JSON (${error.message}): pass one answer` : (error as Error).message;
    throw new UsageError(`the file of --from "${path}" ${reason}`);
  }
}

async function write(path: string, text: string, flag: string): Promise<void> {
  if (path === '-') return print(text);
  try {
    await writeFile(path, text);
  } catch (error) {
    throw fileFailure(error, `the file of ${flag}`, path);
  }
}
