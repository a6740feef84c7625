import { readFileSync, readdirSync } from 'node:fs';
import { stripVTControlCharacters } from 'node:util';
import { describe, expect, test } from 'vitest';
import { knownFlags, readFlags } from '../lib/cli/args.ts';
import { slashWords } from '../lib/cli/chat/slash.ts';
import { allCommands, commandLike, commandNames } from '../lib/cli/commands/index.ts';
import { exitCodes, UsageError } from '../lib/cli/failure.ts';
import { flagsNamed, groupsNamed } from '../lib/cli/flags.ts';
import { commandHelp, helpText } from '../lib/cli/help.ts';
import { integer } from '../lib/options.ts';
import { inRoot } from '../scripts/lib/paths.mjs';
import { nudging } from './support/cli.ts';
import { hasPty, play } from './support/pty.ts';

const commands = await allCommands();

describe('the table of commands', () => {
  test('has the files of its folder, by their names', async () => {
    const files = readdirSync(inRoot('lib/cli/commands')).map((file) => file.replace(/\.ts$/, ''));
    expect(files.filter((file) => !['index', 'command'].includes(file)).sort()).toEqual([...commandNames].sort());
    expect(commands.map(({ name }) => name)).toEqual(commandNames);
  });

  test('loads only the command that runs', () => {
    const source = readFileSync(inRoot('lib/cli/commands/index.ts'), 'utf8');
    expect([...source.matchAll(/^import (?!type).* from '(.*)'/gm)].map(([, from]) => from)).toEqual(['../../nearest.ts']);
  });

  test.each(commands)('$name says what it does on one line', ({ summary }) => {
    expect(summary).toMatch(/^[a-z][^\n]{9,59}$/);
    expect(summary).not.toMatch(/\.$/);
  });
});

describe('help', () => {
  test('lists the commands with one line each', async () => {
    const text = await helpText(100);
    for (const { name, summary } of commands) expect(text).toContain(`\n  ${name.padEnd(14)}${summary}\n`);
  });

  test.each(commandNames)('of %s is the same in each way, and nothing is loaded for it', async (name) => {
    const ways = [
      ['help', name],
      [name, '--help'],
      [name, '--help', '--json'],
      [name, '-h'],
    ];
    const results = await Promise.all(ways.map((args) => nudging(args, { fake: true })));
    for (const result of results) expect(result).toEqual({ stdout: results[0]?.stdout, stderr: '', code: 0 });
    expect(results[0]?.stdout).toContain('Usage\n');
    expect(results[0]?.stdout).toContain('--help');
  });

  test.each([100, 80, 40].flatMap((columns) => commands.map((command) => [command.name, columns] as const)))(
    'of %s keeps to %i columns',
    async (name, columns) => {
      const command = commands.find((each) => each.name === name);
      if (!command) throw new Error(name);
      // What is indented is not wrapped: examples of input.
      const lines = (await commandHelp(command, columns)).split('\n');
      const free = lines.filter((line) => line.includes(' ', 7) && !/^ {2}(\{|nudging |echo |printf |bash |zsh |fish )/.test(line));
      expect(free.filter((line) => line.length > columns)).toEqual([]);
    },
  );

  test('after -- it is not asked for', async () => {
    expect((await nudging(['--', '--help'], { fake: true })).stdout).toBe('--help!\n');
  });

  test('of something else names what there is', async () => {
    expect(await nudging(['help', 'genrate'], { fake: true })).toEqual({
      stdout: '',
      stderr: 'nudging: there is no command "genrate": did you mean generate?\n',
      code: 2,
    });
    expect((await nudging(['help', 'xyz'], { fake: true })).stderr).toContain(`it must be one of ${commandNames.join(', ')}\n`);
    expect(await nudging(['help', 'help', 'help'], { fake: true })).toMatchObject({ code: 2 });
  });
});

describe('a question', () => {
  test.each([['help'], ['generate']])('that is called like the command %s is asked behind generate or --', async (word) => {
    for (const args of [
      ['generate', word],
      ['--', word],
      ['generate', '--', word],
      ['--parallel', '1', 'generate', word],
    ])
      expect(await nudging(args, { fake: true })).toMatchObject({ stdout: `${word}!\n`, code: 0 });
  });

  test('that is called so behind flags might be meant as the command', async () => {
    const { stdout, stderr, code } = await nudging(['--parallel', '1', 'help'], { fake: true });
    expect({ stdout, code }).toEqual({ stdout: '', code: 2 });
    expect(stderr).toMatch(/^nudging: "help" is a command, and flags stand before it: .* nudging generate "help"\n$/);
  });

  test('that looks like a misspelt command is answered, unless there is another one', async () => {
    expect(await nudging(['halp'], { fake: true })).toMatchObject({
      stdout: 'halp!\n',
      stderr: expect.stringMatching(/^1 token, /),
      code: 0,
    });
    const two = await nudging(['halp', 'chat'], { fake: true });
    expect(two).toMatchObject({ stdout: '', code: 2 });
    expect(two.stderr).toMatch(/^nudging: there is no command "halp": did you mean nudging help\? If not, .* nudging generate "halp"\n$/);
  });

  test.skipIf(!hasPty)('that looks so is answered on a terminal too, which is told of the command', async () => {
    const { output, code } = await play(['halp'], [{ expect: 'halp!' }], { fake: true });
    expect(code).toBe(0);
    expect(output).toContain('nudging: "halp" is asked as a question; the command is nudging help');
    expect((await play(['shelter'], [{ expect: 'shelter!' }], { fake: true })).output).not.toContain('command');
  });

  test.skipIf(!hasPty)('has its statistics folded between words on a terminal', async () => {
    const { output } = await play(['shelter'], [], { fake: true, columns: 40 });
    const lines = stripVTControlCharacters(output).replaceAll('\r', '').trim().split('\n');
    expect(lines.length).toBeGreaterThan(2);
    expect(lines.filter((line) => line.length > 40)).toEqual([]);
  });

  test.each([
    ['halp', 'help'],
    ['hlep', 'help'],
    ['genrate', 'generate'],
    ['generaet', 'generate'],
    ['help', undefined],
    ['Help', undefined],
    ['shell', undefined],
    ['hello', undefined],
    ['heap?', undefined],
    ['general', undefined],
    ['he', undefined],
  ])('%s looks like %s', (word, name) => {
    expect(commandLike(word)).toBe(name);
  });
});

describe('flags of a command', () => {
  const own = {
    title: 'Own',
    flags: [
      { name: 'times', value: 'N', kind: 'number', rule: integer(1, 9), about: 'how often' },
      { name: 'file', value: 'FILE', about: 'where to' },
      { name: 'json', about: 'as JSON' },
    ],
  } as const;
  const groups = [...groupsNamed('models', 'generation'), { ...own, flags: [...own.flags] }];
  const read = (...argv: string[]) => readFlags(groups, argv, 'sample');

  test('are sorted into options, values, switches and words', () => {
    expect(read('one', '--gamma', '0.3', '--times=3', '--file', 'x', '--json', '--verbose', '--', '--two')).toEqual({
      load: { gamma: 0.3 },
      values: { times: 3, file: 'x' },
      switches: new Set(['json', 'verbose']),
      words: ['one', '--two'],
      literalFrom: 1,
    });
  });

  test.each([
    [['--times', '10'], '--times cannot be "10": it must be an integer from 1 to 9'],
    [['--gamma', 'x'], '--gamma cannot be "x": it must be a number from 0 to 2'],
    [['--file'], '--file needs a value: write --file FILE'],
    [['--json=1'], '--json takes no value: leave out "=1"'],
    [['--gama', '1'], 'unknown flag --gama: did you mean --gamma?'],
    [['--qqqqqqq'], 'unknown flag --qqqqqqq: see nudging sample --help'],
    [['--threads', '1'], 'unknown flag --threads: see nudging sample --help'],
  ])('%j is refused as everywhere', (argv, message) => {
    expect(() => read(...argv)).toThrow(new UsageError(message));
  });

  test('of other commands are found by name', () => {
    expect(flagsNamed('threads', 'json').map(({ name }) => name)).toEqual(['threads', 'json']);
    expect(groupsNamed('engine').flatMap(({ flags }) => flags.map(({ name }) => name))).toContain('threads');
  });
});

describe('docs/cli.md', () => {
  const text = readFileSync(inRoot('docs/cli.md'), 'utf8');
  /** First and second cells of the rows below a heading. */
  const rows = (heading: string) => {
    const below = text.slice(text.indexOf(heading));
    const table = below.slice(below.indexOf('| --- |'), below.indexOf('\n\n', below.indexOf('| --- |')));
    return [...table.matchAll(/^\| (.*?) \| (.*) \|$/gm)]
      .slice(1)
      .map(([, first = '', second = '']) => [first.replaceAll('`', ''), second]);
  };

  test('lists the commands as the help does', () => {
    expect(rows('# The command line')).toEqual(commands.map(({ name, summary }) => [name, summary]));
  });

  test('has all exit codes', () => {
    expect(rows('## Exit codes').map(([code]) => Number(code))).toEqual([...Object.values(exitCodes), 143]);
  });

  test('says which commands have --json', () => {
    const own = commands.filter((command) => knownFlags(command.groups).some(({ name }) => name === 'json')).map(({ name }) => name);
    expect([...rows('## JSON').map(([name]) => name), 'chat'].sort()).toEqual(own.sort());
  });

  test('names every command of the chat, as its own help does', () => {
    const named = [...text.slice(text.indexOf('## Chat'), text.indexOf('## Doctor')).matchAll(/`(\/[a-z]+)/g)].map(([, name]) => name);
    expect(new Set(named)).toEqual(new Set(slashWords));
  });
});
