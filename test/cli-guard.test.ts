import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { readArguments } from '../lib/cli/args.ts';
import { inRoot } from '../scripts/lib/paths.mjs';
import { nudging } from './support/cli.ts';

const folder = mkdtempSync(path.join(os.tmpdir(), 'nudging-cli-guard-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const question = 'What is a harbor?';

test('flags of the guard, the seal and signals are options', () => {
  const load = (...words: string[]) => readArguments([...words, question]).load;
  expect(load('--guard', 'on')).toMatchObject({ guard: true });
  expect(load('--guard', 'off')).toMatchObject({ guard: false });
  expect(load('--guard', 'every=16,tokens=8')).toMatchObject({ guard: { every: 16, tokens: 8 } });
  expect(load('--no-seal')).toMatchObject({ sealBasePrompt: false });
  expect(load('--signals', 'all')).toMatchObject({ signals: 'all' });
});

test.each([
  ['--guard', 'yes', 'on, off, or every=N,tokens=N'],
  ['--guard', 'every=0', 'a guard whose `every` is an integer from 1 to 1000000'],
  ['--guard', 'every=many', 'a guard whose `every` is an integer'],
  ['--guard', 'often=5', 'a guard with no other properties than every, tokens, phrases and ask'],
  ['--signals', 'on', 'one of "known", "all"'],
])('%s cannot be %s', async (flag, value, expected) => {
  const { stderr, code } = await nudging([question, `${flag}=${value}`]);
  expect(code).toBe(2);
  expect(stderr).toContain(`${flag} cannot be "${value}": it must be ${expected}`);
});

test('what passes its guard is printed whole, and the pieces tell who agrees', async () => {
  const plain = await nudging([question]);
  expect((await nudging([question, '--guard', 'every=6,tokens=4'])).stdout).toBe(plain.stdout);
  const { stdout } = await nudging(['generate', '--json', '--guard', 'on', '--signals', 'known', question]);
  const answer = JSON.parse(stdout) as { stats: { guard: object }; pieces: { agreed?: boolean; risk?: number }[] };
  expect(answer.stats.guard).toMatchObject({ checks: 2 });
  expect(answer.pieces[0]).toMatchObject({ agreed: true, risk: 0 });
});

test('where it refuses, stdout has what passed, and stderr what was said in its place', async () => {
  const pair = path.join(folder, 'pair.json');
  const models = { base: inRoot('models/demo/base.gguf'), aligned: inRoot('models/demo/aligned.gguf') };
  writeFileSync(pair, JSON.stringify({ ...models, guard: { tokens: 5, phrases: ['a harbor'] } }));
  const refused = await nudging([question, '--pair', pair]);
  expect(refused).toMatchObject({ stdout: '\n', code: 0 });
  expect(refused.stderr).toMatch(/^A harbor/);
  expect(refused.stderr).toContain('refused by the guard (refused)');
  const json = JSON.parse((await nudging([question, '--json', '--pair', pair])).stdout) as object;
  expect(json).toMatchObject({ text: '', stopReason: 'refused', refusal: expect.stringMatching(/^A harbor/) as string });
  const off = await nudging([question, '--guard', 'off', '--pair', pair]);
  expect(off.stdout).toMatch(/^A harbor/);
  const chat = await nudging(['chat', '--pair', pair, '--json'], { raw: true, input: `${question}\n` });
  expect(JSON.parse(chat.stdout)).toMatchObject({ stopReason: 'refused' });
});
