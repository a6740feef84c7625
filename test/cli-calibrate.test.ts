import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { calibrationReport } from '../lib/cli/calibration-report.ts';
import type { Calibration } from '../lib/index.ts';
import { inRoot } from '../scripts/lib/paths.mjs';
import { shows, start, type Setting } from './support/cli.ts';
import { rows } from './support/questions.ts';

const folder = mkdtempSync(path.join(os.tmpdir(), 'nudging-calibrate-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const file = (name: string, text: string) => {
  const place = path.join(folder, name);
  writeFileSync(place, text);
  return place;
};
const models = { base: inRoot('models/demo/base.gguf'), aligned: inRoot('models/demo/aligned.gguf') };
const manifest = (name: string, settings: object) => file(name, `${JSON.stringify({ ...models, ...settings }, null, 4)}\n`);
const questions = rows.filter((_, index) => index % 30 === 0).map(({ question }) => question);
const prompts = file('prompts.txt', `${questions.join('\n\n')}\n`);
const run = (args: string[], setting?: Setting) => start(['calibrate', ...args], setting).ran;

test('prints a report, and writes gamma and nothing else into the manifest', { timeout: 60_000 }, async () => {
  const pair = manifest('pair.json', { gamma: 0.7, lookahead: 16, maxTokens: 96 });
  const before = readFileSync(pair, 'utf8');
  const rowsFile = file('rows.jsonl', questions.map((question) => `${JSON.stringify({ question, id: 7 })}\n`).join(''));
  const { stdout, stderr, code } = await run(['--threads', '1', '--pair', pair, '--prompts', rowsFile, '--target-rate', '0.38', '--write']);
  expect(code).toBe(0);
  const gamma = /^gamma (\S+): the pair works together\n/.exec(stdout)?.[1];
  expect(Number(gamma)).toBeGreaterThan(0);
  expect(readFileSync(pair, 'utf8')).toBe(before.replace('"gamma": 0.7', `"gamma": ${gamma}`));
  expect(stdout.split('\n').filter((line) => line.length > 80)).toEqual([]);
  const log = stderr.trim().split('\n');
  expect(log[0]).toBe('answering with gamma 0.4: 10 prompts');
  expect(log.at(-1)).toBe(`wrote gamma ${gamma} into "${pair}"`);
});

test('--json prints the calibration alone; a pair that does not fit is not written, and the exit code says so', {
  timeout: 60_000,
}, async () => {
  const pair = manifest('unfit.json', { maxTokens: 4 });
  const before = readFileSync(pair, 'utf8');
  const { stdout, stderr, code } = await run([
    '--threads',
    '1',
    '--pair',
    pair,
    '--prompts',
    prompts,
    '--rounds',
    '1',
    '--json',
    '--write',
  ]);
  const found = JSON.parse(stdout) as Calibration;
  expect(found).toMatchObject({ verdict: 'does not fit', endings: { length: 10 } });
  expect(stderr).toContain(`nothing was written into "${pair}"`);
  expect([code, readFileSync(pair, 'utf8')]).toEqual([1, before]);
});

test('Ctrl-C ends it, and nothing is written', async () => {
  const pair = manifest('interrupted.json', { gamma: 0.7 });
  const endless = file('endless.txt', Array.from({ length: 8 }, (_, index) => `endless ${index}\n`).join(''));
  const { child, ran } = start(['calibrate', '--pair', pair, '--prompts', endless, '--write'], {
    fake: true,
    env: { NUDGING_FAKE_SAYS: '1' },
  });
  await shows(child, 'asked\n', 'stderr');
  child.kill('SIGINT');
  const { stdout, stderr, code } = await ran;
  expect({ stdout, code }).toEqual({ stdout: '', code: 130 });
  expect(stderr).toContain('nudging: interrupted\n');
  expect(readFileSync(pair, 'utf8')).toContain('"gamma": 0.7');
});

test.each([
  [['What is a harbor?'], '"What is a harbor?" is no flag: questions go into a file, for --prompts'],
  [['--write'], '--write needs a manifest to write into: name one with --pair'],
  [['--write', '--pair', inRoot('models/demo/pair.json')], 'belongs to the package'],
  [['--write', '--pair', manifest('half.json', {}), '--base', 'b.gguf'], 'leave out --base and --aligned, or --write'],
  [['--base', 'b.gguf'], 'give --base and --aligned, or --pair'],
  [['--write', '--pair', path.join(folder, 'none.json')], 'does not exist'],
  [['--prompts', path.join(folder, 'none.txt')], 'the file of --prompts'],
  [['--prompts', file('few.txt', 'One?\n\nTwo?\n')], 'has 2 prompts: write at least 8, one a line'],
  [['--prompts', file('wrong.jsonl', '{"question": "One?"}\n{"quest": "Two?"}\n')], 'line 2 of'],
  [['--target-rate', '1'], '--target-rate cannot be "1": it must be a number over 0 and under 1'],
  [['--gamma', '0.3'], 'unknown flag --gamma'],
])('%j is refused before anything is loaded', async (args, message) => {
  const { stdout, stderr, code } = await run(args, { fake: true });
  expect({ stdout, code }).toEqual({ stdout: '', code: 2 });
  expect(stderr).toContain(message);
  expect(stderr.trim().split('\n')).toHaveLength(1);
});

test('the report keeps to 80 columns, speaks of flags and says what is wrong', () => {
  const found: Calibration = {
    gamma: 0.15,
    decidedBy: 'low',
    targetRate: 0.2,
    rate: 0.815,
    standardError: 0.031,
    settled: false,
    decisionRate: 0.223,
    curve: Array.from({ length: 21 }, (_, index) => ({ gamma: index / 20, rate: index / 20 })),
    measured: [{ gamma: 0.4, rate: 0.891, standardError: 0.022 }],
    agreement: 0.253,
    agreementError: 0.304,
    speed: { base: 271, nudged: 90, ratio: 3.01 },
    endings: { end: 60, length: 4 },
    verdict: 'does not fit',
    findings: [{ code: 'unfinished', level: 'unfit', value: 0.6, limit: 0.5, message: 'raise `maxTokens` if they are long' }],
    effort: { prompts: 64, answers: 144, questions: 116, seconds: 3725 },
  };
  const report = calibrationReport(found, 80);
  for (const columns of [80, 40]) {
    expect(
      calibrationReport(found, columns)
        .split('\n')
        .filter((line) => line.length > columns),
    ).toEqual([]);
  }
  expect(report).toContain('gamma 0.15: the pair does not fit together as it is set up\n');
  expect(report).toMatch(/\(bet\s+none, rate none\)/);
  expect(report).toMatch(/unfinished {2,}raise --max-tokens if they are long/);
  expect(report).toMatch(/\n {2}0\.40 \* {2}89\.1 %/);
  expect(report).toContain('60 end, 4 length');
});
