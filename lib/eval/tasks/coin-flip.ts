import { anyField, between, textField } from '../data/fields.ts';
import { coinFlips } from '../generated/coin-flip.ts';
import { coin } from '../scorers/coin.ts';
import { systemTexts, type Task } from '../task.ts';

export const coinFlip: Task = {
  name: 'coin_flip',
  title: 'Coin flip: is the coin still heads up?',
  source:
    'github.com/kojima-takeshi188/zero_shot_cot, dataset/coin_flip (500); the paper takes skrishna/coin_flip; without a file: generated',
  licence: 'no licence is stated by its makers; generated questions: that of this package',
  files: ['coin_flip.json', 'coin_flip.jsonl'],
  format: '{ examples: [{ question, answer: "yes" or "no" }] }, or lines of { inputs, targets }',
  read: (record, { index }) => ({
    id: `coin_flip-${index}`,
    input: between(textField(record, 'question', 'inputs'), 'Q:', '\nA:'),
    gold: String(anyField(record, 'answer', 'targets')),
  }),
  generate: coinFlips,
  system: systemTexts.reasoning,
  prefix: 'Question: ',
  score: coin,
  paperScorer: 'gpt-4o',
  rubric: 'equivalence',
};
