import { systemTexts, type Task } from '../task.ts';
import { choice } from '../scorers/choice.ts';
import { arcChallenge } from './arc-challenge.ts';

export const csqa: Task = {
  name: 'csqa',
  title: 'CommonsenseQA: multiple choice about everyday knowledge',
  source: 'tau-nlp.org/commonsenseqa, dev_rand_split.jsonl (1,221 questions; the test file has no answers)',
  licence: 'MIT',
  files: ['csqa-dev.jsonl', 'dev_rand_split.jsonl', 'csqa.jsonl'],
  format: 'JSON lines of { question: { stem, choices }, answerKey }, or of { question, choices: { text, label }, answerKey }',
  // Both sets come from the same institute and have one form.
  read: (record, place) => ({ ...arcChallenge.read(record, place) }),
  system: systemTexts.reasoning,
  prefix: 'Question: ',
  score: choice,
  paperScorer: 'gpt-4o-mini',
  rubric: 'equivalence',
};
