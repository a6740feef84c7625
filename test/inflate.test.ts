import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Nudging, type Answer, type LaneName } from '../lib/index.ts';
import { inRoot } from '../scripts/lib/paths.mjs';
import { agreeingPair, disagreeingPair, inflated, inflatedPair, shapes, tool, type Pair } from './support/inflated.ts';
import { spread } from './support/questions.ts';
import { questions as asked, replay, tie } from './support/replay.ts';

const questions = spread(10).map(({ question }) => question);
const options = { gamma: 0.3, maxTokens: 96, trace: 'full' } as const;
const load = ({ base, aligned }: Pair) => Nudging.load({ base, aligned, threads: 1 });
let demo: Nudging;
let answers: Answer[];
beforeAll(async () => {
  demo = await Nudging.load({ threads: 1 });
  answers = [];
  for (const question of questions) answers.push(await demo.generate(question, options));
});
afterAll(() => demo.close());

interface Difference {
  texts: number;
  rounds: number;
  /** Answers with other rounds of which the demo pair confirms every decision. */
  ties: number;
  reasons: string[];
}

/** How the answers of a pair compare with those of the demo pair. */
async function compareAnswers(engine: Nudging): Promise<Difference> {
  const result: Difference = { texts: 0, rounds: 0, ties: 0, reasons: [] };
  for (const [index, expected] of answers.entries()) {
    const question = questions[index] as string;
    const answer = await engine.generate(question, options);
    result.texts += Number(answer.text === expected.text);
    const isSame = JSON.stringify(answer.rounds) === JSON.stringify(expected.rounds);
    result.rounds += Number(isSame);
    if (isSame) continue;
    const { ties, wrong } = await replay(demo, question, answer, options, tie);
    if (wrong.length === 0 && ties > 0) result.ties += 1;
    else result.reasons.push(...wrong, `${JSON.stringify(answer.text)} instead of ${JSON.stringify(expected.text)}`);
  }
  return result;
}

/** The largest difference of a top-1 probability along the demo pair's answers, and how often the top-1 token is another. */
async function compareProbabilities(one: Nudging, two: Nudging) {
  let difference = 0;
  let otherTokens = 0;
  let contexts = 0;
  for (const lane of ['base', 'aligned'] as const satisfies LaneName[]) {
    for (const [index, { text }] of answers.entries()) {
      for (let at = 0; at < text.length; at += 29) {
        const inspection = { lane, input: questions[index] as string, text: text.slice(0, at) };
        const [a, b] = [await one.inspect(inspection), await two.inspect(inspection)];
        contexts += 1;
        // Which of two equals is first may change; how probable it is may not.
        difference = Math.max(difference, Math.abs(a.probability - b.probability));
        otherTokens += Number(a.token !== b.token);
      }
    }
  }
  return { difference, otherTokens, contexts };
}

describe('an inflated pair', () => {
  const small = inflatedPair(shapes.smallBase, shapes.smallAligned);

  test('answers as the demo pair does', { timeout: 60_000 }, async () => {
    const engine = await load(small);
    for (const lane of ['base', 'aligned'] as const)
      expect(engine.models[lane].parameters).toBeGreaterThan(4 * demo.models[lane].parameters);
    const { rounds, texts, ties, reasons } = await compareAnswers(engine);
    const { difference, otherTokens } = await compareProbabilities(demo, engine);
    await engine.close();
    expect(reasons).toEqual([]);
    expect(rounds + ties).toBe(questions.length);
    expect(texts).toBeGreaterThanOrEqual(questions.length - 1);
    expect(difference).toBeLessThan(2e-3);
    expect(otherTokens).toBeLessThanOrEqual(1);
  });

  // The originals' matrices are F16, and with them llama.cpp rounds what they are multiplied with. In F32 only the KV cache is rounded.
  test('is the same function, to the precision of F32', { timeout: 60_000 }, async () => {
    const asTheyAre = inflatedPair(
      { embedding: 256, layers: 4, feedForward: 704, type: 'f32' },
      { embedding: 128, layers: 3, feedForward: 352, type: 'f32' },
    );
    // Not a multiple of the original's width; and query heads that share keys and values.
    const bigger = inflatedPair(
      { embedding: 576, layers: 5, feedForward: 800, type: 'f32', heads: 16, keyValueHeads: 8 },
      { embedding: 416, layers: 4, feedForward: 1000, type: 'f32', copies: 2, heads: 16, keyValueHeads: 4 },
    );
    const engines = await Promise.all([load(asTheyAre), load(bigger)]);
    const { difference, otherTokens, contexts } = await compareProbabilities(...(engines as [Nudging, Nudging]));
    await Promise.all(engines.map((engine) => engine.close()));
    expect(contexts).toBeGreaterThan(50);
    expect(otherTokens).toBe(0);
    expect(difference).toBeLessThan(1e-3);
  });

  // What is left is the rounding of what the matrices are multiplied with, to eight bits.
  test.each([
    { type: 'q8_0', noise: 0.1 },
    { type: 'q4_0', noise: 0.15 },
  ] as const)('gives the same answers in $type', { timeout: 60_000 }, async ({ type, noise }) => {
    const engine = await load(
      inflatedPair(
        { ...shapes.smallBase, embedding: 768, feedForward: 2304, type },
        { ...shapes.smallAligned, embedding: 512, feedForward: 1536, type },
      ),
    );
    const { texts } = await compareAnswers(engine);
    const { difference, otherTokens, contexts } = await compareProbabilities(demo, engine);
    await engine.close();
    const differs = `p differs by up to ${difference.toFixed(3)}, the token in ${otherTokens} of ${contexts} contexts`;
    console.log(`${type}: ${texts} of ${questions.length} texts are the demo pair's; ${differs}`);
    expect(texts).toBeGreaterThanOrEqual(questions.length - 1);
    expect(difference).toBeLessThan(noise);
  });

  test('is made once', () => {
    expect(inflatedPair(shapes.smallBase, shapes.smallAligned)).toEqual(small);
    expect(inflated('base', { ...shapes.smallBase, seed: 2 })).not.toBe(small.base);
  });
});

test('the pair that agrees does, as far as the base is sure enough to go on', { timeout: 60_000 }, async () => {
  const pair = agreeingPair(shapes.smallBase, shapes.smallAligned);
  const engine = await load(pair);
  const share: Record<string, number> = {};
  for (const gamma of [0.3, 0]) {
    let baseTokens = 0;
    let tokens = 0;
    for (const question of questions) {
      const { rounds, stopReason, stats } = await engine.generate(pair.input(question), { ...pair.options, gamma });
      expect(rounds.filter(({ by }) => by !== 'agree' && by !== 'end')).toEqual([]);
      expect(stopReason).toBe('end');
      baseTokens += stats.baseTokens;
      tokens += stats.tokens;
    }
    share[gamma] = baseTokens / tokens;
  }
  await engine.close();
  expect(share[0.3]).toBeGreaterThan(0.5);
  expect(share[0]).toBeGreaterThan(0.9);
});

test('the pair that never agrees does not, wherever the base goes on', { timeout: 60_000 }, async () => {
  const pair = disagreeingPair(shapes.smallBase, shapes.smallAligned);
  const engine = await load(pair);
  let baseTokens = 0;
  let tokens = 0;
  for (const question of questions.slice(0, 6)) {
    const input = pair.input(question);
    const answer = await engine.generate(input, { ...pair.options, trace: 'full' });
    expect(answer.rounds.filter(({ by }) => by === 'agree')).toEqual([]);
    for (const { decision, lane, text, tokens: run } of asked(answer)) {
      if (lane !== 'base') continue;
      const expected = await engine.inspect({ lane: 'aligned', input, text, tokens: run });
      expect(expected.token).not.toBe(decision.token);
    }
    baseTokens += answer.stats.baseTokens;
    tokens += answer.stats.tokens;
  }
  await engine.close();
  expect(tokens).toBe(6 * 96);
  expect(baseTokens / tokens).toBeGreaterThan(0.3);
});

describe('the tool refuses', () => {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'nudging-inflate-'));
  afterAll(() => rmSync(folder, { recursive: true }));
  const demoBase = inRoot('models/demo/base.gguf');
  const good = { model: demoBase, out: path.join(folder, 'out.gguf'), embd: 512, layers: 5, ffn: 1024, type: 'f16' };
  const run = (changed: Record<string, string | number>) =>
    execFileSync(
      tool,
      Object.entries({ ...good, ...changed }).flatMap(([name, value]) => [`--${name}`, `${value}`]),
      { stdio: 'pipe' },
    );

  test.each([
    ['less width', { embd: 128 }, /does not fit/],
    ['fewer layers', { layers: 3 }, /does not fit/],
    ['fewer heads', { heads: 2 }, /does not fit/],
    ['more copies than there is room for', { copies: 3 }, /does not fit/],
    ['heads that do not share evenly', { heads: 8, 'kv-heads': 3 }, /multiple of kv-heads/],
    ['a width that is not made of blocks', { embd: 500, type: 'q4_0' }, /multiples of 32/],
    ['an unknown type', { type: 'q5_k' }, /^usage/],
    ['a number that is none', { layers: '5x' }, /^usage/],
    ['a file that is no model', { model: inRoot('package.json') }, /cannot read/],
    ['a model of another architecture', { model: inRoot('vendor/llama.cpp/models/ggml-vocab-gpt-2.gguf') }, /no Llama model/],
    ['a folder that is not there', { out: path.join(folder, 'none', 'out.gguf') }, /cannot write/],
  ] as const)('%s', (_, changed, message) => {
    let said = '';
    try {
      run(changed);
    } catch (error) {
      said = String((error as { stderr: Buffer }).stderr)
        .split('\n')
        .filter((line) => !line.startsWith('gguf_'))
        .join('\n');
    }
    expect(said).toMatch(message);
  });
});
