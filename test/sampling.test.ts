import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Nudging, type Answer, type NudgingError, type SamplingOptions } from '../lib/index.ts';
import { compare } from './support/compare.ts';
import { spread } from './support/questions.ts';

const question = 'What is a harbor?';
const questions = spread(8).map((row) => row.question);
const warm = { temperature: 0.8, topK: 50, topP: 0.95, minP: 0.02 } satisfies SamplingOptions;
const free = { temperature: 1 } satisfies SamplingOptions;

let engine: Nudging;
beforeAll(async () => {
  engine = await Nudging.load();
});
afterAll(() => engine.close());

/** What an answer says and whom it has that from. */
const said = ({ rounds, stopReason }: Answer) => ({ rounds, stopReason });
const seeds = (count: number, from = 1) => Array.from({ length: count }, (_, i) => from + i);

/** Pearson's statistic of two samples of the same categories: of two by n counts. */
function chiSquare(first: Map<string, number>, second: Map<string, number>): { statistic: number; degrees: number } {
  const total = (counts: Map<string, number>) => [...counts.values()].reduce((sum, count) => sum + count, 0);
  const [m, n] = [total(first), total(second)];
  // Rare answers are one category: the statistic needs at least about five expected in each.
  const categories = [...new Set([...first.keys(), ...second.keys()])];
  const pairs = categories.map((key) => [first.get(key) ?? 0, second.get(key) ?? 0] as const);
  const common = pairs.filter(([a, b]) => a + b >= 10);
  const rare = pairs.filter(([a, b]) => a + b < 10).reduce<[number, number]>(([a, b], pair) => [a + pair[0], b + pair[1]], [0, 0]);
  const table = rare[0] + rare[1] >= 10 ? [...common, rare] : common;
  const statistic = table.reduce((sum, [a, b]) => {
    const expected = ((a + b) * m) / (m + n);
    return sum + (a - expected) ** 2 / expected + (b - (a + b - expected)) ** 2 / (a + b - expected);
  }, 0);
  return { statistic, degrees: table.length - 1 };
}

/**
 * About what chi-square exceeds once in a thousand times: Wilson and Hilferty's approximation, with the 99.9 % point of the normal
 * distribution.
 */
const critical = (degrees: number) => degrees * (1 - 2 / (9 * degrees) + 3.09 * Math.sqrt(2 / (9 * degrees))) ** 3;

describe('the same seed gives the same text', () => {
  test.each([{ settings: warm }, { settings: free }])(
    'with speculation or without: $settings',
    { timeout: 60_000 },
    async ({ settings }) => {
      let guessed = 0;
      for (const [i, asked] of questions.slice(0, 3).entries()) {
        const plain = await engine.generate(asked, { ...settings, seed: i, speculation: false, maxTokens: 40 });
        for (const speculation of [true, 1, 2, 3, 4, 5, 6, 7, 8]) {
          // Another seed in between: what the lanes remember must not be what makes the answers equal.
          await engine.generate(asked, { ...settings, seed: 1000 + i, speculation: false, maxTokens: 1 });
          const answer = await engine.generate(asked, { ...settings, seed: i, speculation, maxTokens: 40 });
          expect(said(answer)).toEqual(said(plain));
          guessed += answer.stats.base.guessed;
        }
      }
      expect(guessed).toBeGreaterThan(150);
    },
  );

  test('in a batch with others, and in a new engine', { timeout: 60_000 }, async () => {
    const alone: Answer[] = [];
    for (const [i, asked] of questions.entries())
      alone.push(await engine.generate(asked, { ...free, seed: i, maxTokens: 48, trace: 'full' }));
    await using wide = await Nudging.load({ parallel: 4 });
    const together = await Promise.all(
      questions.map((asked, i) => wide.generate(asked, { ...free, seed: i, maxTokens: 48, speculation: i % 2 === 0, trace: 'full' })),
    );
    for (const [i, first] of alone.entries()) {
      expect(said(together[i] as Answer)).toEqual(said(first));
      expect(together[i]?.decisions).toEqual(first.decisions);
    }
  });

  test.each(['base', 'aligned'] as const)('for the %s model alone', async (mode) => {
    const settings = { mode, ...free, seed: 5, maxTokens: 24 };
    const first = await engine.generate(question, settings);
    await engine.generate(question, { ...settings, seed: 6 });
    expect(said(await engine.generate(question, settings))).toEqual(said(first));
    expect(said(await engine.generate(question, { ...settings, temperature: 0 }))).not.toEqual(said(first));
  });

  test('and other seeds and settings give others', async () => {
    const texts = new Set<string>();
    for (const seed of seeds(20)) texts.add((await engine.generate(question, { ...free, seed, maxTokens: 24 })).text);
    expect(texts.size).toBeGreaterThan(5);
    const cool = await engine.generate(question, { temperature: 0.9, seed: 1, maxTokens: 24 });
    const hot = await engine.generate(question, { temperature: 3, seed: 1, maxTokens: 24 });
    expect(hot.text).not.toBe(cool.text);
  });

  test('settings of the engine hold, and those of a generation win', async () => {
    await using sampling = await Nudging.load({ ...free, seed: 3 });
    const expected = await engine.generate(question, { ...free, seed: 3, maxTokens: 24 });
    expect(await sampling.generate(question, { maxTokens: 24 })).toMatchObject({ text: expected.text, seed: 3 });
    const greedy = await engine.generate(question, { maxTokens: 24 });
    expect((await sampling.generate(question, { temperature: 0, maxTokens: 24 })).text).toBe(greedy.text);
  });
});

describe('noise', () => {
  // So hot that the noise alone decides: every token is about as likely as any other.
  const noise = { temperature: 100, seed: 8 };

  test('is another one in every context', async () => {
    const { pieces } = await engine.generate({ base: 'The' }, { mode: 'base', ...noise, maxTokens: 12 });
    expect(new Set(pieces.map(({ text }) => text)).size).toBeGreaterThan(8);
  });

  test('is another one for each model, were they the same', async () => {
    const path = fileURLToPath(new URL('../models/demo/base.gguf', import.meta.url));
    await using twins = await Nudging.load({ base: path, aligned: path, parallel: 1 });
    const draws = (lane: 'base' | 'aligned') =>
      Promise.all(seeds(5).map((seed) => twins.inspect({ lane, input: { base: 'The', aligned: 'The' }, sampling: { ...noise, seed } })));
    const [base, aligned] = [await draws('base'), await draws('aligned')];
    expect(aligned.map(({ context }) => context)).toEqual(base.map(({ context }) => context));
    expect(aligned.map(({ probability }) => probability)).toEqual(base.map(({ probability }) => probability));
    expect(aligned.filter(({ token }, i) => token === base[i]?.token).length).toBeLessThan(2);
  });
});

describe('greedy', () => {
  test('by default, at temperature 0 whatever the others are, and with one token to choose from', async () => {
    for (const asked of questions.slice(0, 4)) {
      const greedy = await engine.generate(asked);
      expect(greedy.seed).toBeUndefined();
      for (const same of [
        { temperature: 0 },
        { temperature: 0, topK: 5, topP: 0.5, minP: 0.5, seed: 9 },
        { temperature: 1e-6, seed: 9 },
        { temperature: 1, topK: 1 },
        { temperature: 1, topP: 1e-9 },
        { temperature: 1, minP: 1 },
      ]) {
        expect(said(await engine.generate(asked, same))).toEqual(said(greedy));
      }
    }
  });

  test('temperature 0 after temperature 1 does not find the sampled tokens again', async () => {
    const greedy = await engine.generate(question, { maxTokens: 24 });
    await engine.generate(question, { ...free, seed: 2, maxTokens: 24 });
    expect(said(await engine.generate(question, { maxTokens: 24 }))).toEqual(said(greedy));
  });
});

describe('the seed', () => {
  test('is drawn where none is given, told, and repeats the answer', async () => {
    const first = await engine.generate(question, { ...free, maxTokens: 24 });
    const second = await engine.generate(question, { ...free, maxTokens: 24 });
    expect(first.seed).toBeTypeOf('number');
    expect(second.seed).not.toBe(first.seed);
    const again = await engine.generate(question, { ...free, maxTokens: 24, seed: first.seed as number });
    expect(again).toMatchObject({ text: first.text, seed: first.seed });
  });

  test('may be any integer up to 2^53 - 1, and every bit counts', async () => {
    const texts = new Set<string>();
    for (const seed of [0, 1, 2 ** 31, 2 ** 32, 2 ** 32 + 1, 2 ** 52, Number.MAX_SAFE_INTEGER])
      texts.add((await engine.generate(question, { temperature: 2, seed, maxTokens: 24 })).text);
    expect(texts.size).toBe(7);
  });
});

describe('the uncertainty test', () => {
  test('asks the raw distribution: the probabilities of a sampled run are those of the most likely tokens', async () => {
    for (const seed of seeds(4)) {
      const answer = await engine.generate(question, { temperature: 2, topK: 20, seed, maxTokens: 32, trace: 'full' });
      const [first] = answer.decisions ?? [];
      const raw = await engine.inspect({ lane: 'aligned', input: question });
      expect(first?.probability).toBe(raw.probability);
    }
  });

  test.each(['pair.json', 'pair-cross.json'])(
    "%s: sampled runs give the stateless reference's rounds",
    { timeout: 120_000 },
    async (manifest) => {
      await using pair = await Nudging.load(fileURLToPath(new URL(`../models/demo/${manifest}`, import.meta.url)));
      const reasons = [];
      for (const [i, asked] of questions.slice(0, 6).entries()) {
        const compared = await compare(pair, asked, {
          gamma: [0.4, 0.2, 0.9][i % 3] as number,
          lookahead: 12,
          maxTokens: 32,
          speculation: i % 2 === 0 ? 4 : true,
          ...(i % 4 < 2 ? free : warm),
          seed: i,
        });
        reasons.push(...compared.reasons);
      }
      expect(reasons).toEqual([]);
    },
  );
});

describe('the distribution', () => {
  const input = { base: 'The' };

  test("of the base's next token is its own: the most likely one comes with its probability", { timeout: 60_000 }, async () => {
    const raw = await engine.inspect({ lane: 'base', input });
    expect(raw.probability).toBeGreaterThan(0.2);
    expect(raw.probability).toBeLessThan(0.8);
    const count = 1000;
    let hits = 0;
    for (const seed of seeds(count))
      hits +=
        (await engine.generate(input, { mode: 'base', ...free, seed, maxTokens: 1 })).text === new TextDecoder().decode(raw.bytes) ? 1 : 0;
    const deviation = Math.sqrt(count * raw.probability * (1 - raw.probability));
    // 0.1 %, both sides
    expect(Math.abs(hits - count * raw.probability)).toBeLessThan(3.29 * deviation);
  });

  test('of two kept tokens is that of their logits at the temperature', { timeout: 60_000 }, async () => {
    const raw = await engine.inspect({ lane: 'base', input });
    const temperature = 4;
    const expected = 1 / (1 + Math.exp(-raw.margin / temperature));
    const count = 1000;
    let hits = 0;
    const seen = new Set<string>();
    for (const seed of seeds(count)) {
      const { text } = await engine.generate(input, { mode: 'base', temperature, topK: 2, seed, maxTokens: 1 });
      seen.add(text);
      hits += text === new TextDecoder().decode(raw.bytes) ? 1 : 0;
    }
    expect(seen.size).toBe(2);
    expect(Math.abs(hits - count * expected)).toBeLessThan(3.29 * Math.sqrt(count * expected * (1 - expected)));
  });

  test('of short answers is the same with speculation and without (chi-square of two samples, 0.1 %)', { timeout: 60_000 }, async () => {
    const asked = 'Take the last letters of "Edith" and "Liam" and concatenate them.';
    const short = { temperature: 2.5, topK: 3, gamma: 0.1, lookahead: 6, maxTokens: 5 };
    const counts = async (speculation: boolean | number, from: number) => {
      const texts = new Map<string, number>();
      let [guessed, right] = [0, 0];
      for (const seed of seeds(200, from)) {
        const { text, stats } = await engine.generate(asked, { ...short, speculation, seed });
        // The beginning: whole answers are too many different ones to count.
        const beginning = text.slice(0, 10);
        texts.set(beginning, (texts.get(beginning) ?? 0) + 1);
        guessed += stats.base.guessed;
        right += stats.base.guessesRight;
      }
      return { texts, guessed, right };
    };
    // Seeds of their own: with the same ones the samples would be equal by construction.
    const plain = await counts(false, 1);
    const speculative = await counts(4, 10_001);
    // Both outcomes: guesses that are accepted, and guesses whose place the base's own sample takes.
    expect(speculative.right).toBeGreaterThan(100);
    expect(speculative.guessed - speculative.right).toBeGreaterThan(100);
    const { statistic, degrees } = chiSquare(plain.texts, speculative.texts);
    expect(degrees).toBeGreaterThan(2);
    expect(statistic).toBeLessThan(critical(degrees));
  });
});

describe('errors', () => {
  test.each([
    ['temperature', -0.1, 'a number from 0 to 100'],
    ['temperature', Infinity, 'a number from 0 to 100'],
    ['temperature', '1', 'a number from 0 to 100'],
    ['topK', 1.5, 'an integer from 0 to 1000000'],
    ['topK', -1, 'an integer from 0 to 1000000'],
    ['topP', 0, 'a number over 0 and at most 1'],
    ['topP', 1.01, 'a number over 0 and at most 1'],
    ['topP', NaN, 'a number over 0 and at most 1'],
    ['minP', 1.5, 'a number from 0 to 1'],
    ['seed', -1, 'an integer from 0 to 9007199254740991'],
    ['seed', 2 ** 53, 'an integer from 0 to 9007199254740991'],
    ['seed', 0.5, 'an integer from 0 to 9007199254740991'],
  ])('%s: %j must be %s', async (option, value, expected) => {
    const error = (await engine.generate(question, { [option]: value }).catch((reason: unknown) => reason)) as NudgingError;
    expect(error).toMatchObject({ name: 'NudgingError', code: 'ERR_INVALID_OPTION', option, value });
    expect(error.message).toContain(expected);
    await expect(engine.inspect({ lane: 'base', input: question, sampling: { [option]: value } })).rejects.toMatchObject({
      code: 'ERR_INVALID_OPTION',
      option,
    });
    await expect(Nudging.load({ [option]: value })).rejects.toMatchObject({ code: 'ERR_INVALID_OPTION', option });
  });

  test('what is no setting of sampling is refused by inspect', async () => {
    await expect(engine.inspect({ lane: 'base', input: question, sampling: { gamma: 1 } as never })).rejects.toMatchObject({
      option: 'gamma',
    });
    await expect(engine.inspect({ lane: 'base', input: question, sampling: 1 as never })).rejects.toMatchObject({ option: 'sampling' });
  });

  test('an answer that was aborted has its seed too', async () => {
    expect(await engine.generate(question, { ...free, seed: 4, signal: AbortSignal.abort() })).toMatchObject({
      text: '',
      stopReason: 'aborted',
      seed: 4,
    });
  });
});
