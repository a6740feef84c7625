import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { allMethods } from '../bench/lib/methods.mjs';
import { readArguments } from '../lib/cli/args.ts';
import { methods, methodsHelp } from '../lib/cli/methods-help.ts';
import type { GenerateOptions } from '../lib/index.ts';
import { generateRules } from '../lib/options.ts';
import { rules } from '../lib/rule.ts';
import { inRoot } from '../scripts/lib/paths.mjs';
import { nudging } from './support/cli.ts';

const words = (flags: string) => flags.split(' ').filter(Boolean);
const loads = methods.map(([flags]) => readArguments([...words(flags), 'Why?']).load);
const names = (of: string) => [...(generateRules[of]?.expected ?? '').matchAll(/"([^"]*)"/g)].map(([, name = '']) => name);

test('help methods has every mode and rule, each with flags that are right together', () => {
  expect(new Set(['nudge', ...loads.flatMap(({ mode }) => mode ?? [])])).toEqual(new Set(names('mode')));
  expect(new Set(['top1', ...loads.flatMap(({ rule }) => (rule as string | undefined) ?? [])])).toEqual(new Set(Object.keys(rules)));
});

test('it is one screen', () => {
  expect(methodsHelp(100).split('\n').length).toBeLessThanOrEqual(36);
});

test('the benchmark measures each of them', () => {
  const measured = allMethods({ knowsQuestions: true }).map(({ options }) => options);
  const kind = ({ mode, rule, compat, lead }: GenerateOptions) => [mode ?? 'nudge', rule, compat, lead !== undefined].join();
  const known = new Set(measured.map(kind));
  // Who ends an answer costs nothing, and the demo pair's base never does.
  for (const load of loads.filter(({ endRule }) => endRule === undefined)) expect(known).toContain(kind(load));
});

test('docs/methods.md has a command for each, and they are right', () => {
  const commands = [...readFileSync(inRoot('docs/methods.md'), 'utf8').matchAll(/`npx nudging ([^`]*)"What is a harbor\?"`/g)];
  const plain = (flags: string) =>
    flags
      .trim()
      .replace(/--reference \S+/, '--reference FILE')
      .replace(/ --in-context-prompt \S+/, '');
  expect(commands.map(([, flags = '']) => plain(flags))).toEqual(expect.arrayContaining(methods.map(([flags]) => flags)));
  for (const [, flags = ''] of commands) readArguments([...words(flags), 'Why?']);
});

test('nudging help methods prints it', async () => {
  expect(await nudging(['help', 'methods'], { raw: true })).toEqual({ stdout: methodsHelp(100), stderr: '', code: 0 });
  expect((await nudging(['help', 'methods', '--json'], { raw: true })).stderr).toContain('there is no command "methods"');
});
