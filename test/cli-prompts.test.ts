import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { jsonLines, nudging } from './support/cli.ts';

const question = 'What is a harbor?';
const folder = mkdtempSync(path.join(os.tmpdir(), 'nudging-prompts-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Runs rows of --input, and returns the lines of the output. */
async function rowsOf(rows: object[], ...args: string[]) {
  const { stdout, stderr, code } = await nudging([...args, '--input', '-'], {
    input: rows.map((row) => `${JSON.stringify(row)}\n`).join(''),
  });
  return { lines: jsonLines(stdout), stderr, code };
}

describe('--template-option', () => {
  const template = path.join(folder, 'template.jinja');
  writeFileSync(template, "{% if word == 'stop' and n == 2 %}{{ raise_exception('both came') }}{% endif %}{{ messages[0].content }}");

  test('may be repeated, and reaches the template', async () => {
    const { stderr, code } = await nudging([
      '--aligned-prompt',
      template,
      '--template-option',
      'word="stop"',
      '--template-option',
      'n=2',
      question,
    ]);
    expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringContaining('both came') });
    expect(await nudging(['--aligned-prompt', template, '--template-option', 'word="stop"', '--max-tokens', '2', question])).toMatchObject({
      code: 0,
    });
  });

  test.each([
    ['word', '--template-option cannot be "word": it must be NAME=JSON'],
    ['word=stop', '--template-option cannot be "word=stop": it must be NAME=JSON'],
    ['=1', '--template-option cannot be "=1"'],
    ['messages=[]', '--template-option messages must be left out or renamed: the engine sets it'],
    ['a-b=1', '--template-option'],
  ])('wrong: %s', async (given, message) => {
    const { stderr, code, stdout } = await nudging(['--template-option', given, question]);
    expect({ stdout, code }).toEqual({ stdout: '', code: 2 });
    expect(stderr).toContain(message);
    expect(stderr.trim()).not.toContain('\n');
  });

  test('rows may have their own, which are checked before anything is loaded', async () => {
    const { lines } = await rowsOf(
      [{ question, templateOptions: { word: 'stop', n: 2 } }, { question }],
      '--aligned-prompt',
      template,
      '--max-tokens',
      '2',
    );
    expect(lines[0]).toMatchObject({ row: { templateOptions: { word: 'stop' } }, error: { code: 'ERR_TEMPLATE_FAILED' } });
    expect(lines[1]).toMatchObject({ stopReason: 'length' });
    const wrong = await rowsOf([{ question }, { question, templateOptions: { bos_token: 'x' } }], '--pair', 'nowhere.json');
    expect(wrong).toMatchObject({
      code: 2,
      lines: [],
      stderr: expect.stringContaining('line 2 of standard input is wrong: "templateOptions.bos_token"'),
    });
  });
});

describe('--prefill', () => {
  test('begins the answer, which is printed from there on', async () => {
    const [whole, rest] = await Promise.all([nudging([question]), nudging(['--prefill', 'A harbor is', question])]);
    expect(`A harbor is${rest.stdout}`).toBe(whole.stdout);
  });

  test('rows may end with the beginning of the answer', async () => {
    const messages = [
      { role: 'user', content: question },
      { role: 'assistant', content: 'A harbor is' },
    ];
    const { lines } = await rowsOf([{ messages, prefill: true }, { question, prefill: 'A harbor is' }, { question }]);
    expect(lines[0].text).toBe(lines[1].text);
    expect(`A harbor is${lines[0].text}`).toBe(lines[2].text);
    expect(await rowsOf([{ messages }])).toMatchObject({ code: 2, stderr: expect.stringContaining('"prefill: true"') });
    expect(await rowsOf([{ question, prefill: 5 }])).toMatchObject({ code: 2, stderr: expect.stringContaining('"prefill"') });
  });
});

describe('--thinking', () => {
  const thinks = '<think>hm</think> yes';

  test('shows what was thought on stderr, the answer on stdout', async () => {
    const { stdout, stderr, code } = await nudging(['--thinking', thinks], { fake: true });
    expect({ stdout, code }).toEqual({ stdout: 'yes!\n', code: 0 });
    expect(stderr).toMatch(/^hm\n1 token, /);
    expect((await nudging([thinks], { fake: true })).stdout).toBe(`${thinks}!\n`);
  });

  test('unfinished, it ends its line', async () => {
    const { stdout, stderr } = await nudging(['--thinking', '--prefill', '<think>', '--max-tokens', '4', question]);
    expect(stdout).toBe('\n');
    expect(stderr).toMatch(/^[^\n]+\n4 tokens, /);
  });

  test('--json has it apart', async () => {
    const answer = JSON.parse((await nudging(['--thinking', '--json', thinks], { fake: true })).stdout);
    expect(answer).toMatchObject({ text: 'yes!', thinking: 'hm', pieces: [{ text: 'hm', thinking: true }, { text: 'yes!' }] });
  });
});

test('--fit leaves out the oldest turns of rows that are too long', async () => {
  const turns = Array.from({ length: 40 }, () => [
    { role: 'user', content: question },
    { role: 'assistant', content: 'A sheltered port where ships can be safe.' },
  ]).flat();
  const row = { messages: [...turns, { role: 'user', content: question }] };
  const { lines } = await rowsOf([row, { question }], '--fit', '--context', '256', '--max-tokens', '32');
  expect(lines[0].droppedMessages).toBeGreaterThan(0);
  expect(lines[0].text).toMatch(/^A harbor/);
  expect(lines[1].droppedMessages).toBe(0);
  expect((await rowsOf([row], '--context', '256')).lines[0]).toMatchObject({ error: { code: 'ERR_PROMPT_TOO_LONG' } });
});
