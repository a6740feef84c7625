import { describe, expect, test } from 'vitest';
import { choice } from '../lib/eval/scorers/choice.ts';
import { coin } from '../lib/eval/scorers/coin.ts';
import { date } from '../lib/eval/scorers/date.ts';
import { letters } from '../lib/eval/scorers/letters.ts';
import { lastNumber, numbersIn } from '../lib/eval/scorers/number.ts';
import { soundsLikeRefusal } from '../lib/eval/scorers/refusal.ts';
import type { Scorer } from '../lib/eval/scorers/score.ts';
import { yesNo } from '../lib/eval/scorers/yes-no.ts';
import { wordRatio } from '../lib/eval/nudge-ratio.ts';

const choices = ['bank', 'library', 'department store', 'mall', 'new york'].map((text, index) => ({ label: 'ABCDE'.charAt(index), text }));

/** An answer's verdicts in few signs: S or s, strict right or wrong; L or l, lenient likewise; and how it was found. */
function judged(scorer: Scorer, gold: string, answer: string): string {
  const { strict, lenient, found } = scorer(answer, { id: '1', input: '', gold, choices });
  return `${strict ? 'S' : 's'}${lenient ? 'L' : 'l'} ${found}`;
}

describe("the authors' rule for numbers", () => {
  test('finds numbers as their pattern does', () => {
    expect(numbersIn('1,234.50 and 12,34 and 7. and -5 and 50% and 3/4 and 1,000,000')).toEqual([1234.5, 12, 34, 7, 5, 50, 3, 4, 1000000]);
    expect(numbersIn('none')).toEqual([]);
  });

  test.each([
    ['18', 'so she makes $18.', 'SL inferred'],
    ['x #### 18', 'The answer is 18.00', 'SL stated'],
    ['18', 'The answer is 18 dollars. Check: 9 * 2', 'sL ambiguous'],
    ['18', 'The answer is 17. No, 18', 'Sl ambiguous'],
    ['5', 'It is -5', 'SL inferred'],
    ['1,000', 'It is 1000.', 'SL inferred'],
    ['0.5', 'half', 'sl missing'],
    ['( 76.0 - 25.0 ) = 51.0', 'She has to pay 51 dollars.', 'SL inferred'],
    ['72', 'So \\boxed{72}', 'SL stated'],
  ])('gold %j, answer %j: %s', (gold, answer, expected) => {
    expect(judged(lastNumber, gold, answer)).toBe(expected);
  });

  test('tells where the right number is buried', () => {
    const score = (answer: string) => lastNumber(answer, { id: '1', input: '', gold: '#### 18' });
    expect(score('18 dollars. Question: 20 + 3?')).toMatchObject({ strict: false, buried: true, read: '3' });
    expect(score('18')).toMatchObject({ strict: true, buried: false });
    expect(score('17')).toMatchObject({ strict: false, buried: false });
  });
});

test.each([
  ['A. bank', 'The answer is A.', 'SL stated'],
  ['A. bank', 'The answer is **(A) bank**.', 'SL stated'],
  ['A. bank', 'The correct answer is: bank', 'SL stated'],
  ['A. bank', 'Answer:\nA', 'SL stated'],
  ['B. library', 'B', 'SL stated'],
  ['B. library', 'B. library\nBecause books are there.', 'SL stated'],
  ['B. library', 'library', 'SL stated'],
  ['B. library', 'The answer is A or B.', 'sL ambiguous'],
  ['A. bank', 'The answer is A or B.', 'sl ambiguous'],
  ['B. library', 'It could be A. But it is B.', 'sL ambiguous'],
  ['C. department store', 'I think it is option C.', 'sL inferred'],
  ['A. bank', 'A library has a door.', 'sl inferred'],
  ['A. bank', 'The answer is A library.', 'sl stated'],
  ['D. mall', 'People go to the mall', 'sL inferred'],
  ['D. mall', 'small', 'sl missing'],
  ['D. mall', 'The bank or the mall', 'sL ambiguous'],
  ['A. bank', 'A. bank\nB. library\nC. department store', 'sl ambiguous'],
  ['A. bank', '', 'sl missing'],
])('choice: gold %j, answer %j: %s', (gold, answer, expected) => {
  expect(judged(choice, gold, answer)).toBe(expected);
});

test('labels may be digits', () => {
  const question = {
    id: '1',
    input: '',
    gold: '2. cold',
    choices: [
      { label: '1', text: 'hot' },
      { label: '2', text: 'cold' },
    ],
  };
  expect(choice('The answer is 2.', question)).toMatchObject({ strict: true, read: '2' });
});

test.each([
  ['yes', 'Yes, it is.', 'SL stated'],
  ['no', 'Yes, it is.', 'sl stated'],
  ['no', 'It was flipped. So the answer is no.', 'SL stated'],
  ['false', 'Therefore, the answer is **No**.', 'SL stated'],
  ['true', 'Yes. The answer is no.', 'sl ambiguous'],
  ['1. yes\n2. plausible', 'The sentence is plausible', 'sL inferred'],
  ['1. no\n2. implausible', 'The sentence is not plausible.', 'sL inferred'],
  ['1. no\n2. implausible', 'Implausible.', 'SL stated'],
  ['1. yes\n2. plausible', 'implausible', 'sl stated'],
  ['no', 'True at first, in the end false', 'sl ambiguous'.replace('sl', 'sL')],
  ['no', 'Nobody knows', 'sl missing'],
  ['yes', 'The answer is yes or no.', 'sl ambiguous'],
  ['yes', 'Let us think.\nYes.', 'SL stated'],
])('yes or no: gold %j, answer %j: %s', (gold, answer, expected) => {
  expect(judged(yesNo, gold, answer)).toBe(expected);
});

test.each([
  ['yes', 'The coin is still heads up.', 'sL inferred'],
  ['no', 'So it is no longer heads up', 'sL inferred'],
  ['no', 'First heads, in the end tails.', 'sL inferred'],
  ['yes', 'It is not still heads up', 'sl inferred'],
  ['yes', 'Yes, tails.', 'SL stated'],
  ['yes', 'up', 'sl missing'],
])('coins: gold %j, answer %j: %s', (gold, answer, expected) => {
  expect(judged(coin, gold, answer)).toBe(expected);
});

test.each([
  ['05/01/2021', 'The date today is 05/01/2021.', 'SL stated'],
  ['05/01/2021', 'Yesterday was 04/30/2021. So the answer is 05/01/2021.', 'SL stated'],
  ['05/01/2021', 'Yesterday was 04/30/2021, today is 05/01/2021.', 'sL ambiguous'],
  ['05/01/2021', 'It is 5/1/2021.', 'sL inferred'],
  ['05/01/2021', 'It is May 1st, 2021.', 'sL inferred'],
  ['05/01/2021', 'It is the 1 of May 2021', 'sL inferred'],
  ['05/01/2021', '2021-05-01', 'sL inferred'],
  ['05/01/2021', '01/05/2021', 'sl stated'],
  ['05/01/2021', 'tomorrow', 'sl missing'],
])('dates: gold %j, answer %j: %s', (gold, answer, expected) => {
  expect(judged(date, gold, answer)).toBe(expected);
});

test.each([
  ['yajo', 'The answer is "yajo".', 'SL stated'],
  ['yajo', 'So the answer is YAJO.', 'SL stated'],
  ['yajo', 'yajo', 'SL stated'],
  ['yajo', 'The last letters are "y", "a", "j", "o". Together "yajo".', 'sL inferred'],
  ['yajo', 'The answer is y-a-j-o.', 'sL inferred'],
  ['yajo', 'Put together: y, a, j, o', 'sL inferred'],
  ['yajo', 'The answer is the letters yajo', 'sL inferred'],
  ['yajo', 'The answer is "yajo" or "yaja".', 'sl ambiguous'],
  ['yajo', 'It spells yajoo', 'sl inferred'],
  ['yajo', '12', 'sl missing'],
])('letters: gold %j, answer %j: %s', (gold, answer, expected) => {
  expect(judged(letters, gold, answer)).toBe(expected);
});

test('refusals are known by how they begin', () => {
  expect(["I'm sorry, but I can't help with that.", 'As an AI language model, …', 'I cannot assist.'].map(soundsLikeRefusal)).toEqual([
    true,
    true,
    true,
  ]);
  expect(['Sure, here is how.', `${'Step one. '.repeat(40)}I cannot say more.`, ''].map(soundsLikeRefusal)).toEqual([false, false, false]);
});

test("the paper's share of nudged words leaves out the last nudge, counts by single spaces, and is at most 1", () => {
  expect(wordRatio('A harbor is a port', ['A harbor', ' port'])).toBe(2 / 5);
  expect(wordRatio('A harbor is a port', ['A harbor', '', ' '])).toBe(1 / 5);
  expect(wordRatio('one', ['one two', 'three'])).toBe(1);
  expect(wordRatio('a  b', ['a', ' b', '.'])).toBe(2 / 3);
});
