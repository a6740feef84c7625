import { describe, expect, test } from 'vitest';
import { Nudging, type Answer, type GenerateOptions, type LoadOptions } from '../lib/index.ts';

const questions = ['What is a harbor?', 'What is a violin?', 'What is bread?', 'What is a lantern?'];

/** All at once, with what was decided. */
async function answers(load: LoadOptions, options: GenerateOptions = {}): Promise<{ told: Answer[]; on: boolean[] }> {
  await using engine = await Nudging.load({ threads: 1, ...load });
  const told = await Promise.all(questions.map((question) => engine.generate(question, { trace: 'full', maxTokens: 60, ...options })));
  return { told, on: [engine.models.base.deviceTop1, engine.models.aligned.deviceTop1] };
}

const decisionsOf = ({ decisions = [] }: Answer) =>
  decisions.map(({ kind, position, token, probability, margin }) => ({ kind, position, token, probability, margin }));

/** The same text by the same decisions, whose numbers are the same within 1e-5. */
function expectAlike(one: Answer[], other: Answer[]) {
  expect(other.map(({ text }) => text)).toEqual(one.map(({ text }) => text));
  for (const [at, answer] of one.entries()) {
    const [these, those] = [decisionsOf(answer), decisionsOf(other[at] as Answer)];
    expect(those.map(({ kind, position, token }) => [kind, position, token])).toEqual(
      these.map(({ kind, position, token }) => [kind, position, token]),
    );
    for (const [place, { probability, margin }] of these.entries()) {
      expect(Math.abs((those[place]?.probability ?? 0) - probability)).toBeLessThan(1e-5);
      expect(Math.abs((those[place]?.margin ?? 0) - margin)).toBeLessThan(1e-5);
    }
  }
}

describe('the likeliest tokens found in the graph', () => {
  const ways: [string, GenerateOptions][] = [
    ['plain', { speculation: false }],
    ['speculative', {}],
    ['with a rule that looks at the second best', { rule: 'margin' }],
    ['with a rule that looks at the entropy', { rule: 'entropy' }],
    ['sampled', { temperature: 0.8, seed: 3 }],
    ['with a bias', { logitBias: { ' shelter': -100 } }],
    ['mixed', { mode: 'ensemble', maxTokens: 12 }],
  ];
  test.each(ways)('are the host’s: %s', { timeout: 60_000 }, async (_, options) => {
    const host = await answers({}, options);
    const device = await answers({ deviceTop1: true }, options);
    expect([host.on, device.on]).toEqual([
      [false, false],
      [true, true],
    ]);
    expectAlike(host.told, device.told);
  });

  test('and passes that are filled up change nothing', { timeout: 60_000 }, async () => {
    const host = await answers({});
    const padded = await answers({ deviceTop1: true, padPasses: true });
    expectAlike(host.told, padded.told);
    const alone = await answers({ deviceTop1: true, padPasses: true, parallel: 1 });
    expectAlike(host.told, alone.told);
  });
});
