import { appendFileSync, copyFileSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { inRoot } from '../scripts/lib/paths.mjs';
import { jsonLines, start, type Setting } from './support/cli.ts';
import { fakeJudge } from './support/fake-judge.ts';

const scratch = mkdtempSync(path.join(os.tmpdir(), 'nudging-evaluation-'));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

let out: string;
beforeEach(() => {
  out = path.join(mkdtempSync(path.join(scratch, 'run-')), 'results');
});

const generated = ['--tasks', 'last_letter_concat,coin_flip', '--max-tokens', '24'];
/** One thread is quickest for models this small. */
const run = (flags: string[], setting?: Setting) => start(['eval', '--threads', '1', ...flags], setting).ran;
const evaluate = (...flags: string[]) => run(['--out', out, ...flags]);
const file = () => path.join(out, 'results.jsonl');
const lines = () => jsonLines(readFileSync(file(), 'utf8'));
const answers = () => lines().flatMap(({ answer }) => answer ?? []);
const keys = () => answers().map(({ task, id, system }) => `${task} ${id} ${system}`);
/** What must be the same whenever it was made. */
const timeless = () =>
  answers()
    .map(({ ms, ...answer }) => JSON.stringify(answer))
    .sort();

describe('an evaluation of the demonstration pair', () => {
  test('asks every system every question, and reports', async () => {
    const { code, stdout, stderr } = await evaluate(...generated, '--limit', '2', '--gamma', '0.2,0.4', '--trace');
    expect({ code, stderr }).toMatchObject({
      code: 0,
      stderr: expect.stringMatching(/^16 rows, 0 with an error, .*\nreports: .*report\.html/m),
    });
    const systems = ['base', 'aligned', 'nudged:gamma=0.2', 'nudged:gamma=0.4'];
    const questions = ['last_letter_concat', 'coin_flip'].flatMap((task) => [0, 1].map((index) => `${task} ${task}-609-${index}`));
    expect(keys().sort()).toEqual(questions.flatMap((question) => systems.map((system) => `${question} ${system}`)).sort());
    for (const { text, pieces, system, tokens } of answers()) {
      expect(pieces.map(([, part]: [string, string]) => part).join('')).toBe(text);
      expect(tokens).toBeLessThanOrEqual(24);
      if (system === 'base') expect(pieces.every(([source]: [string]) => source === 'b')).toBe(true);
    }
    expect(
      answers()
        .filter(({ system }) => system.startsWith('nudged'))
        .some(({ boundaries }) => boundaries?.length > 0),
    ).toBe(true);
    expect(stdout).toMatch(/^\| last_letter_concat \| 2 \| /m);
    expect(readFileSync(path.join(out, 'report.md'), 'utf8')).toContain('## Nudges, length and speed');
    expect(readFileSync(path.join(out, 'report.html'), 'utf8')).toContain('</html>');
  });

  test('says the same whenever it is asked, and adds tasks, systems and questions to what is there', async () => {
    await evaluate('--tasks', 'coin_flip', '--max-tokens', '24', '--limit', '1', '--systems', 'nudged');
    const before = readFileSync(file(), 'utf8');
    const { stderr, code } = await evaluate(...generated, '--limit', '2', '--systems', 'base,nudged', '--system', 'nudged:gamma=0.9');
    expect({ code, stderr }).toMatchObject({ code: 0, stderr: expect.stringMatching(/^11 rows after 1 that were there/m) });
    expect(readFileSync(file(), 'utf8').startsWith(before)).toBe(true);
    expect(new Set(keys()).size).toBe(12);
    const grown = timeless();
    out += '-again';
    await evaluate(...generated, '--limit', '2', '--systems', 'base,nudged', '--system', 'nudged:gamma=0.9');
    expect(timeless()).toEqual(grown);
  });

  test('a run without anything to do loads nothing and writes no row', async () => {
    const flags = ['--tasks', 'coin_flip', '--max-tokens', '8', '--limit', '1'];
    await evaluate(...flags);
    const before = readFileSync(file(), 'utf8');
    expect(await evaluate(...flags)).toMatchObject({ code: 0, stderr: expect.stringMatching(/^0 rows after 3 that were there/m) });
    expect(readFileSync(file(), 'utf8')).toBe(before);
    rmSync(path.join(out, 'report.html'));
    expect(await run(['--report', '--out', out])).toMatchObject({ code: 0 });
    expect(existsSync(path.join(out, 'report.html'))).toBe(true);
  });

  test('asks a third model, and any options of a system', async () => {
    const large = inRoot('models/demo/aligned-cross.gguf');
    const flags = ['--tasks', 'coin_flip', '--limit', '1', '--max-tokens', '12', '--systems', 'base', '--large', large];
    expect(await evaluate(...flags, '--system', 'nudged:temperature=0.7,gamma=0.3')).toMatchObject({ code: 0 });
    expect(answers().map(({ system, seed }) => [system, seed])).toEqual([
      ['base', undefined],
      ['nudged:temperature=0.7,gamma=0.3', 609],
      ['large', undefined],
    ]);
    expect(lines()[0].run.madeWith.large.file).toBe('aligned-cross.gguf');
  });

  test("asks in the pair's own prompts, and scores what it can do", async () => {
    const data = mkdtempSync(path.join(scratch, 'data-'));
    const question = 'Take the last letters of "Edith" and "Liam" and concatenate them.';
    writeFileSync(path.join(data, 'last_letters.json'), JSON.stringify({ examples: [{ question, answer: 'hm' }] }));
    const flags = ['--tasks', 'last_letter_concat', '--data', data, '--gamma', '0.4'];
    expect(await evaluate(...flags, '--prompts', 'pair')).toMatchObject({ code: 0 });
    const right = answers().map(({ system, score }) => [system, score.lenient]);
    expect(right).toEqual([
      ['base', false],
      ['aligned', false],
      ['nudged:gamma=0.4', true],
    ]);
    // The pair's own limit holds with its prompts.
    expect(lines()[0].run.madeWith).toMatchObject({ maxTokens: 96, lookahead: 16, repeatLimit: 4 });
  });

  test('a prompt that is too long is an error of its row', async () => {
    const data = mkdtempSync(path.join(scratch, 'data-'));
    const rows = ['short?', 'long '.repeat(300)].map((question) => JSON.stringify({ question, answer: '#### 1' }));
    writeFileSync(path.join(data, 'gsm8k.jsonl'), rows.join('\n'));
    const { code, stderr } = await evaluate(
      '--tasks',
      'gsm8k',
      '--data',
      data,
      '--context',
      '128',
      '--max-tokens',
      '8',
      '--systems',
      'nudged',
    );
    expect({ code, stderr }).toMatchObject({ code: 1, stderr: expect.stringMatching(/^2 rows, 1 with an error/m) });
    expect(answers().flatMap(({ error }) => error?.code ?? [])).toEqual(['ERR_PROMPT_TOO_LONG']);
    expect(readFileSync(path.join(out, 'report.md'), 'utf8')).toMatch(/\| gsm8k \| nudged, γ 0\.4 \|.*\| 1 \|$/m);
  });
});

describe('interrupted', () => {
  const flags = [...generated, '--limit', '7', '--gamma', '0.3', '--parallel', '3'];
  const total = 2 * 7 * 3;

  test.each(['SIGKILL', 'SIGINT'] as const)('by %s, it goes on with no row lost or doubled', { timeout: 90_000 }, async (signal) => {
    const { child, ran } = start(['eval', '--threads', '1', '--out', out, ...flags]);
    await vi.waitUntil(() => existsSync(file()) && answers().length >= 5, { timeout: 20_000, interval: 5 });
    child.kill(signal);
    const { code } = await ran;
    expect(code).toBe(signal === 'SIGINT' ? 130 : 'SIGKILL');
    const kept = new Set(keys()).size;
    expect(kept).toBeLessThan(total);
    // A crash may tear the line that was being written.
    if (signal === 'SIGKILL') appendFileSync(file(), '{"answer":{"task":"coin_flip","id":"coin_fl');
    else expect(existsSync(path.join(out, 'report.html'))).toBe(true);

    expect(await evaluate(...flags)).toMatchObject({
      code: 0,
      stderr: expect.stringMatching(new RegExp(`^${total - kept} rows after ${kept}`, 'm')),
    });
    expect(keys()).toHaveLength(total);
    expect(new Set(keys()).size).toBe(total);
    const resumed = timeless();
    out += '-whole';
    await evaluate(...flags);
    expect(timeless()).toEqual(resumed);
  });
});

describe('results that were made with something else', () => {
  beforeEach(async () => {
    await evaluate('--tasks', 'coin_flip', '--limit', '1', '--max-tokens', '8');
  });

  test.each([
    [['--max-tokens', '9'], '--max-tokens was 8, now 9'],
    [['--max-tokens', '8', '--seed', '1'], '--seed was 609, now 1'],
    [['--max-tokens', '8', '--prompts', 'pair'], 'prompts were {"style":"paper"}, now {"style":"pair"}'],
    [['--max-tokens', '8', '--pair', inRoot('models/demo/pair-cross.json')], 'aligned was'],
    [['--max-tokens', '8', '--trace'], 'trace was'],
  ])('are not continued with %j', async (flags, message) => {
    const before = readFileSync(file(), 'utf8');
    const { code, stderr } = await evaluate('--tasks', 'coin_flip', '--limit', '1', ...flags);
    expect({ code, stderr }).toEqual({
      code: 2,
      stderr: expect.stringMatching(/^nudging: the results were made with other settings [^\n]+\n$/),
    });
    expect(stderr).toContain(message);
    expect(stderr).toContain('or choose another --out');
    expect(readFileSync(file(), 'utf8')).toBe(before);
  });

  test('nor with other questions, nor if they are no results', async () => {
    const data = mkdtempSync(path.join(scratch, 'data-'));
    writeFileSync(path.join(data, 'coin_flip.jsonl'), '{"question": "Heads up?", "answer": "yes"}\n');
    const other = await evaluate('--tasks', 'coin_flip', '--max-tokens', '8', '--data', data);
    expect(other.stderr).toContain('the questions of the task coin_flip are others');
    appendFileSync(file(), `${readFileSync(file(), 'utf8').split('\n')[1]}\n`);
    expect((await evaluate('--tasks', 'coin_flip', '--limit', '1', '--max-tokens', '8')).stderr).toMatch(
      /line 5 of ".*" answers a question again/,
    );
    writeFileSync(file(), '{"question": "mine"}\n');
    expect((await evaluate('--tasks', 'coin_flip', '--limit', '1', '--max-tokens', '8')).stderr).toContain('is no line of results');
    expect(readFileSync(file(), 'utf8')).toBe('{"question": "mine"}\n');
  });
});

test('a judge is asked about what has no rule of its own, once', async () => {
  const judge = await fakeJudge(['{"correct": 1}']);
  const env = { OPENAI_API_KEY: 'key', JUDGE_API_KEY: 'better key' };
  try {
    const flags = ['--tasks', 'coin_flip', '--limit', '2', '--max-tokens', '8', '--judge', judge.url, '--judge-model', 'grader'];
    const ran = await run(['--out', out, ...flags], { env });
    expect(ran).toMatchObject({ code: 0, stderr: expect.stringContaining('6 answers judged by grader, 0 without a verdict') });
    expect(judge.requests.map(({ headers }) => headers.authorization)).toEqual(Array.from({ length: 6 }, () => 'Bearer better key'));
    const report = readFileSync(path.join(out, 'report.md'), 'utf8');
    expect(report).toContain('## Judged by grader');
    expect(report).toContain('| coin_flip | base | 2 | 0 | correct 1.00 (1.00–1.00) |');
    await run(['--out', out, ...flags], { env });
    expect(judge.requests).toHaveLength(6);
    expect(readFileSync(file(), 'utf8')).not.toContain('better key');
  } finally {
    await judge.close();
  }
});

test('a judge that refuses takes no report away', async () => {
  const judge = await fakeJudge([{ status: 401 }]);
  try {
    const flags = ['--tasks', 'coin_flip', '--limit', '1', '--max-tokens', '8', '--judge', judge.url, '--judge-model', 'grader'];
    const { code, stdout, stderr } = await run(['--out', out, ...flags]);
    expect({ code, stderr }).toMatchObject({ code: 2, stderr: expect.stringContaining('set JUDGE_API_KEY or OPENAI_API_KEY') });
    expect(stdout).toContain('| coin_flip | 1 |');
    expect(existsSync(path.join(out, 'report.html'))).toBe(true);
  } finally {
    await judge.close();
  }
});

describe('the command line', () => {
  test.each([
    [['--list', 'x'], 'eval takes flags alone, not "x": name tasks with --tasks'],
    [[], 'eval needs a folder for its results: add --out DIR'],
    [['--out', 'x', '--data', 'nowhere'], '--data "nowhere" is no folder: check the path'],
    [['--out', inRoot('package.json')], 'is no folder: choose another place'],
    [['--out', 'x', '--gamma', '0.2,3'], '--gamma cannot be "0.2,3": it must be numbers from 0 to 2'],
    [['--out', 'x', '--limit', '0'], '--limit cannot be "0": it must be an integer from 1 to 1000000'],
    [['--out', 'x', '--systems', 'base,bse'], 'there is no system "bse": did you mean base?'],
    [['--out', 'x', '--systems', 'large'], 'needs a third model: name its file with --large'],
    [['--out', 'x', '--tasks', 'gsm8k'], 'the task gsm8k needs a file of questions with --data'],
    [['--out', 'x', '--prompts', 'mine'], '--prompts cannot be "mine": it must be paper or pair'],
    [['--out', 'x', '--judge', 'http://localhost:1'], '--judge and --judge-model belong together: give both'],
    [['--out', 'x', '--judge', 'localhost', '--judge-model', 'm'], 'is no address: write something like'],
    [['--out', 'x', '--base', 'a.gguf'], '--base is half a pair: add --aligned'],
    [['--out', 'x', '--report'], 'has no results.jsonl to report on'],
    [['--out', 'x', '--mode', 'base'], 'unknown flag --mode'],
  ])('%j is refused in one line', async (flags, message) => {
    const { code, stdout, stderr } = await run(flags);
    expect({ code, stdout, stderr }).toEqual({ code: 2, stdout: '', stderr: expect.stringMatching(/^nudging: [^\n]+\n$/) });
    expect(stderr).toContain(message);
    expect(existsSync('x')).toBe(false);
  });

  test('--json prints what report.md says, and the tasks of --list', async () => {
    const { stdout, code } = await evaluate(
      '--json',
      '--tasks',
      'coin_flip',
      '--limit',
      '2',
      '--systems',
      'base,nudged',
      '--max-tokens',
      '8',
    );
    const { run: made, systems, tasks, paired } = JSON.parse(stdout);
    expect(code).toBe(0);
    expect(made.seed).toBe(609);
    expect(systems.map(({ mode }: { mode: string }) => mode)).toEqual(['base', 'nudge']);
    expect(tasks[0]).toMatchObject({ name: 'coin_flip', systems: { base: { rows: 2, errors: 0, accuracy: { rows: 2 } } } });
    expect(paired[0]).toMatchObject({ task: 'coin_flip', against: 'base', pairs: 2 });
    const listed = JSON.parse((await run(['--list', '--json'])).stdout);
    expect(listed.find(({ name }: { name: string }) => name === 'coin_flip')).toMatchObject({ generated: true, files: expect.any(Array) });
  });

  test('--list says of every task where its questions come from, and finds files', async () => {
    const data = mkdtempSync(path.join(scratch, 'data-'));
    copyFileSync(inRoot('package.json'), path.join(data, 'svamp.json'));
    const { stdout, code } = await run(['--list', '--data', data]);
    expect(code).toBe(0);
    expect(stdout.match(/^ {2}licence /gm)).toHaveLength(13);
    expect(stdout).toContain(`found       ${path.join(data, 'svamp.json')}`);
    expect(stdout).toContain('found       none: questions are generated');
    expect(stdout).toContain('Parquet is not read');
  });

  test('--help has its own defaults', async () => {
    const { stdout } = await run(['--help']);
    expect(stdout).toMatch(/--max-tokens TOKENS.*default: 512/);
    expect(stdout).not.toMatch(/^ {2}--mode /m);
  });
});
