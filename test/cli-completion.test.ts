import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { commandNames } from '../lib/cli/commands/index.ts';
import { completionTable } from '../lib/cli/completion/table.ts';
import { flags } from '../lib/cli/flags.ts';
import { nudging } from './support/cli.ts';

const folder = mkdtempSync(path.join(os.tmpdir(), 'nudging-completion-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const has = (shell: string) => process.platform !== 'win32' && spawnSync(shell, ['-c', 'true']).status === 0;
const script = (shell: string) => path.join(folder, `nudging.${shell}`);
beforeAll(async () => {
  for (const shell of ['bash', 'zsh', 'fish']) {
    const { stdout, stderr, code } = await nudging(['completion', shell], { fake: true });
    expect({ stderr, code }).toEqual({ stderr: '', code: 0 });
    writeFileSync(script(shell), stdout);
  }
});

/** What bash offers for the last of these words. */
function inBash(...words: string[]): string[] {
  const program = `source "$0"; COMP_WORDS=(nudging "$@"); COMP_CWORD=$#; _nudging; printf '%s\\n' "\${COMPREPLY[@]}"`;
  return execFileSync('bash', ['--norc', '-c', program, script('bash'), ...words], { encoding: 'utf8' })
    .split('\n')
    .filter(Boolean);
}

describe.skipIf(!has('bash'))('in bash', () => {
  test('all commands, and the flags of each', async () => {
    expect(inBash('')).toEqual(commandNames);
    for (const { name, flags: own } of await completionTable()) expect(inBash(name, '--')).toEqual(own.map((flag) => `--${flag.name}`));
    expect(inBash('--')).toEqual(flags.map(({ name }) => `--${name}`));
  });

  test.each<[words: string[], offered: string[]]>([
    [['ex'], ['explain']],
    [['--mo'], ['--mode']],
    [
      ['What?', '--mode', ''],
      ['nudge', 'reverse', 'base', 'aligned', 'in-context', 'ensemble', 'proxy-tuning'],
    ],
    [['explain', '--mode', 'b'], ['base']],
    [
      ['explain', '--h'],
      ['--html', '--help'],
    ],
    [['chat', '--input'], []],
    [['help', 'ins'], ['inspect']],
    [
      ['completion', ''],
      ['bash', 'zsh', 'fish'],
    ],
    // Paths are bash's own.
    [['explain', '--from', ''], []],
    [['inspect', 'models'], []],
    [['--gamma', ''], []],
  ])('%j', (words, offered) => expect(inBash(...words)).toEqual(offered));

  test('by the Tab key, also of paths', () => {
    writeFileSync(path.join(folder, 'only.gguf'), '');
    const program = `source "${script('bash')}"; cd "${folder}"; complete -p nudging`;
    expect(execFileSync('bash', ['--norc', '-c', program], { encoding: 'utf8' })).toBe('complete -o default -F _nudging nudging\n');
  });
});

describe.skipIf(!has('fish'))('in fish', () => {
  test.each<[line: string, offered: string[]]>([
    ['nudging exp', ['explain']],
    ['nudging --mod', ['--mode']],
    ['nudging --mode ', ['aligned', 'base', 'ensemble', 'in-context', 'nudge', 'proxy-tuning', 'reverse']],
    ['nudging explain --sv', ['--svg']],
    ['nudging chat --inp', []],
    ['nudging completion ', ['bash', 'fish', 'zsh']],
  ])('%s', (line, offered) => {
    const out = execFileSync('fish', ['--no-config', '-c', `source ${script('fish')}; complete -C ${JSON.stringify(line)}`], {
      encoding: 'utf8',
    });
    expect(
      out
        .split('\n')
        .filter(Boolean)
        .map((row) => row.split('\t')[0]),
    ).toEqual(offered);
  });
});

test.skipIf(!has('zsh'))('zsh can read its script', () => {
  execFileSync('zsh', ['-n', script('zsh')]);
});

test('what would end a description in zsh does not', async () => {
  const { stdout } = await nudging(['completion', 'zsh'], { fake: true });
  // Brackets and colons of a description are escaped.
  for (const line of stdout.split('\n').filter((each) => each.includes("'*--")))
    expect(line).toMatch(/'\*--[a-z0-9-]+\[(?:\\.|[^[\]\\])*\](?::|')/);
});

test.each([
  [[], 'completion is for one shell: name bash, zsh or fish'],
  [['bash', 'zsh'], 'completion is for one shell'],
  [['tcsh'], 'there is no completion for "tcsh": it must be one of bash, zsh, fish'],
])('%j is one line', async (words, message) => {
  const { stdout, stderr, code } = await nudging(['completion', ...words], { fake: true });
  expect({ stdout, code }).toEqual({ stdout: '', code: 2 });
  expect(stderr).toContain(message);
});

test('help --json has all commands and flags', async () => {
  const { stdout } = await nudging(['help', '--json'], { fake: true });
  const { commands, exitCodes } = JSON.parse(stdout);
  expect(commands).toEqual(JSON.parse(JSON.stringify(await completionTable())));
  expect(exitCodes).toEqual({ ok: 0, failed: 1, usage: 2, interrupted: 130 });
  expect(JSON.parse((await nudging(['help', 'inspect', '--json'], { fake: true })).stdout).commands).toHaveLength(1);
});
