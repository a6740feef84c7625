import { limits } from '../../eval/task.ts';
import type { Rule } from '../../options.ts';
import { flagsNamed, groupsNamed, type FlagGroup } from '../flags.ts';

const whole = (least: number, most: number): Rule => ({
  check: (value) => typeof value === 'number' && Number.isInteger(value) && value >= least && value <= most,
  expected: `an integer from ${least} to ${most}`,
});

/** What the tasks, the systems or the results decide, and flags of its own for both. */
const decided: ReadonlySet<string> = new Set(['mode', 'gamma', 'seed', 'stop', 'no-stop']);

/** What holds without a flag is the authors' limit for some of them. */
const ownDefaults: Readonly<Record<string, string>> = {
  'max-tokens': String(limits.maxTokens),
  lookahead: String(limits.lookahead),
  'repeat-limit': String(limits.repeatLimit),
};
const ownDefault = (name: string) => (Object.hasOwn(ownDefaults, name) ? { otherwise: ownDefaults[name] as string } : {});

/** Flags of `nudging eval`. Those of models, answers and engine are the ones of `nudging "question"`, new ones included. */
export const evalGroups: FlagGroup[] = [
  {
    title: 'Evaluation',
    flags: [
      { name: 'out', value: 'DIR', about: 'folder for results.jsonl, report.md and report.html; one that is there is continued' },
      { name: 'tasks', value: 'LIST', about: 'names with commas between them', otherwise: 'all that there are questions for' },
      { name: 'data', value: 'DIR', about: 'folder with the official files of the tasks, as they are (--list says which)' },
      { name: 'list', about: 'say of every task where its questions come from, under which licence, and which file is looked for' },
      {
        name: 'systems',
        value: 'LIST',
        about: 'what answers: base, aligned, nudged, large (the model of --large), with commas between them',
        otherwise: 'base,aligned,nudged',
      },
      {
        name: 'gamma',
        value: 'LIST',
        about: 'gammas for nudged, with commas between them: one system each',
        otherwise: "the pair's, else 0.4",
      },
      {
        name: 'system',
        value: 'SPEC',
        kind: 'list',
        about:
          "one more system, KIND:option=value,…, such as 'nudged:gamma=0.3,temperature=0.7' or 'base:stop=[]', with any option of " +
          'generate and values in JSON or plain words; may be repeated',
      },
      { name: 'large', value: 'FILE', about: 'GGUF file of a large aligned model, to compare with' },
      {
        name: 'limit',
        value: 'N',
        kind: 'number',
        rule: whole(1, 1_000_000),
        about: 'questions of each task',
        otherwise: 'all; 150 generated ones',
      },
      {
        name: 'seed',
        value: 'N',
        kind: 'number',
        rule: whole(0, 2 ** 32 - 1),
        about: "which questions --limit takes, and what sampling and generated questions start from; 609 is the authors'",
        otherwise: '609',
      },
      {
        name: 'prompts',
        value: 'WHOSE',
        about: "paper: the authors' system text and prefix; pair: the question alone, in the prompts that the pair was made for",
        otherwise: 'paper',
      },
      { name: 'trace', about: "keep the base's probabilities at boundaries, for its calibration; slower" },
      { name: 'report', about: 'make the reports of --out again, and nothing else' },
      { name: 'json', about: 'print what report.md says as one JSON object; with --list: the tasks' },
    ],
  },
  {
    title: 'Judge',
    flags: [
      {
        name: 'judge',
        value: 'URL',
        about: 'OpenAI-compatible address, such as http://localhost:8080/v1; the key is in JUDGE_API_KEY or OPENAI_API_KEY',
      },
      { name: 'judge-model', value: 'NAME', about: 'model that judges' },
    ],
  },
  ...groupsNamed('models'),
  ...groupsNamed('generation').map((group) => ({
    title: 'Answers of all systems (without the flag: as in the paper, else what the pair says, else the default)',
    flags: group.flags.filter(({ name }) => !decided.has(name)).map((flag) => ({ ...flag, ...ownDefault(flag.name) })),
  })),
  { title: 'Prompts (likewise)', flags: flagsNamed('aligned-prompt', 'template-option', 'thinking') },
  ...groupsNamed('engine'),
];
