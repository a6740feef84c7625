import { anyField, between, textField } from '../data/fields.ts';
import { EvaluationError } from '../evaluation-error.ts';
import { yesNo } from '../scorers/yes-no.ts';
import { systemTexts, type Task } from '../task.ts';

export const sports: Task = {
  name: 'sports',
  title: 'Sports understanding: is a sentence about sports plausible?',
  source:
    'hails/bigbench on Hugging Face, sports_understanding_zero_shot, saved as JSON lines; ' +
    'or github.com/suzgunmirac/BIG-Bench-Hard, bbh/sports_understanding.json (250 questions)',
  licence: 'Apache 2.0 (BIG-bench), MIT (BIG-Bench-Hard)',
  files: ['sports_understanding.json', 'bbh/sports_understanding.json', 'sports.jsonl'],
  format: 'lines of { inputs, targets }, or { examples: [{ input, target: "yes" or "no" }] }',
  read: (record, { index }) => {
    const target = anyField(record, 'targets', 'target');
    const said = String(Array.isArray(target) ? target[0] : target);
    if (!['plausible', 'implausible', 'yes', 'no'].includes(said))
      throw new EvaluationError(`has the target "${said}", which is no answer`);
    const plausible = said === 'plausible' || said === 'yes';
    return {
      id: `sports-${index}`,
      input: between(textField(record, 'inputs', 'input'), '', 'Plausible/implausible?'),
      gold: plausible ? '1. yes\n2. plausible' : '1. no\n2. implausible',
    };
  },
  system: systemTexts.reasoning,
  prefix: 'Question: ',
  score: yesNo,
  paperScorer: 'gpt-4o-mini',
  rubric: 'equivalence',
};
