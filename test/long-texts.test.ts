import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { makePlan } from '../scripts/lib/configs.mjs';
import { inRoot } from '../scripts/lib/paths.mjs';
import { Nudging, type Input } from '../lib/index.ts';

let folder: string;
beforeAll(() => (folder = mkdtempSync(path.join(os.tmpdir(), 'nudging-long-texts-'))));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** A small model with random weights and the vocabulary of GPT-2, taken apart as another model's. */
function modelWith(preTokenizer: string): string {
  const vocabulary = readFileSync(inRoot('vendor/llama.cpp/models/ggml-vocab-gpt-2.gguf'));
  const key = Buffer.from('tokenizer.ggml.pre');
  // Behind the key: its type (4 bytes), and the value as its length (8 bytes) and bytes.
  const at = vocabulary.indexOf(key) + key.length + 4;
  const value = Buffer.alloc(8);
  value.writeBigUInt64LE(BigInt(preTokenizer.length));
  const changed = path.join(folder, `${preTokenizer}.vocab.gguf`);
  const rest = vocabulary.subarray(at + 8 + Number(vocabulary.readBigUInt64LE(at)));
  writeFileSync(changed, Buffer.concat([vocabulary.subarray(0, at), value, Buffer.from(preTokenizer), rest]));
  const file = path.join(folder, `${preTokenizer}.gguf`);
  execFileSync(path.join(makePlan({}).out, 'random_model'), ['--vocab', changed, '--arch', 'llama', '--context', '40000', '--out', file]);
  return file;
}

const load = (model: string) =>
  Nudging.load({ base: model, aligned: model, mode: 'base', parallel: 2, context: 40_000, stop: [], maxTokens: 4 });
const raw = (text: string): Input => ({ base: [{ text, special: false }] });
const since = (start: number) => performance.now() - start;

test('12,000 digits of a vocabulary that groups them are no work worth mentioning', async () => {
  await using engine = await load(modelWith('superbpe'));
  const digits = '123'.repeat(4000);
  const start = performance.now();
  // Decoding its tokens takes most of this; tokenising them took ten seconds.
  const { stats } = await engine.generate(raw(digits), { maxTokens: 1 });
  expect(stats.base.promptTokens).toBeGreaterThan(1000);
  expect(since(start)).toBeLessThan(8000);
});

describe('a text that takes seconds to tokenise', () => {
  let engine: Nudging;
  // As long as a text may be without a place to cut, and too long for the context, which nobody knows before it is tokenised.
  const slow = raw(' 1'.repeat(1_040_000));
  const quick = raw('A harbor is');
  beforeAll(async () => {
    engine = await load(modelWith('granite-embed-multi-311m'));
    await engine.generate(quick);
  });
  afterAll(() => engine?.close());

  /** Runs while the slow text is under way, and then ends it. @returns how it ended, and after how long */
  async function beside(act: () => Promise<void>): Promise<{ stopReason: string; ms: number }> {
    const controller = new AbortController();
    const start = performance.now();
    const answer = engine.generate(slow, { signal: controller.signal });
    let settled = false;
    void answer.then(
      () => (settled = true),
      () => (settled = true),
    );
    await act();
    expect(settled).toBe(false);
    controller.abort();
    const aborted = performance.now();
    const { stopReason } = await answer;
    expect(aborted - start).toBeLessThan(4000);
    return { stopReason, ms: since(aborted) };
  }

  test('holds up nobody: small requests that come later are answered meanwhile', async () => {
    const { stopReason, ms } = await beside(async () => {
      for (let i = 0; i < 5; i += 1) expect((await engine.generate(quick)).stats.tokens).toBe(4);
      expect((await engine.inspect({ lane: 'base', input: quick })).context.length).toBeGreaterThan(0);
    });
    expect(stopReason).toBe('aborted');
    expect(ms).toBeLessThan(500);
  });

  test('is ended by a timeout while it is tokenised', async () => {
    const start = performance.now();
    expect(await engine.generate(slow, { timeout: 50 })).toMatchObject({ stopReason: 'timeout', text: '' });
    expect(since(start)).toBeGreaterThan(40);
    expect(since(start)).toBeLessThan(1500);
  });

  test('does not keep its threads when it was given up, however many there were', async () => {
    const controller = new AbortController();
    const answers = Array.from({ length: 12 }, () => engine.generate(slow, { signal: controller.signal }));
    expect((await engine.generate(quick)).stats.tokens).toBe(4);
    controller.abort();
    expect(new Set((await Promise.all(answers)).map(({ stopReason }) => stopReason))).toEqual(new Set(['aborted']));
    // A preparation takes its place at once.
    const medium = raw(' 1'.repeat(2500));
    expect((await engine.generate(medium, { maxTokens: 1 })).stats.base.promptTokens).toBeGreaterThan(2500);
  });

  test('gives the tokens of the whole text, as an inspection that tokenises it afresh', async () => {
    const text = ` 1, 22 and 333\n\n${'中文 1234 x'.repeat(600)}`;
    const { context } = await engine.inspect({ lane: 'base', input: raw(text) });
    const apart = await engine.inspect({ lane: 'base', input: raw(text.slice(0, 3000)), text: text.slice(3000) });
    expect(apart.context).toEqual(context);
    const answer = await engine.generate(raw(text), { maxTokens: 1 });
    expect(answer.stats.base.promptTokens).toBe(context.length);
  });

  test('does not hold up the end of the engine, or of an inspection', async () => {
    const other = await load(path.join(folder, 'granite-embed-multi-311m.gguf'));
    const start = performance.now();
    const pending = [other.generate(slow, { timeout: 50 }), other.generate(slow, { timeout: 50 })];
    const closed = other.close();
    expect((await Promise.all(pending)).map(({ stopReason }) => stopReason)).toEqual(['timeout', 'timeout']);
    await closed;
    expect(since(start)).toBeLessThan(1500);
    // An inspection has no signal; small requests go on beside it all the same.
    const third = await load(path.join(folder, 'granite-embed-multi-311m.gguf'));
    const inspected = third.inspect({ lane: 'base', input: slow }).catch((error: Error) => error);
    const asked = performance.now();
    expect((await third.generate(quick)).stats.tokens).toBe(4);
    expect(since(asked)).toBeLessThan(1000);
    expect(await inspected).toMatchObject({ code: 'ERR_PROMPT_TOO_LONG' });
    await third.close();
  });
});
