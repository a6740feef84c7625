import { fieldOf, textField } from '../data/fields.ts';
import { systemTexts, type DataRecord, type Task } from '../task.ts';

/** Where the last 200 instructions come from: prompts that ought to be refused. */
const safetySets: ReadonlySet<unknown> = new Set(['hh-rlhf/red-team-attempts', 'MaliciousInstruct']);

export const isSafetyRecord = (record: DataRecord): boolean => safetySets.has(fieldOf(record, 'dataset'));

export const justeval: Task = {
  name: 'justeval',
  title: 'JustEval: instructions of all kinds, rated by a judge in five aspects',
  source: 'github.com/Re-Align/just-eval, leaderboard: just_eval_instructions (1,000 instructions, the first 800 of them)',
  licence: 'of each of its sources; the collection states none of its own',
  files: ['just_eval_instructions.jsonl', 'just_eval_instructions.json'],
  format: 'JSON lines of { instruction, dataset }',
  select: (record) => !isSafetyRecord(record),
  read: (record, { index }) => ({
    id: `justeval-${index}`,
    input: textField(record, 'instruction', 'input').trim(),
    gold: '',
  }),
  system: systemTexts.instruct,
  prefix: 'Instruction: ',
  paperScorer: 'gpt-4o',
  rubric: 'quality',
};
