import { mkdirSync, writeFileSync } from 'node:fs';
import { afterAll, describe, expect, test } from 'vitest';
import { inRoot } from '../scripts/lib/paths.mjs';
import { Nudging } from '../lib/index.ts';
import { batchNoise, compare, toleranceFor } from './support/compare.ts';
import { randomModel } from './support/models.ts';

/**
 * Every vocabulary of llama.cpp's that a language model can have, each once as base and once as aligned model. Neighbours differ in kind:
 * SentencePiece, byte-level BPE with one splitting expression or another, Gemma 4's BPE without bytes, Unigram.
 */
const ring = [
  'llama-spm', 'gpt-2', 'phi-3', 'qwen2', 'baichuan', 'llama-bpe', 'falcon', 'gemma-4', 'deepseek-coder', 'nomic-bert-moe',
  'starcoder', 'command-r', 'mpt', 'aquila', 'refact', 'deepseek-llm', 'gpt-neox', 'qwen35',
];
const pairs = ring.map((base, index) => ({ base, aligned: ring[(index + 1) % ring.length] as string }));

const prompts = [
  'What is a harbor?',
  'def f(x):\n\treturn {"a": [x**2, -1]}  # don\'t\r\n',
  '什么是港口?請用中文回答。日本語も',
  'ما هو الميناء؟ שלום עולם',
  '👩‍👩‍👧‍👦 🏳️‍🌈 e\u0301 ﬁ Å ½',
  'a   b\n\n\n    c \t d     ',
  '</s><|endoftext|><s>[INST] <|im_end|> <0x0A> <bos>',
  ' 12345678901 3.14 \u00a0\u3000x',
];
const gammas = [0.3, 0.6, 0.9];

interface Row {
  pair: string;
  runs: number;
  handOvers: number;
  exact: number;
  ties: number;
  mismatches: number;
  seconds: number;
}
const table: Row[] = [];

const load = (base: string, aligned: string, batch = 512) =>
  Nudging.load({ base: randomModel({ vocabulary: base, embedding: width(base) }), aligned: randomModel({ vocabulary: aligned, seed: 2, embedding: width(aligned) }), context: 1024, threads: 1, batch });

/** 250,000 tokens make a file of 32 MB. */
function width(vocabulary: string): number {
  return ['gemma-4', 'command-r', 'nomic-bert-moe'].includes(vocabulary) ? 16 : 32;
}

let tolerance = toleranceFor({ probability: 0, margin: 0 });

test('the shape of a batch changes little', { timeout: 60_000 }, async () => {
  const engines = await Promise.all([512, 1, 7].map((batch) => load('llama-spm', 'gpt-2', batch)));
  const noise = await batchNoise(engines, prompts);
  await Promise.all(engines.map((engine) => engine.close()));
  console.log(`batch noise: ${noise.probability.toExponential(1)} in p, ${noise.margin.toExponential(1)} in the margin`);
  tolerance = toleranceFor(noise);
  expect(noise.probability).toBeLessThan(0.1);
});

describe.each(pairs)('$base with $aligned', ({ base, aligned }) => {
  test('gives the stateless reference\'s rounds', { timeout: 60_000 }, async () => {
    const start = Date.now();
    const row: Row = { pair: `${base} + ${aligned}`, runs: 0, handOvers: 0, exact: 0, ties: 0, mismatches: 0, seconds: 0 };
    table.push(row);
    const engine = await load(base, aligned);
    const wrong: string[] = [];
    for (const [index, prompt] of prompts.entries()) {
      const gamma = gammas[index % gammas.length] as number;
      const { result, handOvers, reasons } = await compare(engine, prompt, { gamma, lookahead: 12, maxTokens: 40 }, tolerance);
      row.runs += 1;
      row.handOvers += handOvers;
      row[result === 'mismatch' ? 'mismatches' : result] += 1;
      if (reasons.length > 0) wrong.push(`${JSON.stringify(prompt)}, gamma ${gamma}\n  ${reasons.join('\n  ')}`);
    }
    await engine.close();
    row.seconds = (Date.now() - start) / 1000;
    expect(wrong).toEqual([]);
  });
});

afterAll(() => {
  console.table(table);
  mkdirSync(inRoot('.native/models'), { recursive: true });
  writeFileSync(inRoot('.native/models/report.json'), `${JSON.stringify(table, null, 2)}\n`);
});
