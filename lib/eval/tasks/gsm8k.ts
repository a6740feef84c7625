import { textField } from '../data/fields.ts';
import { lastNumber } from '../scorers/number.ts';
import { systemTexts, type Task } from '../task.ts';

export const gsm8k: Task = {
  name: 'gsm8k',
  title: 'GSM8K: grade-school arithmetic in several steps',
  source: 'github.com/openai/grade-school-math, grade_school_math/data/test.jsonl (1,319 questions)',
  licence: 'MIT',
  files: ['gsm8k-test.jsonl', 'gsm8k/test.jsonl', 'gsm8k.jsonl'],
  format: 'JSON lines of { question, answer }, the answer ending in "#### N"',
  read: (record, { index }) => ({
    id: `gsm8k-${index}`,
    input: textField(record, 'question').trim(),
    gold: textField(record, 'answer'),
  }),
  system: systemTexts.reasoning,
  prefix: 'Question: ',
  score: lastNumber,
  paperScorer: 'rule',
};
