import { describe, expect, test } from 'vitest';
import { faultsOf } from '../../lib/calibrate/answers-at-fault.ts';
import { findingsOf, verdictOf, type Evidence } from '../../lib/calibrate/findings.ts';
import type { StopReason } from '../../lib/index.ts';

const good: Evidence = {
  measured: { gamma: 0.4, rate: 0.12, standardError: 0.01 },
  targetRate: 0.2,
  hasAdvantage: true,
  lambda: 0.1,
  agreement: 0.7,
  agreementError: 0.1,
  timeRatio: 1.3,
  unfinished: 0.05,
  thinking: 0,
  marks: 0,
  nextQuestion: 0,
  empty: 0,
};
const rate = (share: number) => ({ measured: { gamma: 0.4, rate: share, standardError: 0.01 } });

test('a good pair works, and nothing is found', () => {
  expect(findingsOf(good)).toEqual([]);
  expect(verdictOf([])).toBe('works');
});

test.each<[Partial<Evidence>, string, 'weak' | 'unfit' | undefined]>([
  [rate(0.219), 'rate', undefined],
  [rate(0.221), 'rate', 'weak'],
  [{ ...rate(0.4), targetRate: 0.4 }, 'rate', undefined],
  [rate(0.61), 'rate', 'unfit'],
  // Also where it was wished for: the base adds little.
  [{ ...rate(0.61), targetRate: 0.6 }, 'rate', 'unfit'],
  [{ measured: { ...good.measured, gamma: 0.2 } }, 'low-gamma', undefined],
  [{ measured: { ...good.measured, gamma: 0.19 } }, 'low-gamma', 'weak'],
  [{ hasAdvantage: false }, 'no-advantage', 'weak'],
  [{ unfinished: 0.2 }, 'unfinished', undefined],
  [{ unfinished: 0.21 }, 'unfinished', 'weak'],
  [{ unfinished: 0.51 }, 'unfinished', 'unfit'],
  [{ thinking: 0.06 }, 'thinking', 'weak'],
  [{ thinking: 0.9 }, 'thinking', 'unfit'],
  [{ marks: 0.06 }, 'marks', 'weak'],
  [{ marks: 0.6 }, 'marks', 'unfit'],
  [{ nextQuestion: 0.11 }, 'next-question', 'weak'],
  [{ nextQuestion: 0.6 }, 'next-question', 'unfit'],
  [{ empty: 0.06 }, 'empty', 'weak'],
  [{ empty: 0.3 }, 'empty', 'unfit'],
  [{ agreement: 0.14 }, 'disagreement', 'weak'],
  [{ agreement: 0.04 }, 'disagreement', 'unfit'],
  [{ agreementError: 0.41 }, 'uninformative', 'weak'],
  [{ timeRatio: 3.1 }, 'slow', 'weak'],
])('%o: %s is %s', (evidence, code, level) => {
  const found = findingsOf({ ...good, ...evidence });
  expect(found.map((each) => [each.code, each.level])).toEqual(level === undefined ? [] : [[code, level]]);
  expect(verdictOf(found)).toBe(level === undefined ? 'works' : level === 'weak' ? 'weak' : 'does not fit');
  for (const { message, value, limit } of found) {
    expect(message).toMatch(/^\S.*[^.]$/);
    expect(value === limit).toBe(false);
  }
});

test('the worst comes first', () => {
  expect(findingsOf({ ...good, hasAdvantage: false, empty: 0.3 }).map(({ code }) => code)).toEqual(['empty', 'no-advantage']);
});

describe('what is wrong with answers', () => {
  const answer = (text: string, stopReason: StopReason = 'end') => ({ text, stopReason });
  const share = (fault: keyof ReturnType<typeof faultsOf>, ...answers: ReturnType<typeof answer>[]) => faultsOf(answers)[fault];

  test('is counted by answers', () => {
    expect(share('unfinished', answer('a', 'length'), answer('b'), answer('c', 'stop'), answer('d', 'context'))).toBe(0.5);
    expect(share('empty', answer(' \n'), answer('b'))).toBe(0.5);
    expect(faultsOf([])).toEqual({ unfinished: 0, thinking: 0, marks: 0, nextQuestion: 0, empty: 0 });
  });

  test.each([
    ['thinking', '\n<think>\nLet me see', 1],
    ['thinking', 'The tag <think> opens it.', 0],
    ['marks', 'Hello.<|im_end|>', 1],
    ['marks', '<end_of_turn>', 1],
    ['marks', 'Yes. [/INST] No.', 1],
    ['marks', 'a < b | c > d, <b>bold</b>', 0],
    ['nextQuestion', 'Yes.\n\nQuestion: And then?', 1],
    ['nextQuestion', 'Yes.\n### Instruction:\nGo on', 1],
    ['nextQuestion', 'The question: why?', 0],
  ] as const)('%s in %j', (fault, text, expected) => {
    expect(share(fault, answer(text))).toBe(expected);
  });
});
