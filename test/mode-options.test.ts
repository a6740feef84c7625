import { afterAll, beforeAll, expect, test } from 'vitest';
import { readSystem } from '../lib/eval/systems.ts';
import { Nudging, type GenerateOptions } from '../lib/index.ts';
import { optionsOfModes, usedBy } from '../lib/mode-options.ts';
import { inRoot } from '../scripts/lib/paths.mjs';
import { nudging } from './support/cli.ts';

const question = 'What is a harbor?';
const reference = inRoot('models/demo/base.gguf');
let engine: Nudging;
beforeAll(async () => {
  engine = await Nudging.load({ reference });
});
afterAll(() => engine.close());

const modes = ['nudge', 'reverse', 'base', 'aligned', 'in-context', 'ensemble', 'proxy-tuning'] as const;
/** A value of each of these options that is right by itself. */
const values: GenerateOptions = {
  weights: { base: 1, aligned: 2 },
  alpha: 0.5,
  unit: 'byte',
  compat: 'paper',
  inContextPrompt: 'Question: {question}\nAnswer:\n',
  rule: 'bet',
  endRule: 'either',
  shortDrafts: 'check',
  lead: 3,
  signals: 'known',
  punctuation: 'any',
};

test('each option of a method is taken by its own modes, and by no other', { timeout: 60_000 }, async () => {
  expect(Object.keys(values).sort()).toEqual(Object.keys(optionsOfModes).sort());
  for (const [option, value] of Object.entries(values)) {
    for (const mode of modes) {
      const answer = engine.generate(question, { mode, [option]: value, maxTokens: 2 });
      if (optionsOfModes[option as keyof typeof optionsOfModes]?.includes(mode)) await answer;
      else await expect(answer).rejects.toMatchObject({ code: 'ERR_INVALID_OPTION', option, value });
    }
  }
});

test('what is not looked at is refused with the mode that would', async () => {
  expect(() => engine.stream(question, { mode: 'ensemble', rule: 'bet' })).toThrow(
    '`rule` must be left out where `mode` is "ensemble": it is for "nudge"; got \'bet\'',
  );
  // Beside the question, too.
  const inline = engine.generate({ messages: [{ role: 'user', content: question }], lead: 2 } as never, { mode: 'base' });
  await expect(inline).rejects.toMatchObject({ option: 'lead' });
});

test.each([
  [{ mode: 'ensemble', compat: 'paper', unit: 'byte' }, 'unit'],
  [{ rule: 'kad-dual', lead: 3 }, 'lead'],
  [{ rule: { name: 'blend' }, endRule: 'base' }, 'endRule'],
  [{ rule: 'bet-token', shortDrafts: 'check' }, 'shortDrafts'],
] as const)('%j do not go together', async (options, option) => {
  await expect(engine.generate(question, options)).rejects.toMatchObject({ code: 'ERR_INVALID_OPTION', option });
});

test("an engine's own settings may be those of another mode", async () => {
  await using other = await Nudging.load({ rule: 'bet', lead: 2, weights: { aligned: 1 }, maxTokens: 4 });
  for (const mode of ['base', 'aligned', 'ensemble'] as const)
    expect((await other.generate(question, { mode })).stats.tokens).toBeLessThanOrEqual(4);
  // But what the call itself sets is meant.
  await expect(other.generate(question, { mode: 'base', rule: 'bet' })).rejects.toMatchObject({ option: 'rule' });
});

test('kad-dual with two vocabularies', async () => {
  await using cross = await Nudging.load(inRoot('models/demo/pair-cross.json'));
  await expect(cross.generate(question, { rule: 'kad-dual' })).rejects.toMatchObject({ code: 'ERR_VOCABULARIES_DIFFER' });
});

test('a chat keeps its settings from the models that it asks alone', () => {
  const settings: GenerateOptions = { rule: 'bet', lead: 3, temperature: 0.5, gamma: 0.2 };
  expect(usedBy('aligned', settings)).toEqual({ temperature: 0.5, gamma: 0.2 });
  expect(usedBy('reverse', settings)).toEqual({ lead: 3, temperature: 0.5, gamma: 0.2 });
});

test('systems of an evaluation are checked before anything is loaded', () => {
  expect(() => readSystem('base:rule=bet')).toThrow(/"base:rule=bet" is wrong: "rule" must be left out where "mode" is "base"/);
  expect(readSystem('reverse:lead=4').options).toEqual({ mode: 'reverse', lead: 4 });
});

test.each([
  [['--mode', 'ensemble', '--rule', 'bet'], '--rule must be left out where --mode is "ensemble": it is for "nudge"'],
  [['--mode', 'reverse', '--rule', 'bet'], '--rule must be left out where --mode is "reverse"'],
  [['--unit', 'byte'], '--unit must be left out where --mode is "nudge": it is for "ensemble" or "proxy-tuning"'],
  [['--weights', 'base=1'], '--weights must be left out'],
  [['--mode', 'ensemble', '--alpha', '2'], '--alpha must be left out where --mode is "ensemble": it is for "proxy-tuning"'],
  [['--punctuation', 'any'], '--punctuation must be left out where --mode is "nudge": it is for "reverse"'],
  [['--mode', 'ensemble', '--compat', 'paper', '--unit', 'byte'], '--unit must be left out with'],
  [['--compat', 'paper'], '--compat must be left out'],
])('%j is refused in one line', { timeout: 30_000 }, async (flags, message) => {
  for (const command of [[], ['explain']]) {
    const { stdout, stderr, code } = await nudging([...command, ...flags, question], { raw: true });
    expect([stdout, code]).toEqual(['', 2]);
    expect(stderr).toContain(message);
    expect(stderr.trim().split('\n')).toHaveLength(1);
  }
});
