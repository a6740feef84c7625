import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Nudging, type Answer, type GenerateOptions, type LoadOptions } from '../lib/index.ts';
import { demoPairIn, randomModel } from './support/models.ts';
import { spread } from './support/questions.ts';

const questions = spread(8).map((row) => row.question);
/** Everything that a decision shows: which it was, and how sure the model was, to the bit. */
const decisions = ({ text, rounds, pieces, decisions: all }: Answer) => JSON.stringify([text, rounds, pieces, all]);
const plain = { speculation: false, maxTokens: 40, trace: 'full' } as const satisfies GenerateOptions;
const odd = {
  windows: randomModel({ vocabulary: 'llama-spm', architecture: 'gemma3', seed: 3 }),
  dense: randomModel({ vocabulary: 'deepseek-coder', seed: 4 }),
  recurrent: randomModel({ vocabulary: 'llama-spm', architecture: 'mamba', seed: 3 }),
  unknown: randomModel({ vocabulary: 'llama-spm', architecture: 'rwkv7', seed: 3, embedding: 64 }),
};
const oddPair = { base: odd.windows, aligned: odd.dense, context: 512, gamma: 0.6 } as const;

describe('the same bits', () => {
  const kinds: Record<string, LoadOptions> = {
    'the demo pair': {},
    'the demo pair of two families': { pair: path.resolve(import.meta.dirname, '../models/demo/pair-cross.json') },
    'the demo pair in plain memory': { cpuBuffers: 'plain' },
    'the demo pair without flash attention': { flashAttention: false },
    'the demo pair in Q4_K': demoPairIn('q4_K'),
    'the demo pair in Q4_K, not in AMX': { ...demoPairIn('q4_K'), cpuBuffers: ['repack'] },
    'the demo pair in Q4_0': { ...demoPairIn('q4_0'), cpuBuffers: ['repack'] },
    'the demo pair with a quantised cache': { kvCache: 'q8_0' },
    'models of random weights, one of them with a sliding window': oddPair,
    'the same without flash attention': { ...oddPair, flashAttention: false },
    'one with a recurrent memory': { ...oddPair, base: odd.recurrent },
  };
  describe.each(Object.entries(kinds))('%s', (_, load) => {
    let alone: string[];
    const withEngine = async <T>(more: LoadOptions, use: (engine: Nudging) => Promise<T>): Promise<T> => {
      await using engine = await Nudging.load({ threads: 1, deterministic: true, ...load, ...more });
      return await use(engine);
    };

    beforeAll(async () => {
      alone = await withEngine({ parallel: 1 }, async (engine) => {
        const answers: string[] = [];
        for (const question of questions) answers.push(decisions(await engine.generate(question, plain)));
        return answers;
      });
      expect(new Set(alone).size).toBe(questions.length);
    }, 60_000);

    test.each([2, 4, 8])('beside %i others', async (parallel) => {
      const answers = await withEngine({ parallel }, (engine) =>
        Promise.all(questions.map((question) => engine.generate(question, plain))),
      );
      expect(answers.map(decisions)).toEqual(alone);
    });

    test.each([true, 4, 8])('with guesses (%s), in company and another time', async (speculation) => {
      const both = await withEngine({ parallel: 4 }, async (engine) => [
        await Promise.all(questions.map((question) => engine.generate(question, { ...plain, speculation }))),
        await Promise.all(questions.toReversed().map((question) => engine.generate(question, { ...plain, speculation }))),
      ]);
      expect(both[0]?.map(decisions)).toEqual(alone);
      expect(both[1]?.toReversed().map(decisions)).toEqual(alone);
    });

    test('in small batches, with both models at once', async () => {
      const answers = await withEngine({ parallel: 4, batch: 7, overlap: true }, (engine) =>
        Promise.all(questions.map((question) => engine.generate(question, plain))),
      );
      expect(answers.map(decisions)).toEqual(alone);
    });

    // Few questions: on busy cores two threads wait long for each other.
    test('with another number of threads', { timeout: 60_000 }, async () => {
      const answers = await withEngine({ parallel: 2, threads: 2 }, (engine) =>
        Promise.all(questions.slice(0, 2).map((question) => engine.generate(question, plain))),
      );
      expect(answers.map(decisions)).toEqual(alone.slice(0, 2));
    });

    test('parked and taken up again', async () => {
      const answers = await withEngine({ parallel: 1, highWaterMark: 1 }, async (engine) => {
        const streams = questions.slice(0, 4).map((question) => engine.stream(question, plain));
        const ended: Answer[] = [];
        for (const stream of streams) {
          for await (const piece of stream) expect(piece.text).not.toBe('');
          ended.push(await stream.answer);
        }
        return ended;
      });
      expect(answers.map(({ text, rounds, pieces }) => JSON.stringify([text, rounds, pieces]))).toEqual(
        alone.slice(0, 4).map((one) => JSON.stringify(JSON.parse(one).slice(0, 3))),
      );
    });
  });
});

describe('whether it is so', () => {
  test('is told, and can be declined', async () => {
    await using usual = await Nudging.load();
    expect(usual).toMatchObject({ deterministic: true, whyNotDeterministic: undefined });
    await using fast = await Nudging.load({ deterministic: false });
    expect(fast).toMatchObject({ deterministic: false, whyNotDeterministic: undefined });
  });

  test('an architecture of which nobody knows is not, and says so', async () => {
    const pair = { base: odd.unknown, aligned: odd.dense, context: 256, threads: 1 };
    await using engine = await Nudging.load(pair);
    expect(engine.deterministic).toBe(false);
    const reason = /rwkv7.*has not been shown/;
    expect(engine.whyNotDeterministic).toMatch(reason);
    await expect(Nudging.load({ ...pair, deterministic: true })).rejects.toMatchObject({
      code: 'ERR_NOT_DETERMINISTIC',
      message: expect.stringMatching(reason),
    });
  });

  test('a cache of 32-bit numbers without flash attention is not, and the remedy helps', async () => {
    const load = { kvCache: 'f32', flashAttention: false, deterministic: true } as const;
    await expect(Nudging.load(load)).rejects.toMatchObject({
      code: 'ERR_NOT_DETERMINISTIC',
      message: expect.stringMatching(/`flashAttention` to true or `kvCache` to "f16"/),
    });
    await using engine = await Nudging.load({ ...load, flashAttention: true });
    expect(engine.deterministic).toBe(true);
  });

  test('with isolate, too', async () => {
    await using engine = await Nudging.load({ isolate: true, deterministic: true });
    expect(engine.deterministic).toBe(true);
  });
});

describe('options', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'nudging-determinism-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  const demo = (file: string) => path.resolve(import.meta.dirname, '../models/demo', file);

  test('a pair can ask for it, and who loads it can decline', async () => {
    const pair = path.join(folder, 'pair.json');
    writeFileSync(pair, JSON.stringify({ base: demo('base.gguf'), aligned: demo('aligned.gguf'), deterministic: false }));
    await using asked = await Nudging.load(pair);
    expect(asked.deterministic).toBe(false);
    await using declined = await Nudging.load({ pair, deterministic: true });
    expect(declined.deterministic).toBe(true);
  });

  test.each([
    [{ deterministic: 'yes' }, 'deterministic'],
    [{ flashAttention: 'on' }, 'flashAttention'],
    [{ flashAttention: { base: 1 } }, 'flashAttention'],
    [{ flashAttention: false, kvCache: 'q8_0' }, 'flashAttention'],
    [{ flashAttention: { aligned: false }, kvCache: { aligned: 'q4_0' } }, 'flashAttention'],
  ])('%j is refused', async (load, option) => {
    await expect(Nudging.load(load as LoadOptions)).rejects.toMatchObject({ code: 'ERR_INVALID_OPTION', option });
  });

  test('one lane may have flash attention without the other', async () => {
    await using engine = await Nudging.load({ flashAttention: { base: false, aligned: 'auto' }, kvCache: { aligned: 'q8_0' } });
    expect((await engine.generate('What is a harbor?')).text).toMatch(/harbor/);
  });
});
