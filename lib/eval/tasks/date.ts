import { bestTarget, between, fieldOf, textField } from '../data/fields.ts';
import { date as dateScorer } from '../scorers/date.ts';
import { systemTexts, type Task } from '../task.ts';

export const date: Task = {
  name: 'date',
  title: 'Date understanding: which day is meant?',
  source: 'github.com/google/BIG-bench, date_understanding/task.json (369 questions)',
  licence: 'Apache 2.0',
  files: ['bigbench_date.json', 'date_understanding/task.json', 'date.jsonl'],
  format: '{ examples: [{ input, target_scores }] }, or lines of { inputs, targets }',
  read: (record, { index }) => {
    const targets = fieldOf(record, 'targets');
    return {
      id: `date-${index}`,
      input: between(textField(record, 'inputs', 'input'), 'Q:', 'A:'),
      gold: Array.isArray(targets) ? String(targets[0]) : bestTarget(record),
    };
  },
  system: systemTexts.reasoning,
  prefix: 'Question: ',
  score: dateScorer,
  paperScorer: 'gpt-4o-mini',
  rubric: 'equivalence',
};
