import { anyField, fieldOf, textField } from '../data/fields.ts';
import { lastNumber } from '../scorers/number.ts';
import { systemTexts, type Task } from '../task.ts';

export const svamp: Task = {
  name: 'svamp',
  title: 'SVAMP: one-step arithmetic in varied wordings',
  source: 'github.com/arkilpatel/SVAMP, SVAMP.json (1,000 questions; the paper takes the 300 of the ChilleD/SVAMP test split)',
  licence: 'MIT',
  files: ['svamp.json', 'SVAMP.json', 'svamp.jsonl'],
  format: 'JSON array of { Body, Question, Equation, Answer }',
  read: (record, { index }) => ({
    id: `svamp-${index}`,
    input: `${textField(record, 'Body').trim()} ${textField(record, 'Question').trim()}`,
    // The authors' gold text: the last number in it counts.
    gold: `${String(fieldOf(record, 'Equation') ?? '')} = ${String(anyField(record, 'Answer'))}`,
  }),
  system: systemTexts.reasoning,
  prefix: 'Question: ',
  score: lastNumber,
  paperScorer: 'rule',
};
