import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { isRight } from '../scripts/lib/eval-questions.mjs';
import { shortfalls, systems } from '../scripts/lib/eval-systems.mjs';
import { writeBetweenMarks } from '../scripts/lib/eval-table.mjs';

const script = fileURLToPath(new URL('../scripts/eval-demo.mjs', import.meta.url));
const run = (...args: string[]) => {
  const { stdout, stderr, status } = spawnSync(process.execPath, [script, ...args], { encoding: 'utf8' });
  return { stdout, stderr, status };
};

describe('npm run eval:demo', () => {
  test('prints one row for each system, and the same again', () => {
    const { stdout, status } = run('--rows', '2', '--gamma', '0.4');
    expect(status).toBe(0);
    expect(stdout.match(/^\|.*\|$/gm)).toHaveLength(2 + 5);
    expect(stdout).toMatch(/^\| base nudged by aligned \| 0\.4 \| 100\.0 \| 100\.0 \|/m);
    expect(run('--rows', '2', '--gamma', '0.4').stdout).toBe(stdout);
  });

  test('refuses wrong flags in one line', () => {
    for (const flags of [
      ['--rows', '0'],
      ['--gamma', '0.4,x'],
      ['--row', '3'],
    ]) {
      expect(run(...flags)).toEqual({ stdout: '', stderr: expect.stringMatching(/^nudging: [^\n]+\n$/), status: 1 });
    }
  });

  test('scores as the recipe does', () => {
    const define = { task: 'define' as const, question: '', answer: 'a small port' };
    expect([isRight(define, 'A harbor is a small port.'), isRight(define, 'A harbor is small.')]).toEqual([true, false]);
    const letters = { task: 'lastletter' as const, question: '', answer: 'hm' };
    expect([isRight(letters, 'So the answer is "hm".'), isRight(letters, 'the answer is "hmm", the answer is hm')]).toEqual([true, false]);
  });

  test('says where nudging did not pay', () => {
    const score = (right: number) => ({ rows: 10, right, tokens: 1, nudgedTokens: 1 });
    const results = systems([0.4]).map((system) => ({
      ...system,
      scores: { define: score(system.alone ? 2 : 3), lastletter: score(system.alone === 'aligned' ? 3 : system.alone ? 0 : 3) },
    }));
    expect(shortfalls(results)).toEqual([
      'base nudged by aligned at gamma 0.4 is not above aligned alone in lastletter',
      'base nudged by aligned-cross at gamma 0.4 is not above aligned-cross alone in lastletter',
    ]);
  });

  test('writes between the marks and nowhere else', () => {
    const folder = mkdtempSync(path.join(os.tmpdir(), 'nudging-eval-'));
    const file = path.join(folder, 'README.md');
    writeFileSync(file, 'before\n<!-- eval:begin -->\nold\n<!-- eval:end -->\nafter\n');
    writeBetweenMarks(file, 'new');
    expect(readFileSync(file, 'utf8')).toBe('before\n<!-- eval:begin -->\nnew\n<!-- eval:end -->\nafter\n');
    writeFileSync(file, 'nothing');
    expect(() => writeBetweenMarks(file, 'new')).toThrow(/put both back/);
    rmSync(folder, { recursive: true });
  });
});
