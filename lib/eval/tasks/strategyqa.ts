import { bestTarget, fieldOf, textField } from '../data/fields.ts';
import { yesNo } from '../scorers/yes-no.ts';
import { systemTexts, type Task } from '../task.ts';

export const strategyqa: Task = {
  name: 'strategyqa',
  title: 'StrategyQA: yes or no, where the steps are not in the question',
  source: 'github.com/google/BIG-bench, strategyqa/task.json (2,290 questions; the paper takes the 687 of ChilleD/StrategyQA test)',
  licence: 'MIT (StrategyQA), Apache 2.0 (BIG-bench)',
  files: ['strategyqa.json', 'strategyqa_train.json', 'strategyqa.jsonl'],
  format: '{ examples: [{ input, target_scores: { Yes, No } }] }, or an array of { question, answer: true or false }',
  read: (record, { index }) => {
    const answer = fieldOf(record, 'answer');
    const yes = typeof answer === 'boolean' ? answer : bestTarget(record) === 'Yes';
    return { id: `strategyqa-${index}`, input: textField(record, 'input', 'question').trim(), gold: String(yes) };
  },
  system: systemTexts.reasoning,
  prefix: 'Question: ',
  score: yesNo,
  paperScorer: 'gpt-4o-mini',
  rubric: 'equivalence',
};
