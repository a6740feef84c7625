import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Nudging, replay, type Answer, type Decision, type DeferralRule, type GenerateOptions } from '../lib/index.ts';
import { spread } from './support/questions.ts';

const questions = spread(6).map((row) => row.question);
const settings = { maxTokens: 64, trace: 'full' } as const;
const choices: { rule?: DeferralRule; gamma?: number }[] = [
  {},
  { gamma: 0.3 },
  { gamma: 0.9 },
  { gamma: 0 },
  { gamma: 1.5 },
  { rule: 'bet' },
  { rule: { name: 'bet', lambda: 0 } },
  { rule: { name: 'bet', lambda: 1 } },
  { rule: 'hybrid' },
  { rule: { name: 'hybrid', low: 0.1, high: 0.99, lambda: 0 } },
  { rule: 'margin' },
  { rule: { name: 'margin', margin: 0.7 } },
  { rule: 'entropy' },
  { rule: { name: 'entropy', entropy: 1.5 } },
];

let engine: Nudging;
beforeAll(async () => {
  engine = await Nudging.load({ parallel: 4 });
});
afterAll(() => engine.close());

/** Where two runs decide otherwise for the first time: which of their decisions. Nothing if they are one. */
function partingOf({ decisions: one = [] }: Answer, { decisions: other = [] }: Answer): number | undefined {
  const key = (decision?: Decision) =>
    decision && [decision.kind, decision.position, decision.token, decision.probability, decision.speaks].join();
  const length = Math.max(one.length, other.length);
  const first = Array.from({ length }, (_, index) => index).find((index) => key(one[index]) !== key(other[index]));
  return first;
}

describe.each([
  ['greedy', {}],
  ['sampled', { temperature: 0.8, seed: 5 }],
] as [string, GenerateOptions][])('%s answers', (_, choosing) => {
  let answers: Answer[][];
  beforeAll(async () => {
    answers = [];
    for (const question of questions)
      answers.push(await Promise.all(choices.map((choice) => engine.generate(question, { ...settings, ...choosing, ...choice }))));
  }, 240_000);

  test('by their own rule are as they are: all is known, and nothing would be another way', () => {
    for (const answer of answers.flat()) {
      const replayed = replay(answer);
      expect(replayed).toMatchObject({ changed: 0, unknown: 0 });
      expect(replayed.parting).toBeUndefined();
      expect(replayed.decisions.every(({ spoke, would }) => spoke === would)).toBe(true);
      expect(replayed.decisions.length).toBe(answer.decisions?.filter(({ kind }) => kind !== 'draft').length);
    }
  });

  test('by another rule part where a real run parts, as far as all is known up to there', () => {
    let [certain, open] = [0, 0];
    for (const row of answers) {
      for (const answer of row) {
        for (const [index, choice] of choices.entries()) {
          const { parting, decisions } = replay(answer, { gamma: 0.4, rule: 'top1', ...choice });
          const real = partingOf(answer, row[index] as Answer);
          const unknown = decisions.find(({ would }) => would === 'unknown')?.index ?? Number.POSITIVE_INFINITY;
          if (parting && parting.index < unknown) {
            expect(parting).toMatchObject({ index: real, position: answer.decisions?.[parting.index]?.position, certain: true });
            certain += 1;
          } else if (real === undefined) {
            open += 1;
          } else {
            // What is not known is where they part, or they part behind it.
            expect(real).toBeGreaterThanOrEqual(unknown);
            if (parting) expect(parting.certain).toBe(false);
            open += 1;
          }
        }
      }
    }
    expect(certain).toBeGreaterThan(400);
    expect(open).toBeGreaterThan(100);
  });
});

describe('a replay', () => {
  test('says which number is missing', async () => {
    const greedy = await engine.generate(questions[0] as string, settings);
    const whyNot = (answer: Answer, rule: DeferralRule) => new Set(replay(answer, { rule }).decisions.flatMap(({ why }) => why ?? []));
    expect([...whyNot(greedy, { name: 'entropy', entropy: 4 })].join()).toContain('the entropy');
    expect([...whyNot(greedy, { name: 'bet', lambda: 0 })].join()).toContain('the word of the aligned model');
    expect(whyNot(greedy, 'margin').size).toBe(0);
    const sampled = await engine.generate(questions[0] as string, { ...settings, temperature: 1, seed: 1 });
    expect([...whyNot(sampled, 'margin')].join()).toContain('where tokens are sampled');
  });

  test('knows that what is improbable has entropy, measured or not', async () => {
    const answer = await engine.generate(questions[0] as string, settings);
    const { decisions } = replay(answer, { rule: { name: 'entropy', entropy: 0.5 } });
    const improbable = decisions.filter(({ index }) => {
      const decision = answer.decisions?.[index] as Decision;
      return decision.speaks !== undefined && decision.probability < 0.5;
    });
    expect(improbable.length).toBeGreaterThan(0);
    for (const { would } of improbable) expect(would).toBe('aligned');
  });

  test('takes what is left out from the answer, and says by which rule it judges', async () => {
    const question = questions[0] as string;
    const answer = await engine.generate(question, { ...settings, gamma: 0.7 });
    expect(replay(answer).rule).toEqual({ name: 'top1', gamma: 0.7 });
    expect(replay(answer, { gamma: 0.2 }).rule).toEqual({ name: 'top1', gamma: 0.2 });
    expect(replay(answer, { rule: 'bet' }).rule).toEqual({ name: 'bet', lambda: 0.2 });
    const bet = await engine.generate(question, { ...settings, rule: { name: 'bet', lambda: 0.3 } });
    expect(replay(bet).rule).toEqual({ name: 'bet', lambda: 0.3 });
  });

  test('judges what lies behind the parting by itself', async () => {
    const answer = await engine.generate(questions[0] as string, settings);
    const { decisions, changed } = replay(answer, { gamma: 1.5 });
    // No token is sure enough: every decision of the rule for the base is another one.
    expect(changed).toBe(answer.decisions?.filter(({ speaks }) => speaks === 'base').length);
    expect(decisions.filter(({ would }) => would === 'base').every(({ index }) => answer.decisions?.[index]?.speaks === undefined)).toBe(
      true,
    );
  });

  test('needs nothing but the data of the answer', async () => {
    const answer = await engine.generate(questions[0] as string, settings);
    const copy: Answer = structuredClone(answer);
    expect(replay(copy, { rule: 'bet' })).toEqual(replay(answer, { rule: 'bet' }));
  });

  test('needs a full trace of both models, and a rule that is right', async () => {
    const question = questions[0] as string;
    const needed = { code: 'ERR_INVALID_OPTION', option: 'answer', message: expect.stringContaining("trace: 'full'") };
    const answer = await engine.generate(question, { maxTokens: 4 });
    expect(() => replay(answer)).toThrow(expect.objectContaining(needed));
    const alone = await engine.generate(question, { ...settings, mode: 'base', maxTokens: 4 });
    expect(() => replay(alone)).toThrow(expect.objectContaining(needed));
    const full = await engine.generate(question, { ...settings, maxTokens: 4 });
    const wrong = (options: object) => () => replay(full, options);
    expect(wrong({ gamma: 3 })).toThrow(expect.objectContaining({ option: 'gamma', value: 3 }));
    expect(wrong({ rule: { name: 'bet', lambda: 7 } })).toThrow(expect.objectContaining({ option: 'rule', value: 7 }));
    expect(wrong({ lambda: 0.2 })).toThrow(expect.objectContaining({ option: 'lambda' }));
  });
});
