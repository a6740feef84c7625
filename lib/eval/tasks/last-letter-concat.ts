import { textField } from '../data/fields.ts';
import { lastLetters } from '../generated/last-letters.ts';
import { letters } from '../scorers/letters.ts';
import { systemTexts, type Task } from '../task.ts';

export const lastLetterConcat: Task = {
  name: 'last_letter_concat',
  title: 'Last letters: put the last letters of names together',
  source:
    'github.com/kojima-takeshi188/zero_shot_cot, dataset/last_letters (500); the paper takes the 150 of ChilleD/LastLetterConcat test; ' +
    'without a file: generated',
  licence: 'no licence is stated by its makers; generated questions: that of this package',
  files: ['last_letters.json', 'last_letter_concat.jsonl'],
  format: '{ examples: [{ question, answer }] }, or lines of { question, answer }',
  read: (record, { index }) => ({
    id: `last_letter_concat-${index}`,
    input: textField(record, 'question').trim(),
    gold: textField(record, 'answer'),
  }),
  generate: lastLetters,
  system: systemTexts.reasoning,
  prefix: 'Question: ',
  score: letters,
  paperScorer: 'gpt-4o-mini',
  rubric: 'equivalence',
};
