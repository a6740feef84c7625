import { EvaluationError } from '../evaluation-error.ts';
import { fieldOf, goldChoice, textField, withChoices } from '../data/fields.ts';
import { choice } from '../scorers/choice.ts';
import { systemTexts, type Choice, type DataRecord, type RecordPlace, type Task } from '../task.ts';

export const mmlu: Task = {
  name: 'mmlu',
  title: 'MMLU: multiple choice from 57 subjects',
  source: 'github.com/hendrycks/test, data.tar: its folder "test" (14,042 questions), or cais/mmlu saved as JSON lines',
  licence: 'MIT',
  files: ['mmlu/test/', 'mmlu/', 'mmlu-test.jsonl', 'mmlu.jsonl'],
  format: 'folder of SUBJECT_test.csv (question, A, B, C, D, answer; no heading), or lines of { question, subject, choices, answer }',
  read: (record, place) => {
    const { question, subject, choices, label } = Array.isArray(record) ? fromCsv(record, place) : fromJson(record);
    return {
      id: Array.isArray(record) ? `${subject}-${place.index}` : `mmlu-${place.index}`,
      context: `Subject: ${subject}\n`,
      input: withChoices(question, choices),
      gold: goldChoice(choices, label),
      choices,
    };
  },
  system: systemTexts.reasoning,
  prefix: 'Question: ',
  score: choice,
  paperScorer: 'gpt-4o-mini',
  rubric: 'equivalence',
};

const letters = ['A', 'B', 'C', 'D'];

function fromCsv(fields: string[], { file }: RecordPlace) {
  const [question = '', ...rest] = fields;
  if (rest.length !== 5) throw new EvaluationError(`has ${fields.length} fields instead of question, four options and answer`);
  return {
    question,
    // As cais/mmlu has them, which the authors read.
    subject: file.replace(/_(test|val|dev)$/, ''),
    choices: letters.map((label, index): Choice => ({ label, text: rest[index] ?? '' })),
    label: rest[4] ?? '',
  };
}

function fromJson(record: Exclude<DataRecord, string[]>) {
  const texts = fieldOf(record, 'choices');
  const answer = fieldOf(record, 'answer');
  if (!Array.isArray(texts) || texts.length !== 4) throw new EvaluationError('lacks four "choices"');
  return {
    question: textField(record, 'question'),
    subject: textField(record, 'subject'),
    choices: letters.map((label, index): Choice => ({ label, text: String(texts[index]) })),
    label: typeof answer === 'number' ? (letters[answer] ?? '') : String(answer),
  };
}
