import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Nudging, type Decision } from '../lib/index.ts';
import { tokensOf } from '../lib/server/logprobs.ts';

let engine: Nudging;
beforeAll(async () => {
  engine = await Nudging.load({ threads: 1, parallel: 2 });
});
afterAll(() => engine.close());

const question = 'What is a harbor?';
const shown = (bytes: Iterable<number>) => Buffer.from([...bytes]).toString('utf8');

describe.each(['base', 'aligned'] as const)('the vocabulary of the %s model', (lane) => {
  test('makes tokens of any text, and the text of them again', async () => {
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: 'grapheme', maxLength: 60 }), async (text) => {
        const tokens = await engine.tokenize(text, { lane });
        expect(shown(tokens.flatMap(({ bytes }) => [...bytes]))).toBe(text);
        expect(
          shown(
            await engine.detokenize(
              tokens.map(({ token }) => token),
              { lane },
            ),
          ),
        ).toBe(text);
        expect(await engine.countTokens({ text }, { lane })).toBe(tokens.length);
      }),
      { numRuns: 50 },
    );
  });

  test('has no control tokens for what a text spells', async () => {
    const tokens = await engine.tokenize('<|im_end|>', { lane });
    expect(tokens.length).toBeGreaterThan(1);
    expect(shown(tokens.flatMap(({ bytes }) => [...bytes]))).toBe('<|im_end|>');
  });

  test('shows nothing for control tokens, and does not know all numbers', async () => {
    expect([...(await engine.detokenize([2], { lane }))]).toEqual([]);
    const { vocabulary } = engine.models[lane];
    await expect(engine.detokenize([vocabulary], { lane })).rejects.toMatchObject({ code: 'ERR_TOKEN_UNKNOWN' });
    await expect(engine.detokenize([-1], { lane })).rejects.toMatchObject({ code: 'ERR_INVALID_OPTION' });
  });
});

test('tokens are asked for as everything is', async () => {
  await expect(engine.tokenize(5 as never, { lane: 'base' })).rejects.toThrow('`text` must be a string');
  await expect(engine.tokenize('a', {} as never)).rejects.toThrow('`lane` must be');
  await expect(engine.tokenize('a', { lane: 'base', signal: AbortSignal.abort(new Error('enough')) })).rejects.toThrow('enough');
});

describe('scores of a context', () => {
  test('are what the model says at each of its places', async () => {
    const { context, scores = [] } = await engine.inspect({ lane: 'base', input: { base: 'Question: What is a blur?' }, scores: true });
    expect(scores).toHaveLength(context.length - 1);
    for (const [index, { logprob, top, topLogprob, bytes }] of scores.entries()) {
      const before = { lane: 'base', input: { base: shown(await engine.detokenize(context.slice(0, 1), { lane: 'base' })) } };
      const said = await engine.inspect({ ...before, tokens: context.slice(1, index + 1), candidates: 1000 });
      expect([said.token, Math.log(said.probability)]).toEqual([top, expect.closeTo(topLogprob, 5)]);
      const there = said.candidates.find(({ token }) => token === context[index + 1]);
      if (there) expect(Math.log(there.probability)).toBeCloseTo(logprob, 4);
      expect(logprob).toBeLessThanOrEqual(topLogprob);
      expect([...bytes]).toEqual([...(await engine.detokenize([context[index + 1] as number], { lane: 'base' }))]);
    }
  });

  test('come with what is next, and can be given up', async () => {
    const input = { base: 'Question: What is a harbor?\nAnswer:\nA harbor is a' };
    const { scores, ...scored } = await engine.inspect({ lane: 'base', input, scores: true, candidates: 3 });
    expect(scored).toEqual(await engine.inspect({ lane: 'base', input, candidates: 3 }));
    const leaving = new AbortController();
    const given = engine.inspect({ lane: 'base', input: { base: 'harbor '.repeat(250) }, scores: true, signal: leaving.signal });
    setTimeout(() => leaving.abort(new Error('enough')), 20);
    await expect(given).rejects.toThrow('enough');
  });
});

describe('the tokens of an answer', () => {
  test.each(['base', 'aligned'] as const)('of the %s model alone are those that it chose, as probable as they were', async (mode) => {
    const answer = await engine.generate(question, { mode, trace: 'full', maxTokens: 30, stop: [] });
    const decisions = answer.decisions as Decision[];
    const tokens = tokensOf(answer, mode);
    expect(shown(tokens.flatMap(({ bytes }) => [...bytes]))).toBe(answer.text);
    expect(tokens).toHaveLength(answer.stats.tokens);
    const { scores = [] } = await engine.inspect({
      lane: mode,
      input: question,
      tokens: decisions.filter(({ ends }) => !ends).map(({ token }) => token),
      scores: true,
    });
    const own = scores.slice(-tokens.length);
    for (const [index, { logprob }] of tokens.entries()) expect(logprob).toBeCloseTo(own[index]?.logprob ?? 1, 5);
  });

  test('of both models are the same decoded ahead or not, and spell the text', async () => {
    const options = { trace: 'full', maxTokens: 60, gamma: 0.5 } as const;
    const plain = await engine.generate(question, { ...options, speculation: false });
    const ahead = await engine.generate(question, { ...options, speculation: 8 });
    expect(ahead.stats.base.guessesRight).toBeGreaterThan(0);
    expect(tokensOf(ahead)).toEqual(tokensOf(plain));
    const tokens = tokensOf(plain);
    expect(shown(tokens.flatMap(({ bytes }) => [...bytes]))).toBe(plain.text);
    expect(new Set(tokens.map(({ nudged }) => nudged))).toEqual(new Set([true, false]));
    expect(tokens.filter(({ nudged }) => !nudged)).toHaveLength(plain.stats.baseTokens);
    expect(tokens.filter(({ logprob }) => logprob === null || logprob > 0 || logprob < -20)).toEqual([]);
  });

  test('of the base are as probable as the base finds them behind what was said', async () => {
    const answer = await engine.generate(question, { trace: 'full', maxTokens: 40, gamma: 0.5 });
    let said = '';
    for (const { bytes, logprob, nudged } of tokensOf(answer)) {
      if (!nudged) {
        const { token, probability } = await engine.inspect({ lane: 'base', input: question, text: said });
        expect(shown(bytes)).toBe(shown(await engine.detokenize([token], { lane: 'base' })));
        expect(logprob).toBeCloseTo(Math.log(probability), 4);
      }
      said += shown(bytes);
    }
  });

  test('are cut where a stop string cuts the text', async () => {
    for (const mode of ['nudge', 'base', 'aligned'] as const) {
      const whole = await engine.generate(question, { mode, maxTokens: 30 });
      const stop = whole.text.slice(12, 15);
      const answer = await engine.generate(question, { mode, trace: 'full', maxTokens: 30, stop });
      expect(answer.stopReason).toBe('stop');
      expect(shown(tokensOf(answer, mode).flatMap(({ bytes }) => [...bytes]))).toBe(answer.text);
    }
  });
});
