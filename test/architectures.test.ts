import { describe, expect, test } from 'vitest';
import { Nudging } from '../lib/index.ts';
import { batchNoise, compare, toleranceFor } from './support/compare.ts';
import { randomModel } from './support/models.ts';

const architectures = [
  { architecture: 'llama', memory: 'dense', canBeCut: true },
  { architecture: 'gemma2', memory: 'sliding-window', canBeCut: true },
  { architecture: 'gemma3', memory: 'sliding-window', canBeCut: true },
  { architecture: 'mamba', memory: 'recurrent', canBeCut: false },
  { architecture: 'rwkv7', memory: 'recurrent', canBeCut: false },
  { architecture: 'jamba', memory: 'hybrid', canBeCut: false },
] as const;
const roles = ['base', 'aligned'] as const;

// With the template around it each is longer than the sliding window, which is 24 tokens.
const prompts = [
  'What is a harbor, and who was the first to build one with walls of stone?',
  // biome-ignore lint/suspicious/noTemplateCurlyInString: a question about code.
  'for (let i = 0; i < 10; ++i) { console.log(`${i}: ${"x".repeat(i)}`); }',
  '港口是什么? A  harbor\n\n is 🙂 a place. Das weiß ich nicht, aber du.',
  'one two three four five six seven eight nine ten eleven twelve thirteen',
];

describe.each(architectures)('$architecture, a $memory memory', ({ architecture, canBeCut }) => {
  const models = {
    odd: randomModel({ vocabulary: 'llama-spm', architecture, seed: 3, embedding: architecture === 'rwkv7' ? 64 : 32 }),
    dense: randomModel({ vocabulary: 'deepseek-coder', seed: 4 }),
  };
  const inRole = (role: (typeof roles)[number]) =>
    role === 'base' ? { base: models.odd, aligned: models.dense } : { base: models.dense, aligned: models.odd };

  test.each(roles)("as %s model gives the stateless reference's rounds", { timeout: 60_000 }, async (role) => {
    const load = (batch: number) => Nudging.load({ ...inRole(role), context: 512, threads: 1, parallel: 2, batch });
    const [engine, two, few] = (await Promise.all([512, 2, 7].map(load))) as [Nudging, Nudging, Nudging];
    const noise = await batchNoise([engine, two, few], prompts);
    // Of the last one nothing is known (native/trust/determinism.cpp).
    expect(engine.deterministic).toBe(architecture !== 'rwkv7');
    if (engine.deterministic) expect(noise).toEqual({ probability: 0, margin: 0 });
    else expect(noise.probability).toBeLessThan(0.1);

    // Two at a time: sequences share batches, and each has a state of its own to lose.
    const compared = await Promise.all(
      prompts.map((prompt, index) =>
        compare(
          engine,
          prompt,
          { gamma: [0.3, 0.6, 0.9][index % 3] as number, lookahead: 12, maxTokens: 40, speculation: index % 2 === 0 ? 4 : false },
          toleranceFor(engine, noise),
        ),
      ),
    );
    await Promise.all([engine.close(), two.close(), few.close()]);

    expect(compared.flatMap(({ reasons }) => reasons)).toEqual([]);
    const sum = (count: (each: (typeof compared)[number]) => number) => compared.reduce((total, each) => total + count(each), 0);
    const other = role === 'base' ? 'aligned' : 'base';
    expect(sum(({ handOvers }) => handOvers)).toBeGreaterThan(0);
    expect(sum(({ answer }) => answer.stats[role].rewinds)).toBeGreaterThan(0);
    expect(sum(({ answer }) => answer.stats[other].recomputations)).toBe(0);
    if (canBeCut) expect(sum(({ answer }) => answer.stats[role].recomputations)).toBe(0);
    else expect(sum(({ answer }) => answer.stats[role].recomputations)).toBeGreaterThan(0);
    const exact = sum(({ result }) => Number(result === 'exact'));
    const count = (what: 'recomputations' | 'rewinds') => sum(({ answer }) => answer.stats[role][what]);
    const again = `${count('recomputations')} recomputations of ${count('rewinds')} rewinds`;
    console.log(`${architecture} as ${role}: ${exact} of ${compared.length} exact, noise ${noise.probability.toExponential(1)}, ${again}`);
  });

  // A cache that kept only its window would have lost the end of the shared beginning by then.
  test.each(roles)('as %s model goes back to the beginning that two requests share', { timeout: 60_000 }, async (role) => {
    const engine = await Nudging.load({ ...inRole(role), context: 512, threads: 1, batch: 64 });
    const shared = Array.from({ length: 60 }, (_, i) => ` word${i}`).join('');
    const raw = (end: string) => ({ base: shared + end, aligned: shared + end });
    await engine.generate(raw(' and so it went'.repeat(60)), { gamma: 0.6, maxTokens: 20 });
    const { answer, reasons, handOvers } = await compare(engine, raw('. A harbor is'), { gamma: 0.3, lookahead: 12, maxTokens: 30 });
    await engine.close();

    expect(reasons).toEqual([]);
    expect(handOvers).toBeGreaterThan(0);
    if (canBeCut) expect(answer.stats[role].cachedPromptTokens).toBeGreaterThan(100);
    else
      expect(answer.stats[role]).toMatchObject({
        cachedPromptTokens: 0,
        recomputations: expect.toSatisfy((count: number) => count > 0) as number,
      });
  });

  test('an answer is remembered for its own context alone', { timeout: 60_000 }, async () => {
    const engine = await Nudging.load({ ...inRole('base'), context: 512, threads: 1 });
    const raw = (text: string) => ({ base: text, aligned: text });
    // The last is a prefix of what is in the cache by then, and as long as the first, whose answer must be gone.
    await engine.generate(raw(' a b c d'), { maxTokens: 1 });
    await engine.generate(raw(' e f g h i j k l m n'), { maxTokens: 1 });
    const { reasons } = await compare(engine, raw(' e f g h'), { gamma: 0.3, lookahead: 12, maxTokens: 20 });
    await engine.close();
    expect(reasons).toEqual([]);
  });
});
