import { copyFileSync, mkdtempSync, readFileSync, rmSync, truncateSync, utimesSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { differences, madeWith } from '../lib/cli/made-with.ts';
import { meantOption } from '../lib/cli/stray-settings.ts';
import { defaults } from '../lib/index.ts';
import { generateRules, loadRules } from '../lib/options.ts';
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
    const rows = [
      ...spread(4),
      {
        base: 'Question: What is a blur?\nAnswer:\n',
        aligned: '<|im_start|>user\nWhat is a blur?<|im_end|>\n<|im_start|>assistant\n',
        text: 'mine',
      },
    ];
    write(rows);
    const { stdout, stderr, code } = await nudging(['--input', input, '--parallel', '3']);
    expect(code).toBe(0);
    const answers = jsonLines(stdout);
    expect(answers.map((answer) => answer.row)).toEqual(rows);
    for (const { text, rounds } of answers)
      expect(rounds.map((round: { words: string; base: string }) => round.words + round.base).join('')).toBe(text);
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
    expect(results()).toMatchObject([
      { text: 'one!' },
      { row: { question: 'too long', error: 'mine' }, error: { code: 'ERR_PROMPT_TOO_LONG' } },
      { text: 'three!' },
    ]);
  });

  test('a failure of the engine ends the run and keeps what is complete', async () => {
    write(ask('one', 'broken', 'three'));
    const { stderr, code } = await nudging(['--input', input, '--output', output], { fake: true });
    expect({ stderr, code }).toEqual({ stderr: 'nudging: llama.cpp could not decode a batch\n', code: 1 });
    expect(results().map((answer) => answer.text)).toEqual(['one!']);
  });
});

describe('fields that look like settings', () => {
  /** What a run says of these rows before its last line. */
  async function warnings(rows: object[]): Promise<string[]> {
    write(rows);
    const { stderr, stdout, code } = await nudging(['--input', input], { fake: true });
    expect(code).toBe(0);
    expect(jsonLines(stdout).map((answer) => answer.row)).toEqual(rows);
    return stderr.split('\n').slice(0, -2);
  }

  test('are warned of once for each name, with the row and the right spelling, and carried along', async () => {
    const lines = await warnings([
      { question: 'one' },
      { question: 'two', max_tokens: 5, temprature: '0.7' },
      { question: 'three', max_tokens: 6, Gamma: 0.3, timeout: 5 },
    ]);
    const carried = (line: number, name: string) =>
      `nudging: line ${line} of ${input} has a field "${name}", which is carried along and sets nothing: `;
    expect(lines).toEqual([
      `${carried(2, 'max_tokens')}"maxTokens" is set for all rows, with --max-tokens`,
      `${carried(2, 'temprature')}"temperature" is set for all rows, with --temperature`,
      `${carried(3, 'Gamma')}"gamma" is set for all rows, with --gamma`,
      `${carried(3, 'timeout')}"timeout" is an option of the library, and this command has no flag for it`,
    ]);
  });

  test('are not made of data: other names, and values that no setting has', async () => {
    const data = {
      id: 1,
      task: 'x',
      answer: 'y',
      answers: ['y'],
      category: 'z',
      model: 'm',
      models: 2,
      node: 3,
      code: 4,
      match: 5,
      need: 6,
      texts: 7,
      title: 'T',
      source: 's',
      target: 't',
      context: 'A passage to read.',
      mode: 'hard',
      threads: ['a', 'b'],
      trace: { a: 1 },
      batch: 'train',
      score: 0.5,
      label: true,
      options: ['a'],
      prompt: 'p',
      text: 'mine',
      error: 'mine',
      length: 3,
    };
    expect(await warnings([{ question: 'one', ...data }])).toEqual([]);
  });

  test.each([
    ['top_p', 0.9, 'topP'],
    ['TopK', 5, 'topK'],
    ['logit_bias', { ' a': 1 }, 'logitBias'],
    ['repeat-penalty', 1.1, 'repeatPenalty'],
    ['lookahed', 5, 'lookahead'],
    ['seed', 1, 'seed'],
    ['maxToken', 5, 'maxTokens'],
    ['gama', 0.3, 'gamma'],
    ['temperature', 1e9, 'temperature'],
    ['system', 'Be brief.', 'system'],
    ['speculation', 'no', undefined],
    ['gemma', 2, 'gamma'],
    ['gemma', '2b', undefined],
  ])('%s: %j is probably meant for %s', (name, value, option) => {
    expect(meantOption(name, value)).toBe(option);
  });

  test('a row that is wrong is all that is said', async () => {
    write([{ question: 'one', max_tokens: 5 }, { question: '' }]);
    const { stderr } = await nudging(['--input', input], { fake: true });
    expect(stderr).toMatch(/^nudging: line 2 of [^\n]*\n$/);
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
    expect(results().map((answer) => [answer.row.question, answer.stopReason])).toEqual([
      ['one', 'kept'],
      ['two', 'kept'],
      ['three', 'end'],
      ['four', 'end'],
    ]);
  });

  test('does nothing when all is there, and still counts the errors', async () => {
    write(ask('one', 'too long'));
    await nudging(['--input', input, '--output', output], { fake: true });
    const before = readFileSync(output, 'utf8');
    expect(await nudging(['--input', input, '--output', output], { fake: true })).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/^0 rows after 2 that were there, 1 with an error/),
    });
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

describe('what an output was made with', () => {
  const demo = (name: string) => fileURLToPath(new URL(`../models/demo/${name}.gguf`, import.meta.url));
  const go = (...flags: string[]) => nudging(['--input', input, '--output', output, ...flags], { fake: true });
  const records = () => results().flatMap((answer, index) => (answer.madeWith === undefined ? [] : [[index, answer.madeWith]]));
  /** Makes the first two of three rows. */
  async function begin(...flags: string[]) {
    write(ask('one', 'two'));
    expect(await go(...flags)).toMatchObject({ code: 0 });
    write(ask('one', 'two', 'three'));
  }
  /** The command is refused with one line, and the file stays as it is. */
  async function refused(...flags: string[]): Promise<string> {
    const before = readFileSync(output, 'utf8');
    const { stdout, stderr, code } = await go(...flags);
    expect({ stdout, code, content: readFileSync(output, 'utf8') }).toEqual({ stdout: '', code: 2, content: before });
    expect(stderr).toMatch(/^nudging: --output "[^\n]*--append\n$/);
    expect(stderr).not.toContain('`');
    return stderr;
  }

  test('stands in the first row, and nowhere else', async () => {
    await begin();
    expect(await go()).toMatchObject({ code: 0, stderr: expect.stringMatching(/^1 row after 2 that were there/) });
    const { gamma, maxTokens, ...record } = results()[0].madeWith;
    expect(records()).toHaveLength(1);
    // The pair's own settings, the package's, and the models.
    expect({ gamma, maxTokens }).toEqual({ gamma: 0.4, maxTokens: 96 });
    expect(record).toMatchObject({ mode: 'nudge', temperature: 0, stop: [] });
    expect(record.base).toMatchObject({ file: 'base.gguf', bytes: readFileSync(demo('base')).length });
    expect(Object.keys(results()[1])).toEqual(['row', 'text', 'stopReason', 'rounds', 'ties', 'pieces', 'stats']);
    expect(jsonLines((await nudging(['--input', input], { fake: true })).stdout)[0]).not.toHaveProperty('madeWith');
  });

  test('is in a row with an error as well', async () => {
    write(ask('too long', 'two'));
    await go();
    expect(results()[0]).toMatchObject({ error: { code: 'ERR_PROMPT_TOO_LONG' }, madeWith: { gamma: 0.4 } });
    expect(await refused('--gamma', '0.3')).toContain('--gamma was 0.4, now 0.3');
  });

  test.each<[flags: string[], says: string]>([
    [['--gamma', '0.3'], '--gamma was 0.4, now 0.3'],
    [['--mode', 'aligned'], '--mode was "nudge", now "aligned"'],
    [['--lookahead', '8'], '--lookahead was 16, now 8'],
    [['--max-tokens', '10'], '--max-tokens was 96, now 10'],
    [['--stop', 'x'], '--stop was [], now ["x"]'],
    [['--temperature', '1'], '--temperature was 0, now 1'],
    [['--system', 'Be brief.'], '--system was not set, now "Be brief."'],
    [['--repeat-limit', '4'], '--repeat-limit was 0, now 4'],
    [['--logit-bias', '{" a":-5}'], '--logit-bias was not set, now {" a":-5}'],
    [['--repeat-penalty', '1.1'], '--repeat-penalty was not set, now 1.1; --repeat-window was not set, now 64'],
    [['--kv-cache', 'q8_0'], '--kv-cache was not set, now "q8_0"'],
    [['--context', '256'], '--context was not set, now 256'],
    [['--base', demo('base'), '--aligned', demo('aligned-cross'), '--max-tokens', '96'], '--aligned was file aligned.gguf, '],
    [['--trace'], 'trace was "rounds", now "full"'],
  ])('with %j it is another one', async (flags, says) => {
    await begin();
    expect(await refused(...flags)).toContain(`was made with other settings (${says}`);
  });

  test('prompts count by what they say', async () => {
    await begin();
    const template = path.join(path.dirname(output), 'template.txt');
    const long = 'Here is what is asked, and what a careful person who is in no hurry at all answers to it.\n';
    writeFileSync(template, `${long}Q: {question}\nA:`);
    expect(await refused('--base-prompt', template)).toMatch(/--base-prompt was "\{system\}Question: .*, now "Here is what is asked, /);
    rmSync(output);
    await begin('--base-prompt', template);
    writeFileSync(template, `${long}Q: {question}\nB:`);
    expect(await refused('--base-prompt', template)).toContain('(--base-prompt is another one)');
    writeFileSync(template, '{{ messages }}');
    expect(await refused('--aligned-prompt', template)).toContain('--aligned-prompt was not set, now "{{ messages }}"');
  });

  test('many differences are all named, and the remedy is still there', async () => {
    await begin();
    const flags = { '--gamma': '0.3', '--lookahead': '8', '--max-tokens': '9', '--repeat-limit': '4', '--system': 'x'.repeat(500) };
    const line = await refused(...Object.entries(flags).flat());
    for (const flag of Object.keys(flags)) expect(line).toContain(flag);
  });

  test('samples: how they are drawn counts, and the seed', async () => {
    await begin('--temperature', '1', '--seed', '1', '--top-p', '0.9');
    const line = await refused('--temperature', '1', '--seed', '2', '--top-k', '5');
    expect(line).toContain('--top-k was 0, now 5; --top-p was 0.9, now 1; --seed was 1, now 2');
    expect(await go('--temperature', '1', '--seed', '1', '--top-p', '0.9')).toMatchObject({ code: 0 });
  });

  test('what does not change answers is not compared', async () => {
    await begin('--parallel', '1', '--threads', '1', '--gamma', '0.4', '--seed', '1');
    const manifest = fileURLToPath(new URL('../models/demo/pair.json', import.meta.url));
    expect(await go('--parallel', '3', '--threads', '2', '--top-k', '5', '--verbose', '--pair', manifest)).toMatchObject({ code: 0 });
    expect(records()).toHaveLength(1);
  });

  test('a model of the same name and size that was replaced is another one', async () => {
    const folder = path.dirname(output);
    const [base, aligned] = [path.join(folder, 'base.gguf'), path.join(folder, 'aligned.gguf')];
    copyFileSync(demo('base'), base);
    copyFileSync(demo('aligned'), aligned);
    const pair = ['--base', base, '--aligned', aligned];
    utimesSync(base, 1_700_000_000, 1_700_000_000);
    await begin(...pair);
    utimesSync(base, 1_800_000_000, 1_800_000_000);
    expect(await refused(...pair)).toContain('(--base was modified 2023-11-14T22:13:20.000Z, now modified 2027-01-15T08:00:00.000Z)');
    utimesSync(base, 1_700_000_000, 1_700_000_000);
    expect(await go(...pair)).toMatchObject({ code: 0 });
  });

  test('settings that a pair lays down count when they change', async () => {
    const pair = path.join(path.dirname(output), 'pair.json');
    const lay = (settings: object) => writeFileSync(pair, JSON.stringify({ base: demo('base'), aligned: demo('aligned'), ...settings }));
    lay({ gamma: 0.2, stop: 'x' });
    await begin('--pair', pair);
    lay({ gamma: 0.3, stop: 'x' });
    expect(await refused('--pair', pair)).toContain('(--gamma was 0.2, now 0.3)');
    lay({ gamma: 0.2, stop: 'x', context: 400 });
    expect(await refused('--pair', pair)).toContain('(--context was not set, now 400)');
    // Written in another way they are the same.
    lay({ stop: ['x'], name: 'mine' });
    expect(await go('--pair', pair, '--gamma', '0.2', '--repeat-window', '9')).toMatchObject({ code: 0 });
  });

  test('--append goes on, and the first row that is different says so', async () => {
    await begin();
    expect(await go('--gamma', '0.3', '--append')).toMatchObject({ code: 0 });
    expect(records()).toMatchObject([
      [0, { gamma: 0.4 }],
      [2, { gamma: 0.3 }],
    ]);
    // From there on the later settings are those of the file.
    write(ask('one', 'two', 'three', 'four'));
    expect(await refused('--gamma', '0.4')).toContain('--gamma was 0.3, now 0.4');
    expect(await go('--gamma', '0.3')).toMatchObject({ code: 0 });
    expect(records()).toHaveLength(2);
  });

  test('--append does not make another input right', async () => {
    await begin();
    write(ask('other', 'two', 'three'));
    expect(await go('--append')).toMatchObject({ code: 2, stderr: expect.stringContaining('belongs to another input') });
  });

  test('a file from before, without a record, needs --append', async () => {
    await begin();
    writeFileSync(
      output,
      results()
        .map(({ madeWith: _, ...answer }) => `${JSON.stringify(answer)}\n`)
        .join(''),
    );
    expect(await refused()).toContain('does not say which models and settings it was made with');
    expect(await go('--append')).toMatchObject({ code: 0 });
    expect(records()).toMatchObject([[2, { gamma: 0.4 }]]);
    expect(await go()).toMatchObject({ code: 0, stderr: expect.stringMatching(/^0 rows after 3 that were there/) });
  });

  test('a complete file is not passed off as made with other settings', async () => {
    await begin();
    await go();
    expect(await refused('--gamma', '0.3')).toContain('--gamma was 0.4, now 0.3');
  });

  test('a file whose only row was torn begins anew, with the settings of now', async () => {
    await begin();
    truncateSync(output, 40);
    expect(await go('--gamma', '0.3')).toMatchObject({ code: 0 });
    expect(records()).toMatchObject([[0, { gamma: 0.3 }]]);
    expect(results()).toHaveLength(3);
  });

  test.skipIf(process.platform === 'win32')('an interrupted run goes on with the same flags, and only with those', async () => {
    write(ask('one', 'two', 'endless three'));
    const command = ['--input', input, '--output', output, '--gamma', '0.3'];
    const { child, ran } = start(command, { fake: true, env: { NUDGING_FAKE_SAYS: '1' } });
    await vi.waitFor(() => expect(results()).toHaveLength(2), 10_000);
    child.kill('SIGINT');
    expect(await ran).toMatchObject({ code: 130 });
    expect(results()).toHaveLength(2);
    expect(await refused()).toContain('--gamma was 0.3, now 0.4');
    const { child: again, ran: ranAgain } = start(command, { fake: true, env: { NUDGING_FAKE_SAYS: '1' } });
    await shows(again, 'asked', 'stderr');
    again.kill('SIGINT');
    expect(await ranAgain).toMatchObject({ code: 130, stderr: expect.stringContaining('0 rows after 2 that were there') });
  });

  test('every option of the library counts unless it is known not to', async () => {
    const options = Object.keys({ ...generateRules, ...loadRules }).filter((option) => !['pair', 'base', 'aligned'].includes(option));
    // Values that no option has by default; that they make no sense does not matter here.
    const load = Object.fromEntries([...options.map((option) => [option, `another ${option}`]), ['temperature', 1], ['repeatPenalty', 2]]);
    // Some modes alone look at some options.
    const modes = ['nudge', 'reverse', 'ensemble', 'proxy-tuning', 'in-context'] as const;
    const records = await Promise.all(modes.map((mode) => madeWith({ ...load, mode })));
    const changed = [...new Set(records.flatMap(Object.keys))].filter((name) => !['version', 'base', 'aligned'].includes(name));
    const uncounted = options.filter((option) => !changed.includes(option)).sort();
    expect(uncounted).toEqual([
      'batch',
      'highWaterMark',
      'isolate',
      'maxQueue',
      'mmap',
      'onProgress',
      'overlap',
      'parallel',
      'rpcTimeout',
      'signal',
      'speculation',
      'threads',
      'timeout',
    ]);
    // And what is counted is there without a flag too, where there is a default.
    expect(
      Object.keys(defaults)
        .filter((name) => !changed.includes(name))
        .sort(),
    ).toEqual(['highWaterMark', 'speculation']);
  });

  test('records differ by what one of them lacks, too', () => {
    expect(differences({ a: 1, gamma: 1 }, { gamma: 1, b: { c: 2 } })).toBe('a was 1, now not set; b was not set, now {"c":2}');
    const lanes = (aligned: number) => ({ context: { base: 1, aligned } });
    expect(differences(lanes(2), lanes(3))).toBe('--context was aligned 2, now aligned 3');
    expect(differences({ a: [1] }, { a: [1] })).toBe('');
  });
});
