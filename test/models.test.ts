import { mkdirSync, writeFileSync } from 'node:fs';
import { afterAll, describe, expect, test } from 'vitest';
import { Nudging, type Answer, type Input } from '../lib/index.ts';
import { inRoot } from '../scripts/lib/paths.mjs';
import { batchNoise, compare } from './support/compare.ts';
import { randomModel } from './support/models.ts';

/**
 * Every vocabulary of llama.cpp's that a model that writes text can have, each once as base and once as aligned model. Neighbours differ in
 * kind: SentencePiece, byte-level BPE with one splitting expression or another, Gemma 4's BPE, Unigram.
 */
const ring = [
  'llama-spm',
  'gpt-2',
  'phi-3',
  'qwen2',
  'baichuan',
  'llama-bpe',
  'falcon',
  'gemma-4',
  'deepseek-coder',
  'nomic-bert-moe',
  'starcoder',
  'command-r',
  'mpt',
  'aquila',
  'refact',
  'deepseek-llm',
  'gpt-neox',
  'qwen35',
];
const pairs = ring.map((base, index) => ({ index, base, aligned: ring[(index + 1) % ring.length] as string }));

const prompts: Input[] = [
  'What is a harbor?',
  'def f(x):\n\treturn {"a": [x**2, -1]}  # don\'t\r\n',
  '什么是港口?請用中文回答。日本語も',
  'ما هو الميناء؟ שלום עולם',
  '👩‍👩‍👧‍👦 🏳️‍🌈 e\u0301 ﬁ Å ½',
  'a   b\n\n\n    c \t d     ',
  '</s><|endoftext|><s>[INST] <|im_end|> <0x0A> <bos>',
  {
    base: 'Ends in half a wor',
    aligned: [
      { text: '<s>', special: true },
      { text: '</s> 12345678901\u00a0\u3000x  ', special: false },
    ],
  },
];
const gammas = [0.3, 0.6, 0.9];
// Models this small would hardly ever decode ahead by themselves.
const guesses = [5, false, 1, 12] as const;

interface Row {
  pair: string;
  runs: number;
  handOvers: number;
  exact: number;
  mismatches: number;
  seconds: number;
}
const table: Row[] = [];
const seen = { by: new Set<string>(), stopReasons: new Set<string>(), decisions: 0, unsure: 0, sure: 0, partOfCharacter: 0, noBytes: 0 };

const load = (base: string, aligned: string, batch = 512) =>
  Nudging.load({
    base: randomModel({ vocabulary: base, embedding: width(base) }),
    aligned: randomModel({ vocabulary: aligned, embedding: width(aligned) }),
    context: 512,
    threads: 1,
    batch,
  });

/** So that no file has more than 50 MB. */
function width(vocabulary: string): number {
  const hasOver100000Tokens = ['qwen2', 'llama-bpe', 'gemma-4', 'nomic-bert-moe', 'command-r', 'aquila', 'deepseek-llm', 'qwen35'].includes(
    vocabulary,
  );
  return hasOver100000Tokens ? 16 : 32;
}

function look({ rounds, stopReason, decisions = [] }: Answer): void {
  for (const { by } of rounds) seen.by.add(by);
  seen.stopReasons.add(stopReason);
  for (const { probability, bytes } of decisions) {
    seen.decisions += 1;
    seen.unsure += Number(probability < 0.3);
    seen.sure += Number(probability > 0.9);
    seen.noBytes += Number(bytes.length === 0);
    seen.partOfCharacter += Number(new TextDecoder().decode(bytes).includes('\uFFFD'));
  }
}

describe('random weights', () => {
  test('the shape of a batch moves no number', { timeout: 60_000 }, async () => {
    const engines = await Promise.all([512, 1, 7].map((batch) => load('llama-spm', 'gpt-2', batch)));
    const noise = await batchNoise(engines, prompts);
    await Promise.all(engines.map((engine) => engine.close()));
    expect(noise).toEqual({ probability: 0, margin: 0 });
  });

  test.each(pairs)("$base with $aligned gives the stateless reference's rounds", { timeout: 60_000 }, async ({ index, base, aligned }) => {
    const start = Date.now();
    const row: Row = { pair: `${base} + ${aligned}`, runs: 0, handOvers: 0, exact: 0, mismatches: 0, seconds: 0 };
    table.push(row);
    const engine = await load(base, aligned);
    const wrong: string[] = [];
    for (const [at, prompt] of prompts.entries()) {
      // Three quarters of the prompts a pair, to save time; all of them, with all gammas, over all pairs.
      if ((at + index) % 4 === 0) continue;
      const gamma = gammas[(at + index) % gammas.length] as number;
      const { result, answer, handOvers, reasons } = await compare(engine, prompt, {
        gamma,
        lookahead: 12,
        maxTokens: 40,
        speculation: guesses[(at + index) % guesses.length],
      });
      look(answer);
      row.runs += 1;
      row.handOvers += handOvers;
      row[result === 'exact' ? 'exact' : 'mismatches'] += 1;
      if (reasons.length > 0) wrong.push(`${JSON.stringify(prompt)}, gamma ${gamma}\n  ${reasons.join('\n  ')}`);
    }
    await engine.close();
    row.seconds = (Date.now() - start) / 1000;
    expect(wrong).toEqual([]);
  });

  test('and they have shown what is awkward', () => {
    expect([...seen.by].sort()).toEqual(['agree', 'base-end', 'confident', 'end', 'limit', 'none']);
    expect([...seen.stopReasons].sort()).toEqual(['end', 'length']);
    expect(seen.unsure).toBeGreaterThan(seen.decisions / 20);
    expect(seen.sure).toBeGreaterThan(seen.decisions / 20);
    expect(seen.partOfCharacter).toBeGreaterThan(20);
    expect(seen.noBytes).toBeGreaterThan(20);
  });

  afterAll(() => {
    console.table(table);
    console.log(seen);
    mkdirSync(inRoot('.native/models'), { recursive: true });
    writeFileSync(inRoot('.native/models/report.json'), `${JSON.stringify(table, null, 2)}\n`);
  });
});
