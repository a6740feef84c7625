import { anyField, choicesIn, fieldOf, goldChoice, textField, withChoices } from '../data/fields.ts';
import { choice } from '../scorers/choice.ts';
import { isObject } from '../../options.ts';
import { systemTexts, type Task } from '../task.ts';

export const arcChallenge: Task = {
  name: 'arc_challenge',
  title: 'ARC Challenge: multiple choice from science exams',
  source: 'allenai.org/data/arc, ARC-Challenge/ARC-Challenge-Test.jsonl (1,172 questions)',
  licence: 'CC BY-SA 4.0',
  files: ['ARC-Challenge-Test.jsonl', 'ARC-Challenge/ARC-Challenge-Test.jsonl', 'arc_challenge.jsonl'],
  format: 'JSON lines of { question: { stem, choices }, answerKey }, or of { question, choices: { text, label }, answerKey }',
  read: (record, { index }) => {
    const question = anyField(record, 'question');
    const stem = isObject(question) ? textField(question, 'stem') : textField(record, 'question');
    const choices = choicesIn(isObject(question) ? question['choices'] : anyField(record, 'choices'));
    return {
      id: String(fieldOf(record, 'id') ?? `arc_challenge-${index}`),
      input: withChoices(stem, choices),
      gold: goldChoice(choices, textField(record, 'answerKey')),
      choices,
    };
  },
  system: systemTexts.reasoning,
  prefix: 'Question: ',
  score: choice,
  paperScorer: 'gpt-4o-mini',
  rubric: 'equivalence',
};
