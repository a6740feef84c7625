import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { nudging, type Setting } from './support/cli.ts';

const question = 'What is a harbor?';
const folder = mkdtempSync(path.join(os.tmpdir(), 'nudging-explain-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const at = (name: string) => path.join(folder, name);
/** The demo pair takes one thread, as in support/cli.ts, whose flag would stand before the command. */
const explain = (args: string[], setting?: Setting) =>
  nudging(['explain', ...(args.includes('--from') ? [] : ['--threads', '1']), ...args], { ...setting, raw: true });

const saved = at('answer.json');
beforeAll(async () => {
  const { stdout } = await nudging(['--json', '--trace', question]);
  writeFileSync(saved, stdout);
});

describe('nudging explain', () => {
  test('shows an answer on the terminal, without escape codes in a pipe', async () => {
    const { stdout, stderr, code } = await explain([question]);
    expect({ stderr, code }).toEqual({ stderr: '', code: 0 });
    expect(stdout).toMatch(/^What is a harbor\?\n\nA harbor is [^\n]*\n~ ~~~~~~/);
    expect(stdout).toContain('Round 1: ');
    expect(stdout).not.toContain('\x1b');
    expect((await explain([question], { env: { FORCE_COLOR: '1' } })).stdout).toContain('\x1b[36m');
  });

  test('a question can be piped in', async () => {
    expect((await explain([], { input: `${question}\n` })).stdout).toBe((await explain([question])).stdout);
  });

  test('of a saved answer is the same, and loads nothing', async () => {
    const [asked, read] = await Promise.all([
      explain([question, '--svg', at('one.svg'), '--html', at('one.html')]),
      explain(['--from', saved, '--gamma', '0.4', '--svg', at('two.svg'), '--html', at('two.html')], {
        env: { NUDGING_BINARY: 'nowhere' },
      }),
    ]);
    expect([asked, read]).toEqual(Array(2).fill({ stdout: '', stderr: '', code: 0 }));
    // The file does not know the question.
    const bare = (page: string) => page.replaceAll(question, '').replaceAll('An answer, explained', '').replace(/\s+/g, '');
    const own = (page: string) => bare(page.slice(page.indexOf('<div class="answer"')));
    expect(own(readFileSync(at('one.html'), 'utf8'))).toBe(own(readFileSync(at('two.html'), 'utf8')));
    expect(readFileSync(at('two.svg'), 'utf8')).toMatch(/^<svg [\s\S]*<\/svg>\n$/);
  });

  test('--json prints what --from reads again', async () => {
    const { stdout } = await explain(['--json', question]);
    const value = JSON.parse(stdout);
    expect(value).toMatchObject({ question, gamma: 0.4, mode: 'nudge', stopReason: 'end', explanation: { question, gamma: 0.4 } });
    expect(value.explanation.words.map((word: { text: string }) => word.text).join('')).toBe(value.text);
    const again = await explain(['--from', '-', '--json'], { input: stdout });
    expect(JSON.parse(again.stdout)).toEqual(value);
    // A file may say anything about itself; what is printed is found out anew.
    writeFileSync(at('lies.json'), JSON.stringify({ ...value, explanation: { words: [] } }));
    expect(JSON.parse((await explain(['--from', at('lies.json'), '--json'])).stdout)).toEqual(value);
  });

  test.each([
    [['--lead', '4'], 'Round 1: the aligned model leads'],
    [['--mode', 'reverse'], 'the words that it was unsure of'],
    [['--mode', 'ensemble'], 'both models chose each token together'],
    [['--rule', 'blend'], 'Round 1'],
  ])('what %j made can be saved and explained again', async (flags, said) => {
    const { stdout } = await explain([...flags, '--json', '--max-tokens', '14', question]);
    const again = await explain(['--from', '-'], { input: stdout });
    expect(again).toMatchObject({ stderr: '', code: 0 });
    expect(again.stdout).toContain(said);
  });

  test('behind a lead, the base was asked as ever', async () => {
    const { explanation } = JSON.parse((await explain(['--lead', '4', '--json', '--max-tokens', '14', question])).stdout);
    expect(explanation.rounds[0]).toMatchObject({ by: 'lead', asked: [] });
    expect(explanation.rounds[1].asked).not.toEqual([]);
  });

  test('settings reach the answer', async () => {
    const { explanation } = JSON.parse((await explain(['--json', '--gamma', '1.5', '--max-tokens', '5', question])).stdout);
    expect(explanation).toMatchObject({ gamma: 1.5, stopReason: 'length', tokens: 5 });
    const alone = JSON.parse((await explain(['--json', '--mode', 'base', '--max-tokens', '5', question])).stdout);
    expect(alone).toMatchObject({ mode: 'base', explanation: { mode: 'base' } });
    expect((await explain(['--from', '-'], { input: JSON.stringify(alone) })).stdout).toContain('base model alone');
  });

  test.each<[string[], string, Setting?]>([
    [[], 'no question: standard input is empty; write a question in quotes, or see nudging explain --help'],
    [['one', 'two'], '2 questions were given: put one question in quotes'],
    [['--from', 'x.json', question], 'a question and --from were given: leave out one of them'],
    [['--html', '-', '--json', question], 'several formats go to standard output: name files for all but one'],
    [['--from', at('missing')], `the file of --from "${at('missing')}" does not exist: check the path`],
    [['--from', folder], 'the file of --from'],
    [['--from', '-'], 'the file of --from "-" is not JSON', { input: '{' }],
    [
      ['--from', '-'],
      'the file of --from "-" has no "decisions": make the answer again with --json --trace',
      { input: '{"text":"","stopReason":"end","rounds":[],"pieces":[{"text":"a","source":"base"}]}' },
    ],
    [['--from', saved, '--html', path.join(folder, 'no', 'page.html')], 'the file of --html'],
    [['--input', 'x'], 'unknown flag --input: see nudging explain --help'],
  ])('%j is one line', async (args, message, setting) => {
    const { stdout, stderr, code } = await explain(args, setting);
    expect({ stdout, code }).toEqual({ stdout: '', code: 2 });
    expect(stderr).toMatch(/^nudging: [^\n]+\n$/);
    expect(stderr).toContain(message);
  });
});
