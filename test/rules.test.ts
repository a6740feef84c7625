import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Nudging, type Answer, type Decision, type DeferralRule, type GenerateOptions } from '../lib/index.ts';
import { spread } from './support/questions.ts';
import { reference } from './support/reference.ts';

const question = 'What is a harbor?';
const questions = spread(20).map((row) => row.question);
/** Every rule, with settings under which each defers here and there. */
const rules: DeferralRule[] = [
  'bet',
  { name: 'bet', lambda: 0 },
  'hybrid',
  { name: 'hybrid', low: 0.1, high: 0.99, lambda: 0 },
  { name: 'margin', margin: 0.7 },
  { name: 'entropy', entropy: 1.5 },
  { name: 'adaptive', rate: 0.02, step: 0.3, reach: 0.6 },
];
const named = rules.map((rule) => [JSON.stringify(rule), rule] as const);
const settings = { gamma: 0.4, lookahead: 16, maxTokens: 64 };
const said = ({ text, rounds, stopReason, endedBy, stats }: Answer) => ({ text, rounds, stopReason, endedBy, used: stats.tokens });
const manifestOf = (name: string) => fileURLToPath(new URL(`../models/demo/${name}`, import.meta.url));

describe.each(['pair.json', 'pair-cross.json'])('models/demo/%s', (manifest) => {
  let engine: Nudging;
  beforeAll(async () => {
    engine = await Nudging.load(manifestOf(manifest));
  });
  afterAll(() => engine.close());

  test.each(named)("%s gives the stateless reference's rounds", { timeout: 240_000 }, async (_, rule) => {
    for (const asked of questions.slice(0, 4)) {
      const answer = await engine.generate(asked, { ...settings, rule });
      expect(said(answer)).toEqual(await reference(engine, asked, { ...settings, rule }));
    }
  });

  test.each(named)('%s gives the same with speculation as without', { timeout: 240_000 }, async (_, rule) => {
    let guessed = 0;
    for (const asked of questions.slice(0, 8)) {
      const plain = await engine.generate(asked, { ...settings, rule, speculation: false, trace: 'full' });
      for (const speculation of [true, 3, 8]) {
        // Another rule in between: what the lanes remember must not be what makes the answers equal.
        await engine.generate(asked, { ...settings, rule: 'top1', speculation: false, maxTokens: 1 });
        const answer = await engine.generate(asked, { ...settings, rule, speculation, trace: 'full' });
        expect(said(answer)).toEqual(said(plain));
        expect(answer.decisions).toEqual(plain.decisions);
        guessed += answer.stats.base.guessed;
      }
    }
    expect(guessed).toBeGreaterThan(100);
  });
});

describe('the demo pair', () => {
  let engine: Nudging;
  beforeAll(async () => {
    engine = await Nudging.load({ parallel: 4 });
  });
  afterAll(() => engine.close());
  const full = (options: GenerateOptions, asked = question) => engine.generate(asked, { ...settings, ...options, trace: 'full' });
  const judged = ({ decisions = [] }: Answer) => decisions.filter(({ speaks }) => speaks !== undefined);

  test('a rule is no other than the one that it is known to be', async () => {
    const pairs: [GenerateOptions, GenerateOptions][] = [
      [{ rule: { name: 'bet', lambda: 1 } }, { gamma: 0 }],
      [{ rule: { name: 'margin', margin: 0 } }, { gamma: 0 }],
      [{ rule: { name: 'entropy', entropy: 20 } }, { gamma: 0 }],
      [{ rule: { name: 'hybrid', low: 0.4, high: 0.4 } }, { gamma: 0.4 }],
      [{ rule: { name: 'hybrid', low: 0.7, high: 0.7, lambda: 1 } }, { gamma: 0.7 }],
      [{ rule: { name: 'hybrid', low: 1.5, high: 1.5 } }, { gamma: 1.5 }],
      [{ rule: { name: 'hybrid', low: 0, high: 2, lambda: 0 } }, { rule: { name: 'bet', lambda: 0 } }],
      [{ rule: 'top1', gamma: 0.6 }, { gamma: 0.6 }],
      [{ rule: { name: 'top1' }, gamma: 0.6 }, { gamma: 0.6 }],
      [{ rule: 'bet', gamma: 2 }, { rule: { name: 'bet', lambda: 0.2 } }],
    ];
    for (const [one, other] of pairs) {
      for (const asked of questions.slice(0, 5)) expect(said(await full(one, asked))).toEqual(said(await full(other, asked)));
    }
  });

  test('and rules are not all the same', async () => {
    const different = new Set<string>();
    for (const rule of ['top1', ...rules] as DeferralRule[]) {
      const answers: Answer[] = [];
      for (const asked of questions.slice(0, 5)) answers.push(await full({ rule }, asked));
      different.add(JSON.stringify(answers.map(({ rounds }) => rounds)));
    }
    // Both models of the demo pair are mostly sure, so some rules agree.
    expect(different.size).toBeGreaterThan(3);
  });

  test('where the base must speak in half a word it is the same whatever `lookahead` cuts', { timeout: 120_000 }, async () => {
    for (const lookahead of [1, 2, 3, 5]) {
      for (const rule of [{ name: 'bet', lambda: 0.05 }, 'hybrid'] as const) {
        const options = { ...settings, lookahead, maxTokens: 30, rule };
        expect(said(await engine.generate(question, options))).toEqual(await reference(engine, question, options));
      }
    }
  });

  test('sampled answers, changed logits', { timeout: 240_000 }, async () => {
    for (const [_, rule] of named) {
      for (const choosing of [
        { temperature: 0.9, seed: 3 },
        { repeatPenalty: 1.3, logitBias: { ' shelter': -100 } },
      ]) {
        const options = { ...settings, maxTokens: 32, rule, ...choosing };
        const answer = await engine.generate(question, options);
        expect(said(answer)).toEqual(await reference(engine, question, options));
      }
    }
  });

  test('what a rule measures is of the distribution, whatever is drawn from it', async () => {
    for (const asked of questions.slice(0, 3)) {
      const greedy = await engine.inspect({ lane: 'base', input: asked });
      for (const seed of [1, 2, 3]) {
        const drawn = await engine.inspect({ lane: 'base', input: asked, sampling: { temperature: 3, seed } });
        expect([drawn.probability, drawn.runnerUp, drawn.entropy]).toEqual([greedy.probability, greedy.runnerUp, greedy.entropy]);
        expect(drawn.margin).not.toBe(greedy.margin);
      }
    }
  });

  test('together with answers by other rules, each is the same as alone', { timeout: 120_000 }, async () => {
    const alone: Answer[] = [];
    for (const rule of rules) alone.push(await full({ rule }));
    const together = await Promise.all(rules.map((rule) => full({ rule })));
    for (const [index, answer] of together.entries()) {
      expect(said(answer)).toEqual(said(alone[index] as Answer));
      expect(answer.decisions).toEqual(alone[index]?.decisions);
    }
  });

  test('the trace says what a rule looked at, and who speaks by that', async () => {
    const margin = judged(await full({ rule: { name: 'margin', margin: 0.7 } }));
    for (const { probability, runnerUp = Number.NaN, speaks, entropy, words } of margin) {
      expect(speaks).toBe(Math.fround(probability - runnerUp) >= Math.fround(0.7) ? 'base' : 'aligned');
      expect([entropy, words]).toEqual([undefined, undefined]);
    }
    const entropy = judged(await full({ rule: { name: 'entropy', entropy: 1.5 } }));
    for (const decision of entropy) expect(decision.speaks).toBe((decision.entropy as number) <= 1.5 ? 'base' : 'aligned');
    const bet = judged(await full({ rule: { name: 'bet', lambda: 0.05 } }));
    const compared = bet.filter(({ words }) => words !== undefined);
    for (const { words, speaks } of compared as Required<Decision>[])
      expect(speaks).toBe(words.base >= Math.fround(words.aligned - Math.fround(0.05)) ? 'base' : 'aligned');
    // Words of several tokens are compared once.
    expect(compared.length).toBeLessThan(bet.length);
    const top1 = judged(await full({}));
    for (const decision of top1) {
      expect(decision.speaks).toBe(decision.probability >= 0.4 ? 'base' : 'aligned');
      expect(decision).not.toHaveProperty('runnerUp');
      expect(decision).not.toHaveProperty('entropy');
    }
    for (const decisions of [margin, entropy, bet, top1])
      expect(new Set(decisions.map(({ speaks }) => speaks))).toEqual(new Set(['base', 'aligned']));
  });

  test("`inspect` measures by the definition, and a rule's numbers are those", async () => {
    const { candidates, runnerUp, entropy } = await engine.inspect({ lane: 'base', input: question, text: 'A', candidates: 1000 });
    const sum = candidates.reduce((total, { probability }) => total - probability * Math.log(probability), 0);
    expect(runnerUp).toBeCloseTo(candidates[1]?.probability as number, 6);
    // What the others add: nothing at least, and most if they are equally likely.
    const rest = 1 - candidates.reduce((total, { probability }) => total + probability, 0);
    expect(entropy).toBeGreaterThan(sum);
    expect(entropy).toBeLessThan(sum - rest * Math.log(rest / (engine.models.base.vocabulary - 1000)));
    const { decisions = [] } = await full({ rule: 'entropy' });
    expect(decisions.find(({ kind, position }) => kind === 'boundary' && position === 1)?.entropy).toBe(entropy);
  });

  test('what is asked of the models: a draft that agrees serves, and thresholds spare the question', async () => {
    const asked = async (rule: DeferralRule) => (await engine.generate(question, { ...settings, rule })).stats.aligned.questions;
    const [top1, hybrid, bet] = [await asked('top1'), await asked('hybrid'), await asked('bet')];
    expect(hybrid).toBeLessThan(bet);
    expect(top1).toBeLessThanOrEqual(hybrid);
  });
});

test('the words that were read are not decoded again when they are spoken', async () => {
  const decoded: number[] = [];
  for (const rule of ['top1', { name: 'bet', lambda: 1 }] as const) {
    await using engine = await Nudging.load({ parallel: 1, speculation: false });
    decoded.push((await engine.generate(question, { gamma: 0, rule })).stats.base.decodedTokens);
  }
  expect(decoded[1]).toBe(decoded[0]);
});

test('rules are the same where the models work side by side, and in a process of its own', { timeout: 120_000 }, async () => {
  await using plain = await Nudging.load({ parallel: 2 });
  await using beside = await Nudging.load({ parallel: 2, overlap: true });
  await using isolated = await Nudging.load({ parallel: 2, isolate: true });
  for (const rule of rules) {
    const options = { ...settings, rule, trace: 'full' } as const;
    const expected = await plain.generate(question, options);
    for (const engine of [beside, isolated]) {
      const answer = await engine.generate(question, options);
      expect(said(answer)).toEqual(said(expected));
      expect(answer.decisions?.map(({ speaks, words }) => [speaks, words])).toEqual(
        expected.decisions?.map(({ speaks, words }) => [speaks, words]),
      );
    }
  }
});

test('ties: what a rule compared is close or not without `deterministic`', async () => {
  await using fast = await Nudging.load({ deterministic: false, threads: 1 });
  const ties = async (rule: DeferralRule) => (await fast.generate(question, { ...settings, rule })).ties;
  const { decisions = [] } = await fast.generate(question, { ...settings, rule: { name: 'bet', lambda: 0.2 }, trace: 'full' });
  const lost = decisions.find(({ words, speaks }) => words !== undefined && speaks === 'aligned')?.words as {
    base: number;
    aligned: number;
  };
  // λ at what the word lacks is a tie, on either side.
  const lambda = Math.min(1, lost.aligned - lost.base);
  expect(await ties({ name: 'bet', lambda: lambda - 0.002 })).toBeGreaterThan(await ties({ name: 'bet', lambda: 0.2 }));
});

describe('a rule that is wrong', () => {
  const wrong: [unknown, unknown, RegExp][] = [
    ['best', 'best', /`rule` must be one of "top1", "bet", .*; got 'best'/],
    [{ name: 'best' }, 'best', /must be one of "top1"/],
    [{}, {}, /must be one of "top1"/],
    [5, 5, /must be one of "top1"/],
    [null, null, /must be one of "top1"/],
    [['bet'], ['bet'], /must be one of "top1"/],
    [{ name: 'constructor' }, 'constructor', /must be one of "top1"/],
    [{ name: 'bet', lambda: 1.5 }, 1.5, /must be a rule whose "lambda" is a number from 0 to 1; got 1.5/],
    [{ name: 'bet', lambda: '0.1' }, '0.1', /"lambda" is a number/],
    [{ name: 'bet', lambda: Number.NaN }, Number.NaN, /"lambda" is a number/],
    [{ name: 'bet', low: 0.1 }, 'low', /no other parameters than lambda where its name is "bet"; got 'low'/],
    [{ name: 'bet', toString: 1 }, 'toString', /no other parameters/],
    [{ name: 'top1', gamma: 0.3 }, 'gamma', /without "gamma", which is an option of its own beside it/],
    [{ name: 'hybrid', low: 0.8 }, 0.8, /whose "low" is at most its "high" \(0.6\); got 0.8/],
    [{ name: 'hybrid', high: 3 }, 3, /"high" is a number from 0 to 2/],
    [{ name: 'margin', margin: -0.1 }, -0.1, /"margin" is a number from 0 to 1/],
    [{ name: 'entropy', entropy: 21 }, 21, /"entropy" is a number from 0 to 20/],
  ];
  test.each(wrong)('%j is refused by name, with the part that is to blame', async (rule, value, message) => {
    const error = await Nudging.load({ rule: rule as DeferralRule }).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: 'ERR_INVALID_OPTION', option: 'rule', value, message: expect.stringMatching(message) });
  });

  test('parameters that are undefined have their default', async () => {
    await using engine = await Nudging.load({ rule: { name: 'bet', lambda: undefined as never } });
    const { decidedBy } = await engine.generate(question, { trace: 'full', maxTokens: 4 });
    expect(decidedBy).toEqual({ rule: { name: 'bet', lambda: 0.2 }, gamma: 0.4, lookahead: 16 });
  });

  test('one model alone has no rule', async () => {
    await using engine = await Nudging.load({ rule: 'entropy' });
    const answer = await engine.generate(question, { mode: 'base', trace: 'full', maxTokens: 4 });
    expect(answer.decidedBy).toBeUndefined();
  });
});
