import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Nudging, type Answer, type DeferralRule, type GenerateOptions } from '../lib/index.ts';
import { inRoot } from '../scripts/lib/paths.mjs';
import { spread } from './support/questions.ts';
import { replay } from './support/replay.ts';

const questions = spread(24).map(({ question }) => question);
const adaptive = (settings: object = {}): DeferralRule => ({ name: 'adaptive', rate: 0.02, step: 0.3, reach: 0.6, ...settings });
const full = { gamma: 0.4, trace: 'full' } as const satisfies GenerateOptions;
const said = ({ text, rounds, stopReason, decisions }: Answer) => ({ text, rounds, stopReason, decisions });

describe('γ that moves (R22)', () => {
  let engine: Nudging;
  beforeAll(async () => {
    engine = await Nudging.load({ pair: inRoot('models/demo/pair-cross.json'), threads: 1 });
  });
  afterAll(() => engine.close());
  const answers = (options: GenerateOptions) => Promise.all(questions.map((question) => engine.generate(question, options)));

  test('with step 0 decides as γ alone does', { timeout: 60_000 }, async () => {
    const still = await answers({ ...full, rule: adaptive({ step: 0 }) });
    const alone = await answers(full);
    expect(still.map(({ text }) => text)).toEqual(alone.map(({ text }) => text));
    for (const [index, { decisions = [] }] of still.entries())
      expect(decisions.map(({ gamma, ...rest }) => rest)).toEqual(alone[index]?.decisions);
  });

  test('is what the judgements before it make of it, and in the trace of each', { timeout: 60_000 }, async () => {
    let moved = 0;
    for (const { decisions = [] } of await answers({ ...full, rule: adaptive() })) {
      const start = Math.fround(0.4);
      let gamma = start;
      for (const { speaks, gamma: traced, probability } of decisions) {
        // Drafts, agreement and what shows nothing are not judged.
        expect(traced === undefined).toBe(speaks === undefined);
        if (traced === undefined) continue;
        expect(traced).toBeCloseTo(gamma, 12);
        expect(speaks).toBe(probability >= traced ? 'base' : 'aligned');
        gamma = Math.min(start + 0.6, Math.max(start - 0.6, gamma + 0.3 * (0.02 - (probability < traced ? 1 : 0))));
        moved += 1;
      }
    }
    expect(moved).toBeGreaterThan(100);
  });

  test('changes answers, or nothing here would be tested', { timeout: 60_000 }, async () => {
    const moving = await answers({ ...full, rule: adaptive() });
    const still = await answers(full);
    expect(moving.filter(({ text }, index) => text !== still[index]?.text).length).toBeGreaterThan(3);
  });

  test('does not depend on speculation, company or what was asked before', { timeout: 90_000 }, async () => {
    const options = { ...full, rule: adaptive() };
    const together = (await answers(options)).map(said);
    for (const speculation of [false, 5, 31]) {
      for (const [index, question] of questions.slice(0, 8).entries())
        expect(said(await engine.generate(question, { ...options, speculation }))).toEqual(together[index]);
    }
  });

  test('is replayed from its trace', { timeout: 120_000 }, async () => {
    for (const question of questions.slice(0, 4)) {
      const options = { ...full, rule: adaptive() };
      const result = await replay(engine, question, await engine.generate(question, options), options);
      expect(result.wrong).toEqual([]);
      expect(result.decisions).toBeGreaterThan(10);
    }
  });

  test('brings an answer nearer to its rate than γ alone', { timeout: 60_000 }, async () => {
    // Without limits and with large steps: answers are short.
    const rate = 0.5;
    const off = (given: Answer[], gamma?: number) =>
      given.reduce((sum, { decisions = [] }) => {
        const judged = decisions.filter(({ speaks }) => speaks !== undefined);
        const deferred = judged.filter((decision) => decision.probability < (gamma ?? decision.gamma ?? 0)).length;
        return sum + Math.abs(deferred / judged.length - rate) / given.length;
      }, 0);
    const moving = await answers({ ...full, rule: adaptive({ rate, step: 0.3, reach: 2 }) });
    expect(off(moving)).toBeLessThan(off(await answers(full), 0.4));
  });
});

test('where the base reads along, its reading does not move γ', { timeout: 120_000 }, async () => {
  const texts = async (overlap: boolean) => {
    const engine = await Nudging.load({ pair: inRoot('models/demo/pair-cross.json'), threads: 1, overlap });
    try {
      const options = { ...full, rule: adaptive() };
      return (await Promise.all(questions.slice(0, 12).map((question) => engine.generate(question, options)))).map(said);
    } finally {
      await engine.close();
    }
  };
  expect(await texts(true)).toEqual(await texts(false));
});
