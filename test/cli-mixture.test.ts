import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { Nudging } from '../lib/index.ts';
import { inRoot } from '../scripts/lib/paths.mjs';
import { nudging } from './support/cli.ts';

const question = 'What is a harbor?';
const reference = inRoot('models/demo/base.gguf');
const folder = mkdtempSync(path.join(os.tmpdir(), 'nudging-mixture-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test.each([
  [['--mode', 'ensemble', '--weights', 'base=0.3,aligned=0.7'], { mode: 'ensemble', weights: { base: 3, aligned: 7 } }, 'an ensemble'],
  [['--mode', 'proxy-tuning', '--reference', reference, '--alpha', '0.5'], { mode: 'proxy-tuning', alpha: 0.5 }, 'proxy-tuned'],
  [['--mode', 'ensemble', '--compat', 'paper'], { mode: 'ensemble', compat: 'paper' }, 'an ensemble'],
  [['--rule', 'blend:tau=0.5,weight=product'], { rule: { name: 'blend', tau: 0.5, weight: 'product' } }, 'nudged'],
] as const)('%j says what the library says', { timeout: 30_000 }, async (flags, options, shown) => {
  const { stdout, stderr, code } = await nudging([...flags, question]);
  expect([code, stderr]).toEqual([0, expect.stringContaining(shown)]);
  await using engine = await Nudging.load({ reference });
  expect(stdout).toBe(`${(await engine.generate(question, options)).text}\n`);
});

test.each([
  [['--mode', 'proxy-tuning'], '--reference must be the path of'],
  [['--mode', 'ensemble', '--weights', 'judge=1'], '--weights must be an object of weights by the names of loaded models (base, aligned)'],
  [['--mode', 'ensemble', '--weights', 'base=0'], '--weights cannot be "base=0"'],
  [['--mode', 'ensemble', '--unit', 'token', '--pair', inRoot('models/demo/pair-cross.json')], 'do not have the same vocabulary'],
])('%j is refused with what to do', { timeout: 30_000 }, async (flags, message) => {
  const { stdout, stderr, code } = await nudging([...flags, question]);
  expect([stdout, code]).toEqual(['', 2]);
  expect(stderr).toContain(message);
});

test('a base with examples of your own', { timeout: 30_000 }, async () => {
  const file = path.join(folder, 'examples.txt');
  writeFileSync(file, 'Question: What is a word?\nAnswer:\n```\nA unit of language.\n```\n\nQuestion: {question}\nAnswer:\n```\n');
  const { stdout, code } = await nudging(['--mode', 'in-context', '--in-context-prompt', file, '--max-tokens', '12', question]);
  expect(code).toBe(0);
  await using engine = await Nudging.load({ mode: 'in-context', inContextPrompt: readFileSync(file, 'utf8') });
  expect(stdout).toBe(`${(await engine.generate(question, { maxTokens: 12 })).text}\n`);
  writeFileSync(file, 'Question:\n');
  expect((await nudging(['--mode', 'in-context', '--in-context-prompt', file, question])).stderr).toContain('has no {question}');
});

test('an output of one mixture is not continued with another', { timeout: 30_000 }, async () => {
  const [input, output] = [path.join(folder, 'in.jsonl'), path.join(folder, 'out.jsonl')];
  writeFileSync(input, `{"question":"${question}"}\n`);
  const ask = (...flags: string[]) => nudging(['--input', input, '--output', output, '--mode', 'ensemble', '--max-tokens', '4', ...flags]);
  expect((await ask('--weights', 'base=1,aligned=2')).code).toBe(0);
  // How fast an answer comes is no other setting.
  expect((await ask('--weights', 'base=1,aligned=2', '--threads', '1')).code).toBe(0);
  const { code, stderr } = await ask('--weights', 'base=1,aligned=3');
  expect([code, stderr]).toEqual([2, expect.stringContaining('--weights was aligned 2, now aligned 3')]);
});
