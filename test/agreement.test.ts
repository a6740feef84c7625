import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Nudging, type GenerateOptions, type Piece } from '../lib/index.ts';
import { RiskMeter } from '../lib/signals.ts';

const demo = (name: string) => fileURLToPath(new URL(`../models/demo/${name}`, import.meta.url));
const questions = ['What is a harbor?', 'What is a manometer?', 'Take the last letters of "Edith" and "Liam" and concatenate them.'];

describe.each(['pair.json', 'pair-cross.json'])('models/demo/%s', (manifest) => {
  let engine: Nudging;
  beforeAll(async () => {
    engine = await Nudging.load(demo(manifest));
  });
  afterAll(() => engine.close());

  /** R64, from nothing: whether the aligned model goes on with this text, token by token. */
  async function agrees(question: string, before: string, text: string, sampling: GenerateOptions): Promise<boolean> {
    const said: number[] = [];
    let bytes = Buffer.alloc(0);
    const wanted = Buffer.from(text);
    while (bytes.length < wanted.length) {
      const { seed, temperature } = sampling;
      const way = temperature === undefined ? {} : { temperature, ...(seed === undefined ? {} : { seed }) };
      const next = await engine.inspect({ lane: 'aligned', input: question, text: before, tokens: said, sampling: way });
      if (next.ends || next.bytes.length === 0) return false;
      said.push(next.token);
      bytes = Buffer.concat([bytes, next.bytes]);
      const common = Math.min(bytes.length, wanted.length);
      if (!bytes.subarray(0, common).equals(wanted.subarray(0, common))) return false;
    }
    return true;
  }

  const ways: GenerateOptions[] = [
    {},
    { gamma: 0.2 },
    { gamma: 0.9, lookahead: 3 },
    { rule: 'bet' },
    { lead: 3 },
    { temperature: 0.7, seed: 9 },
  ];
  test.each(ways)('R64: what is told is what a model asked from nothing says: %j', { timeout: 60_000 }, async (way) => {
    let [agreements, disagreements] = [0, 0];
    for (const question of questions) {
      const options = { maxTokens: 24, ...way };
      const plain = await engine.generate(question, options);
      const all = await engine.generate(question, { ...options, signals: 'all' });
      const known = await engine.generate(question, { ...options, signals: 'known' });
      expect([all.text, known.text, all.rounds, known.rounds]).toEqual([plain.text, plain.text, plain.rounds, plain.rounds]);
      expect(plain.pieces.every((piece) => !('agreed' in piece) && !('risk' in piece))).toBe(true);

      let before = '';
      for (const [index, { text, source, agreed }] of all.pieces.entries()) {
        const expected = source === 'nudge' || (await agrees(question, before, text, way));
        expect([index, text, agreed]).toEqual([index, text, expected]);
        const told = known.pieces[index]?.agreed;
        if (told !== undefined) expect([index, told]).toEqual([index, expected]);
        if (!expected) disagreements += 1;
        before += text;
      }
      agreements += known.pieces.filter(({ agreed, source }) => source === 'base' && agreed === true).length;
    }
    expect(Math.min(agreements, disagreements)).toBeGreaterThan(0);
  });

  test('R64: known costs nothing, and neither depends on what is guessed', async () => {
    const question = questions[0] as string;
    const plain = await engine.generate(question, { maxTokens: 30, speculation: false });
    const seen = async (signals: 'known' | 'all', speculation: boolean | number) => {
      const { pieces, stats } = await engine.generate(question, { maxTokens: 30, signals, speculation });
      return { pieces, questions: stats.aligned.questions };
    };
    const known = await seen('known', false);
    expect(known.questions).toBe(plain.stats.aligned.questions);
    for (const speculation of [true, 5]) {
      expect((await seen('known', speculation)).pieces).toEqual(known.pieces);
      expect((await seen('all', speculation)).pieces).toEqual((await seen('all', false)).pieces);
    }
    const stream = engine.stream(question, { maxTokens: 30, signals: 'known', thinking: true });
    const pieces: Piece[] = [];
    for await (const piece of stream) pieces.push(piece);
    expect(pieces).toEqual(known.pieces);
  });

  test('where there are no drafts beside the base, there are no signals', async () => {
    const question = questions[0] as string;
    for (const mode of ['base', 'aligned', 'reverse', 'ensemble'] as const) {
      await expect(engine.generate(question, { mode, signals: 'known' })).rejects.toMatchObject({
        code: 'ERR_INVALID_OPTION',
        option: 'signals',
      });
    }
    await expect(engine.generate(question, { rule: 'blend', signals: 'all' })).rejects.toMatchObject({ option: 'signals' });
    await expect(engine.generate(question, { signals: true as unknown as 'all' })).rejects.toMatchObject({ option: 'signals' });
    // As the engine's default it waits for what it is for.
    await using other = await Nudging.load({ pair: demo(manifest), signals: 'known' });
    const answer = await other.generate(question, { mode: 'base', maxTokens: 5 });
    expect(answer.pieces.every((piece) => !('agreed' in piece))).toBe(true);
    expect((await other.generate(question, { maxTokens: 5 })).pieces[0]).toMatchObject({ agreed: true, risk: 0 });
  });
});

test('R64: the risk is the share of disagreement among the last seven of which it is known', () => {
  const meter = new RiskMeter();
  const base = (agreed?: boolean): Piece => ({ text: 'x', source: 'base', ...(agreed === undefined ? {} : { agreed }) });
  const risks = [base(), base(false), base(true), base(), base(false), { text: 'y', source: 'nudge' as const }].map(
    (piece) => meter.read(piece).risk,
  );
  expect(risks).toEqual([undefined, 1, 0.5, 0.5, 2 / 3, 0.5]);
  const more = Array.from({ length: 5 }, () => meter.read(base(true)).risk);
  // The first of them leave the seven one by one.
  expect(more).toEqual([2 / 5, 2 / 6, 2 / 7, 1 / 7, 1 / 7]);
  expect(meter.read({ text: 'y', source: 'nudge' })).toEqual({ text: 'y', source: 'nudge', agreed: true, risk: 0 });
});
