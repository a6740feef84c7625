import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Nudging, type GenerateOptions } from '../lib/index.ts';
import { nudging } from './support/cli.ts';

const question = 'What is a harbor?';

describe('flags that say how an answer begins and ends', () => {
  let engine: Nudging;
  beforeAll(async () => {
    engine = await Nudging.load({ threads: 1 });
  });
  afterAll(() => engine.close());

  test.each<[string, GenerateOptions]>([
    [
      '--gamma 0 --end-rule either --end-certainty 0 --short-drafts check',
      { gamma: 0, endRule: 'either', endCertainty: 0, shortDrafts: 'check' },
    ],
    ['--end-rule base --lead 3', { endRule: 'base', lead: 3 }],
    ['--mode reverse --gamma 1.5 --punctuation any', { mode: 'reverse', gamma: 1.5, punctuation: 'any' }],
  ])('%s', async (flags, options) => {
    const { stdout, code } = await nudging([question, '--json', '--max-tokens', '30', ...flags.split(' ')]);
    expect(code).toBe(0);
    const { text, stopReason, endedBy, rounds } = await engine.generate(question, { maxTokens: 30, ...options });
    expect(JSON.parse(stdout)).toMatchObject({ text, stopReason, rounds, ...(endedBy ? { endedBy } : {}) });
  });

  test('statistics say who ended it, and in reverse what the guest wrote', async () => {
    const base = await nudging([question, '--gamma', '0', '--end-rule', 'either', '--end-certainty', '0']);
    expect(base.stderr).toContain('ended by the base (end)');
    const reverse = await nudging([question, '--mode', 'reverse', '--gamma', '0', '--max-tokens', '8']);
    expect(reverse.stderr).toContain('0 % by the base');
  });

  test.each([
    ['--end-rule', 'both', 'one of "aligned", "either", "base"'],
    ['--end-certainty', '2', 'a number from 0 to 1'],
    ['--short-drafts', 'yes', 'one of "accept", "check"'],
    ['--lead', '-1', 'an integer from 0'],
    ['--punctuation', 'base', 'one of "aligned", "any"'],
  ])('%s cannot be %s', async (flag, value, expected) => {
    const { stderr, code } = await nudging([question, `${flag}=${value}`]);
    expect(code).toBe(2);
    expect(stderr).toContain(`${flag} cannot be "${value}": it must be ${expected}`);
  });
});
