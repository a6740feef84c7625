import { anyField, fieldOf, textField } from '../data/fields.ts';
import { lastNumber } from '../scorers/number.ts';
import { systemTexts, type Task } from '../task.ts';

export const multiarith: Task = {
  name: 'multiarith',
  title: 'MultiArith: two-step arithmetic',
  source:
    'github.com/kojima-takeshi188/zero_shot_cot, dataset/MultiArith/MultiArith.json (600; the paper takes 180, ChilleD/MultiArith test)',
  licence: 'no licence is stated by its makers (Roy and Roth 2015)',
  files: ['multiarith.json', 'MultiArith.json', 'multiarith.jsonl'],
  format: 'JSON array of { sQuestion, lSolutions }, or lines of { question, final_ans }',
  read: (record, { index }) => {
    const solutions = fieldOf(record, 'lSolutions');
    return {
      id: `multiarith-${index}`,
      input: textField(record, 'sQuestion', 'question').trim(),
      gold: String(Array.isArray(solutions) && solutions.length > 0 ? solutions[0] : anyField(record, 'final_ans')),
    };
  },
  system: systemTexts.reasoning,
  prefix: 'Question: ',
  score: lastNumber,
  paperScorer: 'rule',
};
