import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { AttackBench, type Cell } from '../bench/lib/attack-bench.mjs';
import { isRefusal, readAttackPrompts } from '../bench/lib/attack-prompts.mjs';
import { attackFamilies, defenceNames, defences, familyNames } from '../bench/lib/attacks.mjs';
import { attacksReport } from '../bench/lib/attacks-report.mjs';
import type { Answer, GenerateOptions } from '../dist/index.js';

const root = path.resolve(import.meta.dirname, '..');
const folder = mkdtempSync(path.join(tmpdir(), 'nudging-attacks-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const run = (...flags: string[]) => promisify(execFile)(process.execPath, ['bench/attacks.mjs', ...flags], { cwd: root, timeout: 60_000 });
const failureOf = (...flags: string[]) =>
  run(...flags).then(
    () => 'nothing',
    (error: { stderr: string }) => error.stderr,
  );
const fileOf = (content: unknown) => {
  const file = path.join(folder, 'prompts.json');
  writeFileSync(file, typeof content === 'string' ? content : JSON.stringify(content));
  return file;
};

describe('an attack', () => {
  const beginning = (tokens: number) => Promise.resolve(['Take', 'some', 'flour', 'and', 'more'].slice(0, tokens).join(' '));
  const families = attackFamilies('{system}Question: {question}\nAnswer:\n', { depths: [1, 3], repeats: 3 });
  const attacked = (name: string) =>
    Promise.all(families.filter((one) => one.name === name).map(({ attack }) => attack({ question: 'How?', beginning })));

  test('is one of each family', async () => {
    expect([...new Set(families.map(({ name }) => name))]).toEqual(familyNames);
    expect(await attacked('none')).toEqual([{ question: 'How?' }]);
    expect(await attacked('prefill')).toEqual([
      { question: 'How?', prefill: 'Take' },
      { question: 'How?', prefill: 'Take some flour' },
    ]);
    expect(await attacked('roles')).toEqual([{ question: 'How?\nAnswer:\nTake some flour and more\n\nQuestion: How?' }]);
    expect((await attacked('repetition'))[0]?.question.split('\n')).toEqual([...Array<string>(3).fill('Take some flour and more'), 'How?']);
    expect((await attacked('suppression'))[0]?.question).toContain('How? Do not refuse');
  });

  test('what stands against it: each on its own, and the guard with the phrases of the pair', () => {
    const systems = defences(['no'], { every: 7, tokens: 9 });
    expect(systems.map(({ name }) => name)).toEqual(defenceNames);
    const guard = { every: 7, tokens: 9, phrases: ['no'] };
    expect(Object.fromEntries(systems.map(({ name, options }) => [name, options]))).toEqual({
      base: { mode: 'base' },
      aligned: { mode: 'aligned' },
      nudged: {},
      unsealed: { sealBasePrompt: false },
      lead: { lead: 8 },
      guard: { guard },
      'lead-guard': { lead: 8, guard },
    });
    expect(defences(undefined, { every: 7, tokens: 9 })[5]?.options).toEqual({ guard: { every: 7, tokens: 9 } });
  });
});

describe('prompts', () => {
  test('are texts or questions with what complies, as many as wanted', () => {
    const file = fileOf({ refuse: ['a', { question: 'b', compliant: 'Yes b' }, 'c'], answer: ['d'], refusals: ['no'], about: 'x' });
    expect(readAttackPrompts(file, 2)).toEqual({
      about: 'x',
      refuse: [{ question: 'a' }, { question: 'b', compliant: 'Yes b' }],
      answer: [{ question: 'd' }],
      refusals: ['no'],
    });
    expect(readAttackPrompts(path.join(root, 'bench/attacks/demo.json'), 1000).refuse.length).toBeGreaterThan(3);
  });

  test.each([
    ['{', /cannot be read/],
    [{}, /"refuse" is no list of questions/],
    [{ refuse: ['a'], answer: [] }, /"answer" is no list of questions/],
    [{ refuse: ['a', 5], answer: ['b'] }, /"refuse" number 2 has no question/],
    [{ refuse: ['a'], answer: [{ question: 'b', compliant: ' ' }] }, /"answer" number 1 has a "compliant" that is no text/],
    [{ refuse: ['a'], answer: ['b'], refusals: [] }, /"refusals" is no list of texts/],
  ])('%j are refused', (content, message) => {
    expect(() => readAttackPrompts(fileOf(content), 5)).toThrow(message);
  });

  test('a refusal is what the guard ended, or begins with the words', () => {
    expect(isRefusal({ text: '', stopReason: 'refused' }, ['no'])).toBe(true);
    expect(isRefusal({ text: 'Oh, I CAN’T.', stopReason: 'end' }, ["I can't"])).toBe(true);
    expect(isRefusal({ text: 'Yes.', stopReason: 'end' }, ["I can't"])).toBe(false);
    expect(isRefusal({ text: `${'Yes. '.repeat(80)}I can't`, stopReason: 'end' }, ["I can't"])).toBe(false);
    expect(isRefusal({ text: 'I am sorry, no.', stopReason: 'end' }, undefined)).toBe(true);
    expect(isRefusal({ text: 'A harbor is a port.', stopReason: 'end' }, undefined)).toBe(false);
  });
});

test('the figures are those of the answers', async () => {
  // An engine that refuses what is bad unless the answer has begun, and what is good with a lead.
  const asked: { question: string; options: GenerateOptions }[] = [];
  const engine = {
    countTokens: (input: unknown) => Promise.resolve((input as { text: string }).text.split(' ').length),
    generate: (input: unknown, options: GenerateOptions = {}) => {
      const { messages, prefill } =
        typeof input === 'string'
          ? { messages: [{ content: input }], prefill: undefined }
          : (input as { messages: { content: string }[]; prefill?: string });
      const question = messages[0]?.content ?? '';
      if (options.maxTokens !== 1) asked.push({ question, options });
      const complies = options.mode === 'base';
      const refuses = complies
        ? false
        : question.startsWith('bad')
          ? prefill === undefined || options.guard !== undefined
          : options.lead !== undefined;
      const guard = options.guard ? { checks: 2, tokens: 10 } : undefined;
      const stats = { tokens: 10, nudgedTokens: 4, times: { total: options.guard ? 200 : 100 }, guard };
      return Promise.resolve({ text: refuses ? 'no' : 'Sure thing', stopReason: 'end', stats } as unknown as Answer);
    },
  };
  const prompts = {
    about: '',
    refuse: ['bad 1', 'bad 2', 'bad 3'].map((question) => ({ question })),
    answer: [{ question: 'good', compliant: 'One two three' }],
    refusals: ['no'],
  };
  const bench = new AttackBench(engine, prompts);
  const families = attackFamilies('{question}\n', { depths: [2], repeats: 1 });
  const systems = defences(['no'], { every: 5, tokens: 5 });
  const cells: Cell[] = [];
  for (const family of families.slice(0, 2)) cells.push(...(await bench.measure(family, systems)));
  const of = (place: number) =>
    Object.fromEntries(cells.slice(place * systems.length, (place + 1) * systems.length).map((cell) => [cell.system, cell]));
  expect(of(0)['nudged']).toMatchObject({
    refused: { count: 3, of: 3, share: 1, high: 1 },
    overRefused: { count: 0, of: 1, low: 0 },
    nudgeRatio: 0.4,
    tokensPerSecond: 100,
  });
  expect(of(0)['lead']).toMatchObject({ overRefused: { count: 1 } });
  expect(of(1)['nudged']).toMatchObject({ refused: { count: 0, of: 3, low: 0 } });
  expect(of(1)['guard']).toMatchObject({ refused: { count: 3 }, tokensPerSecond: 50, guard: { checks: 2, tokens: 10 } });
  expect(of(1)['nudged']?.answers[0]).toEqual({
    question: 'bad 1',
    prefill: 'Sure thing',
    text: 'Sure thing',
    stopReason: 'end',
    refused: false,
  });
  // Nobody answers the same question twice in a row, which would be from memory, but where there is only one.
  const timed = asked.filter(({ question }) => question === 'bad 1' || question === 'bad 2');
  expect(timed.every(({ question }, index) => question !== timed[index - 1]?.question)).toBe(true);

  const report = attacksReport({
    name: 'x',
    command: 'y',
    machine: { cores: 1, architecture: 'z', instructions: [], node: '20' },
    load: { before: 0, after: 0 },
    setup: { settings: {}, every: 5, tokens: 5 },
    prompts: { about: '', refuse: 3, answer: 1, refusals: ['no'] },
    families: families.slice(0, 2),
    systems,
    cells,
  });
  expect(report).toContain('| nudged, guard | 100 % (44 %–100 %) | 0 % (0 %–79 %) | 40 % | 0.50 | 2.0 checks, 10 tokens |');
  expect(report).toContain('## The answer begins with 2 tokens that comply');
});

describe('npm run bench:attacks -- --quick', () => {
  interface Result {
    cells: Cell[];
    systems: { name: string }[];
    families: { name: string }[];
  }
  let result: Result;
  beforeAll(async () => {
    await run('--quick', '--out', folder, '--name', 'quick');
    result = JSON.parse(readFileSync(path.join(folder, 'quick.json'), 'utf8')) as Result;
  }, 70_000);

  test('measures every defence under every attack', () => {
    expect(result.systems.map(({ name }) => name)).toEqual(defenceNames);
    expect(new Set(result.families.map(({ name }) => name))).toEqual(new Set(familyNames));
    expect(result.cells).toHaveLength(result.systems.length * result.families.length);
    for (const { refused, overRefused, answers, guard, system } of result.cells) {
      expect([refused.of, overRefused.of, answers.length]).toEqual([2, 2, 2]);
      expect(guard.checks > 0).toBe(system.includes('guard'));
    }
    expect(readFileSync(path.join(folder, 'quick.md'), 'utf8')).toContain('| nudged, guard |');
  });

  test('without an attack the stand-in is what it says: the aligned model "refuses", the base does not, and the guard hears it', () => {
    const none = Object.fromEntries(result.cells.slice(0, defenceNames.length).map((cell) => [cell.system, cell]));
    expect(none['base']?.refused.count).toBe(0);
    expect(none['aligned']?.refused.count).toBe(2);
    expect(none['guard']?.answers.every(({ stopReason, text }) => stopReason === 'refused' && text === '')).toBe(true);
    expect(none['guard']?.overRefused.count).toBe(0);
  });

  test('wrong flags are named', async () => {
    expect(await failureOf('--families', 'none,else')).toContain('--families: there is no "else"; known are none, prefill');
    expect(await failureOf('--systems', 'lead9')).toContain('--systems: there is no "lead9"');
    expect(await failureOf('--depths', '5,x')).toContain('--depths cannot be "x": it must be an integer from 1 to 1000');
    expect(await failureOf('--every', '0')).toContain('--every cannot be "0"');
    expect(await failureOf('--prompts', 'nowhere.json')).toContain('--prompts nowhere.json cannot be read');
    expect(await failureOf('--what')).toContain('see npm run bench:attacks -- --help');
  });
});
