import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  calibrate,
  Nudging,
  type Calibration,
  type CalibrateOptions,
  type CalibrationProgress,
  type Decision,
  type NudgingError,
} from '../../lib/index.ts';
import { builtInPrompts } from '../../lib/calibrate/prompts.ts';
import { randomModel } from '../support/models.ts';
import { rows } from '../support/questions.ts';
import { inRoot } from '../../scripts/lib/paths.mjs';

const demo = (name: string) => inRoot('models/demo', name);
const load = { pair: demo('pair.json'), threads: 1 };
/** Every n-th question of the demo pair's, from `first` on: both tasks. */
const questions = (every: number, first = 0) => rows.filter((_, index) => index % every === first).map(({ question }) => question);

let nudging: Nudging;
beforeAll(async () => {
  nudging = await Nudging.load(load);
});
afterAll(() => nudging.close());

const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;

test('the built-in prompts are 64 different questions of eight kinds', () => {
  expect(Object.values(builtInPrompts).map((prompts) => prompts.length)).toEqual(Array(8).fill(8));
  expect(new Set(Object.values(builtInPrompts).flat()).size).toBe(64);
});

describe('the demo pair on its own questions', () => {
  let found: Calibration;
  const progress: CalibrationProgress[] = [];
  beforeAll(async () => {
    found = await calibrate(nudging, { prompts: questions(12), targetRate: 0.38, onProgress: (each) => progress.push(each) });
  }, 120_000);

  test('comes to the rate that is wanted, and keeps it on other questions within three points', { timeout: 120_000 }, async () => {
    expect(found).toMatchObject({ targetRate: 0.38, settled: true, decidedBy: 'rate' });
    expect(Math.abs(found.rate - 0.38)).toBeLessThanOrEqual(2 * found.standardError);
    const heldOut = await Promise.all(questions(12, 5).map((question) => nudging.generate(question, { gamma: found.gamma })));
    expect(Math.abs(mean(heldOut.map(({ stats }) => stats.nudgeRatio)) - 0.38)).toBeLessThan(0.03);
  });

  test('works, and its numbers are those of the answers', async () => {
    expect(found.endings).toEqual({ end: 25 });
    // Its answers are short: the rate that is wanted may take a low γ.
    const isLow = found.gamma < 0.2;
    expect([found.verdict, found.findings.map(({ code }) => code)]).toEqual(isLow ? ['weak', ['low-gamma']] : ['works', []]);
    const answers = await Promise.all(questions(12).map((question) => nudging.generate(question, { gamma: found.gamma, trace: 'full' })));
    expect(found.rate).toBeCloseTo(mean(answers.map(({ stats }) => stats.nudgeRatio)), 12);
    expect(found.measured.at(-1)).toEqual({ gamma: found.gamma, rate: found.rate, standardError: found.standardError });
    expect(found.agreement).toBeGreaterThan(0.5);
    expect(found.agreementError).toBeGreaterThan(0);
    expect(found.speed.ratio).toBeCloseTo(found.speed.base / found.speed.nudged, 12);
    expect(found.decisionRate).toBeGreaterThan(0.02);
    expect(found.decisionRate).toBeLessThan(0.3);
    // Recorded once, checked once a further round, eight timed in two ways.
    expect(found.effort).toMatchObject({ prompts: 25, answers: 25 * found.measured.length + 16 });
  });

  test('reports how far it is, each phase to its end', () => {
    const phases = progress.filter(({ phase }, index) => phase !== progress[index - 1]?.phase).map(({ phase }) => phase);
    expect([phases.slice(0, 3), phases.at(-1)]).toEqual([['record', 'ask', 'check'], 'time']);
    expect(progress.filter(({ done, total }) => done === total).length).toBe(2 + (found.measured.length - 1) + 1);
  });

  test('the same seed and prompts give the same calibration', { timeout: 120_000 }, async () => {
    const again = await calibrate(nudging, { prompts: questions(12), targetRate: 0.38 });
    const timeless = ({ speed, effort, ...rest }: Calibration) => rest;
    expect(timeless(again)).toEqual(timeless(found));
  });

  test('without a target the ceiling holds γ down to its limit, and the pair is weak: its answers are short', {
    timeout: 120_000,
  }, async () => {
    const free = await calibrate(nudging, { prompts: questions(25) });
    expect(free).toMatchObject({ gamma: 0.2, decidedBy: 'low', settled: false, targetRate: 0.2, verdict: 'weak' });
    expect(free.findings.map(({ code, level }) => [code, level])).toEqual([['rate', 'weak']]);
    expect(free.betGamma).toBeGreaterThan(0.5);
  });
});

describe('pairs that do not fit', () => {
  const verdictOf = async (pair: Parameters<typeof calibrate>[0], options: CalibrateOptions = {}) => {
    const { verdict, findings } = await calibrate(pair, { prompts: questions(30), maxRounds: 1, ...options });
    return { verdict, unfit: findings.filter(({ level }) => level === 'unfit').map(({ code }) => code) };
  };

  test('a base of random weights adds nothing', { timeout: 120_000 }, async () => {
    const base = randomModel({ vocabulary: 'gpt-2' });
    const { verdict, unfit } = await verdictOf({ base, aligned: demo('aligned.gguf'), threads: 1, maxTokens: 48 });
    expect(verdict).toBe('does not fit');
    // Its repetitions make it sure of itself, but of nothing that the aligned model would say.
    expect(unfit).toContain('disagreement');
  });

  test('an aligned model that may not end never does', { timeout: 120_000 }, async () => {
    const { decisions = [] } = await nudging.generate('What is a harbor?', { trace: 'full' });
    const { token: end } = decisions.find(({ ends, kind }) => ends && kind === 'draft') as Decision;
    const { verdict, unfit } = await verdictOf({ ...load, maxTokens: 64, logitBias: { aligned: { [end]: -100 } } });
    expect({ verdict, unfit }).toEqual({ verdict: 'does not fit', unfit: ['unfinished'] });
  });

  test('asked what neither model has learnt, the aligned one writes nearly all', { timeout: 120_000 }, async () => {
    const { unfit } = await verdictOf(nudging, { prompts: builtInPrompts['advice'] as string[] });
    expect(unfit).toContain('rate');
  });
});

describe('what is refused, and what ends it', () => {
  const code = (reason: unknown) => (reason as NudgingError).code;

  test.each<[CalibrateOptions, string]>([
    [{ prompts: ['one', 'two'] }, '`prompts` must be an array of at least 8 prompts'],
    [{ targetRate: 0 }, '`targetRate` must be a number over 0 and under 1'],
    [{ targetRate: 1 }, '`targetRate` must be'],
    [{ lambda: 1.1 }, '`lambda` must be a number from -1 to 1'],
    [{ maxRounds: 0 }, '`maxRounds` must be an integer from 1 to 20'],
    [{ target: 0.2 } as CalibrateOptions, 'unknown option `target`'],
  ])('%o', async (options, message) => {
    const error = await calibrate(nudging, options).catch((reason: unknown) => reason);
    expect(code(error)).toBe('ERR_INVALID_OPTION');
    expect((error as Error).message).toContain(message);
  });

  test('a signal, with its reason, in every phase', { timeout: 60_000 }, async () => {
    for (const phase of ['record', 'ask', 'check', 'time']) {
      const ending = new AbortController();
      const onProgress = (progress: CalibrationProgress) => {
        if (progress.phase === phase) ending.abort(new Error(`in ${phase}`));
      };
      const options = { prompts: questions(30), targetRate: 0.3, maxRounds: 1, signal: ending.signal, onProgress };
      await expect(calibrate(nudging, options)).rejects.toThrow(`in ${phase}`);
    }
    await expect(calibrate(load, { signal: AbortSignal.abort(new Error('before')) })).rejects.toThrow('before');
    // The engine is as good as before.
    expect((await nudging.generate('What is a harbor?')).text).toContain('sheltered port');
  });

  test('what onProgress throws', async () => {
    const onProgress = () => {
      throw new Error('mine');
    };
    await expect(calibrate(nudging, { prompts: questions(30), onProgress })).rejects.toThrow('mine');
  });

  test('a prompt that cannot be answered, with the error of generate', async () => {
    const error = await calibrate(nudging, { prompts: [...questions(30), ' '] }).catch((reason: unknown) => reason);
    expect(code(error)).toBe('ERR_PROMPT_EMPTY');
  });
});
