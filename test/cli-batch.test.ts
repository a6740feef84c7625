import { mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { jsonLines, nudging, shows, start } from './support/cli.ts';
import { spread } from './support/questions.ts';

const scratch = mkdtempSync(path.join(os.tmpdir(), 'nudging-batch-'));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

let input: string;
let output: string;
beforeEach(() => {
  const folder = mkdtempSync(path.join(scratch, 'run-'));
  input = path.join(folder, 'in.jsonl');
  output = path.join(folder, 'out.jsonl');
});
const write = (rows: object[]) => writeFileSync(input, rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
const ask = (...questions: string[]) => questions.map((question, id) => ({ id, question }));
const results = () => jsonLines(readFileSync(output, 'utf8'));

describe('rows', () => {
  test('come out in order with real models, each with its input row untouched', async () => {
    const rows = [...spread(4), { base: 'Question: What is a blur?\nAnswer:\n', aligned: '<|im_start|>user\nWhat is a blur?<|im_end|>\n<|im_start|>assistant\n', text: 'mine' }];
    write(rows);
    const { stdout, stderr, code } = await nudging(['--input', input, '--parallel', '3']);
    expect(code).toBe(0);
    const answers = jsonLines(stdout);
    expect(answers.map((answer) => answer.row)).toEqual(rows);
    for (const { text, rounds } of answers) expect(rounds.map((round: { words: string; base: string }) => round.words + round.base).join('')).toBe(text);
    expect(answers[4].text).toContain('a hazy or indistinct representation');
    expect(stderr).toMatch(/^5 rows, 0 with an error, .*\n$/);
  });

  test('come out in order when a later one is done first', async () => {
    write(ask('slow one', 'two', 'slow three', 'four', 'five'));
    const { stdout } = await nudging(['--input', '-', '--parallel', '3'], { fake: true, input: readFileSync(input, 'utf8') });
    expect(jsonLines(stdout).map((answer) => answer.text)).toEqual(['slow one!', 'two!', 'slow three!', 'four!', 'five!']);
  });

  test('can be many at once, without a warning', async () => {
    write(ask(...Array.from({ length: 40 }, (_, index) => `slow ${index}`)));
    const { stdout, stderr } = await nudging(['--input', input, '--parallel', '40'], { fake: true });
    expect(jsonLines(stdout)).toHaveLength(40);
    expect(stderr).toMatch(/^40 rows, [^\n]*\n$/);
  });

  test('one whose prompt fails is written as an error, the others go on', async () => {
    write([{ question: 'one' }, { question: 'too long', error: 'mine' }, { messages: [{ role: 'user', content: 'three' }] }]);
    const { stderr, code } = await nudging(['--input', input, '--output', output], { fake: true });
    expect(code).toBe(1);
    expect(stderr).toMatch(/^3 rows, 1 with an error/);
    expect(results()).toMatchObject([{ text: 'one!' }, { row: { question: 'too long', error: 'mine' }, error: { code: 'ERR_PROMPT_TOO_LONG' } }, { text: 'three!' }]);
  });

  test('a failure of the engine ends the run and keeps what is complete', async () => {
    write(ask('one', 'broken', 'three'));
    const { stderr, code } = await nudging(['--input', input, '--output', output], { fake: true });
    expect({ stderr, code }).toEqual({ stderr: 'nudging: llama.cpp could not decode a batch\n', code: 1 });
    expect(results().map((answer) => answer.text)).toEqual(['one!']);
  });
});

describe('continuing', () => {
  const questions = ['one', 'two', 'three', 'four'];

  test('keeps complete rows and drops a torn one', async () => {
    write(ask(...questions));
    await nudging(['--input', input, '--output', output], { fake: true });
    const whole = readFileSync(output, 'utf8');
    // Marks the kept rows, so that it shows if they were made again; then cuts the third in the middle.
    writeFileSync(output, whole.replaceAll('"stopReason":"end"', '"stopReason":"kept"'));
    truncateSync(output, whole.indexOf('three') + 40);
    const { stderr, code } = await nudging(['--input', input, '--output', output], { fake: true });
    expect(code).toBe(0);
    expect(stderr).toMatch(/^2 rows after 2 that were there, 0 with an error/);
    expect(results().map((answer) => [answer.row.question, answer.stopReason])).toEqual([['one', 'kept'], ['two', 'kept'], ['three', 'end'], ['four', 'end']]);
  });

  test('does nothing when all is there, and still counts the errors', async () => {
    write(ask('one', 'too long'));
    await nudging(['--input', input, '--output', output], { fake: true });
    const before = readFileSync(output, 'utf8');
    expect(await nudging(['--input', input, '--output', output], { fake: true })).toMatchObject({ code: 1, stderr: expect.stringMatching(/^0 rows after 2 that were there, 1 with an error/) });
    expect(readFileSync(output, 'utf8')).toBe(before);
  });

  test.skipIf(process.platform === 'win32')('goes on where Ctrl-C ended it', async () => {
    write(ask('one', 'two', 'endless three', 'four'));
    const { child, ran } = start(['--input', input], { fake: true });
    await shows(child, 'two!');
    child.kill('SIGINT');
    const { stdout, stderr, code } = await ran;
    expect(code).toBe(130);
    expect(stderr).toMatch(/^2 rows, .*interrupted\n$/);
    expect(jsonLines(stdout).map((answer) => answer.text)).toEqual(['one!', 'two!']);
  });

  test.skipIf(process.platform === 'win32')('works with real models that are interrupted', async () => {
    const rows = Array.from({ length: 40 }, () => spread(10)).flat();
    write(rows);
    const { child, ran } = start(['--threads', '1', '--input', input, '--parallel', '2']);
    await shows(child, '\n');
    child.kill('SIGINT');
    const { stdout, code } = await ran;
    expect(code).toBe(130);
    const answers = jsonLines(stdout);
    expect(answers.length).toBeLessThan(rows.length);
    expect(answers.map((answer) => answer.row)).toEqual(rows.slice(0, answers.length));
  });
});
