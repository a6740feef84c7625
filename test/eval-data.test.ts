import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { readCsv } from '../lib/eval/data/csv.ts';
import { readQuestions } from '../lib/eval/questions.ts';
import { expandSystems, readSystem, splitOutside } from '../lib/eval/systems.ts';
import { tasks } from '../lib/eval/tasks/index.ts';

const folder = mkdtempSync(path.join(os.tmpdir(), 'nudging-eval-data-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** A folder of its own with these files. */
function dataWith(files: Record<string, unknown>): string {
  const data = mkdtempSync(path.join(folder, 'data-'));
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(path.dirname(path.join(data, name)), { recursive: true });
    writeFileSync(path.join(data, name), typeof content === 'string' || content instanceof Buffer ? content : JSON.stringify(content));
  }
  return data;
}

/** The only question that a task reads from such a file. */
async function questionOf(task: string, files: Record<string, unknown>) {
  const [asked] = await readQuestions({ names: [task], data: dataWith(files), seed: 609 });
  expect(asked?.questions).toHaveLength(1);
  return asked?.questions[0];
}

const lines = (...records: unknown[]) => records.map((record) => `${JSON.stringify(record)}\n`).join('');
const choices = [
  { label: 'A', text: 'one' },
  { label: 'B', text: 'two' },
];
const hubChoices = { text: ['one', 'two'], label: ['A', 'B'] };

describe('official files and the same on Hugging Face', () => {
  test.each([
    ['gsm8k', 'gsm8k/test.jsonl', lines({ question: ' How many? ', answer: 'So\n#### 3' }), 'How many?', 'So\n#### 3'],
    [
      'svamp',
      'SVAMP.json',
      [{ Body: 'I have 2 ', Question: 'How many?', Equation: '( 2 )', Answer: 2.5 }],
      'I have 2 How many?',
      '( 2 ) = 2.5',
    ],
    ['multiarith', 'multiarith.json', [{ sQuestion: ' How many? ', lSolutions: [39.0] }], 'How many?', '39'],
    ['multiarith', 'multiarith.jsonl', lines({ question: 'How many?', final_ans: '39' }), 'How many?', '39'],
    [
      'arc_challenge',
      'ARC-Challenge-Test.jsonl',
      lines({ id: 'x', question: { stem: 'Which?', choices }, answerKey: 'B' }),
      'Which?\nA. one\nB. two',
      'B. two',
    ],
    [
      'csqa',
      'dev_rand_split.jsonl',
      lines({ id: 'x', question: { stem: 'Which?', choices }, answerKey: 'A' }),
      'Which?\nA. one\nB. two',
      'A. one',
    ],
    ['csqa', 'csqa.jsonl', lines({ question: 'Which?', choices: hubChoices, answerKey: 'A' }), 'Which?\nA. one\nB. two', 'A. one'],
    ['strategyqa', 'strategyqa.json', { examples: [{ input: 'Is it?', target_scores: { Yes: 0, No: 1 } }] }, 'Is it?', 'false'],
    ['strategyqa', 'strategyqa_train.json', [{ question: 'Is it?', answer: true }], 'Is it?', 'true'],
    [
      'sports',
      'sports.jsonl',
      lines({ inputs: 'Statement: X ran. Plausible/implausible?', targets: ['implausible'] }),
      'Statement: X ran.',
      '1. no\n2. implausible',
    ],
    [
      'sports',
      'bbh/sports_understanding.json',
      { examples: [{ input: 'Is it plausible?', target: 'yes' }] },
      'Is it plausible?',
      '1. yes\n2. plausible',
    ],
    [
      'date',
      'date_understanding/task.json',
      { examples: [{ input: 'When?', target_scores: { '05/01/2021': 1, '05/02/2021': 0 } }] },
      'When?',
      '05/01/2021',
    ],
    ['date', 'date.jsonl', lines({ inputs: 'Q: When?\nA:', targets: ['05/01/2021'] }), 'When?', '05/01/2021'],
    ['coin_flip', 'coin_flip.json', { examples: [{ question: 'Heads up?', answer: 'no' }] }, 'Heads up?', 'no'],
    ['coin_flip', 'coin_flip.jsonl', lines({ inputs: 'Q: Heads up?', targets: 'no' }), 'Heads up?', 'no'],
    ['last_letter_concat', 'last_letters.json', { examples: [{ question: 'Letters?', answer: 'ab' }] }, 'Letters?', 'ab'],
  ])('%s from %s', async (task, file, content, input, gold) => {
    expect(await questionOf(task, { [file]: content })).toMatchObject({ input, gold });
  });

  test('mmlu from its folder of CSV files, and from lines', async () => {
    const csv = '"Which, if ""any""?",one,two,three,"fo\nur",D\n';
    const expected = { context: 'Subject: anatomy\n', gold: 'D. fo\nur', input: 'Which, if "any"?\nA. one\nB. two\nC. three\nD. fo\nur' };
    expect(await questionOf('mmlu', { 'mmlu/test/anatomy_test.csv': csv })).toMatchObject(expected);
    const record = { question: 'Which, if "any"?', subject: 'anatomy', choices: ['one', 'two', 'three', 'fo\nur'], answer: 3 };
    expect(await questionOf('mmlu', { 'mmlu.jsonl': lines(record) })).toMatchObject(expected);
  });

  test('JustEval has two parts', async () => {
    const data = dataWith({
      'just_eval_instructions.jsonl': lines({ instruction: 'a', dataset: 'lima' }, { instruction: 'b', dataset: 'MaliciousInstruct' }),
    });
    const asked = await readQuestions({ names: ['justeval', 'justeval_safe'], data, seed: 609 });
    expect(asked.map(({ questions }) => questions.map(({ id, input }) => [id, input]))).toEqual([
      [['justeval-0', 'a']],
      [['justeval-1', 'b']],
    ]);
  });
});

test('a limit takes the first of an order that the seed decides, and a larger one adds to it', async () => {
  const data = dataWith({ 'gsm8k.jsonl': lines(...Array.from({ length: 20 }, (_, index) => ({ question: `q${index}`, answer: '1' }))) });
  const inputs = async (limit: number, seed = 609) => {
    const [asked] = await readQuestions({ names: ['gsm8k'], data, seed, limit });
    expect(asked?.available).toBe(20);
    return asked?.questions.map(({ input }) => input);
  };
  // np.random.seed(609); np.random.choice(20, 4, replace=False).
  expect(await inputs(4)).toEqual(['q19', 'q14', 'q10', 'q15']);
  expect((await inputs(12))?.slice(0, 4)).toEqual(await inputs(4));
  expect(await inputs(4, 1)).not.toEqual(await inputs(4));
  expect((await inputs(50))?.sort()).toHaveLength(20);
});

test('without names, all tasks that there are questions for', async () => {
  const asked = await readQuestions({ data: dataWith({ 'svamp.json': [{ Body: 'a', Question: 'b', Answer: 1 }] }), seed: 1, limit: 2 });
  expect(asked.map(({ task, origin }) => [task.name, 'generated' in origin])).toEqual([
    ['svamp', false],
    ['coin_flip', true],
    ['last_letter_concat', true],
  ]);
});

describe('what cannot be read is said, with the remedy', () => {
  test.each([
    [{ 'gsm8k.jsonl': '{"question": "a"\n' }, /line 1 of ".*gsm8k\.jsonl" is no JSON object/],
    [{ 'gsm8k.jsonl': '{"question": "a"}\n' }, /record 1 of ".*" lacks a text under "answer": the task gsm8k reads JSON lines/],
    [{ 'gsm8k.jsonl': '' }, /holds no questions/],
    [{ 'gsm8k.jsonl': Buffer.from('PAR1....PAR1') }, /is a Parquet file, which is not read: .*to_json/],
    [{}, /the task gsm8k needs a file of questions in ".*": put one of gsm8k-test\.jsonl/],
  ])('%j', async (files, message) => {
    await expect(readQuestions({ names: ['gsm8k'], data: dataWith(files), seed: 1 })).rejects.toThrow(message);
  });

  test('a folder without CSV files, and a task that does not exist', async () => {
    await expect(readQuestions({ names: ['mmlu'], data: dataWith({ 'mmlu/test/readme.txt': 'x' }), seed: 1 })).rejects.toThrow(
      'has no CSV files',
    );
    await expect(readQuestions({ names: ['gsm9k'], seed: 1 })).rejects.toThrow('there is no task "gsm9k": did you mean gsm8k?');
    await expect(readQuestions({ names: ['gsm8k'], seed: 1 })).rejects.toThrow('needs a file of questions with --data');
  });
});

test('CSV as RFC 4180 has it', () => {
  expect(readCsv('a,"b, ""c""\nd",\r\n\r\n1,2,3')).toEqual([
    ['a', 'b, "c"\nd', ''],
    ['1', '2', '3'],
  ]);
});

test('every task says where its questions come from, and has a name, a prompt and a scorer or a rubric of its own', () => {
  expect(tasks).toHaveLength(13);
  expect(new Set(tasks.map(({ name }) => name)).size).toBe(13);
  for (const { source, licence, files, score, rubric, prefix, system } of tasks) {
    for (const text of [source, licence, prefix, system, ...files]) expect(text).not.toBe('');
    expect(score ?? rubric).toBeDefined();
  }
});

describe('systems', () => {
  const names = ['base', 'aligned', 'nudged'];

  test('nudged stands for one per γ, and specs add to them once', () => {
    const systems = expandSystems({ names, gammas: [0.2, 0.4], specs: ['nudged:gamma=0.4', 'base:stop=[]'], large: true });
    expect(systems.map(({ name, engine }) => [name, engine])).toEqual([
      ['base', 'pair'],
      ['aligned', 'pair'],
      ['nudged:gamma=0.2', 'pair'],
      ['nudged:gamma=0.4', 'pair'],
      ['large', 'large'],
      ['base:stop=[]', 'pair'],
    ]);
    expect(systems.at(-1)?.options).toEqual({ mode: 'base', stop: [] });
  });

  test('take any option of generate, in JSON or plain words', () => {
    const spec = 'nudged:gamma=0.3,stop=["a,b","c"],logitBias={" maybe":-100},fit=oldest-first,thinking=true';
    expect(readSystem(spec).options).toEqual({
      mode: 'nudge',
      gamma: 0.3,
      stop: ['a,b', 'c'],
      logitBias: { ' maybe': -100 },
      fit: 'oldest-first',
      thinking: true,
    });
    // A mode of the engine's is a kind too, so a new one needs no name here.
    expect(readSystem('nudge:gamma=0.2')).toMatchObject({
      name: 'nudge:gamma=0.2',
      engine: 'pair',
      options: { mode: 'nudge', gamma: 0.2 },
    });
    expect(splitOutside('a="x,\\",y",b=[1,{"c":2,"d":3}],e')).toEqual(['a="x,\\",y"', 'b=[1,{"c":2,"d":3}]', 'e']);
  });

  test.each([
    ['bse', 'there is no system "bse": did you mean base?'],
    ['nudged:gama=0.3', 'the system "nudged:gama=0.3" is wrong: unknown option "gama": did you mean "gamma"?'],
    ['nudged:gamma=3', 'must be a number from 0 to 2; got 3'],
    ['nudged:gamma', 'has "gamma", which is no setting: write option=value'],
    ['nudged:mode=base', 'sets "mode", which its name, the tasks or a flag decide: leave it out'],
  ])('refuse %s', (spec, message) => expect(() => readSystem(spec)).toThrow(message));

  test('need a third model for large', () => {
    expect(() => expandSystems({ names: ['large'], gammas: [], specs: [], large: false })).toThrow('name its file with --large');
  });
});

describe('what is no file', () => {
  test('a folder in the place of a file is told with the remedy', async () => {
    const data = dataWith({ 'mmlu/law_test.csv/a.txt': 'a' });
    await expect(readQuestions({ names: ['mmlu'], data, seed: 609 })).rejects.toMatchObject({
      name: 'EvaluationError',
      message: expect.stringMatching(/law_test\.csv" cannot be read .*: take the official file/),
    });
  });

  test.skipIf(process.platform === 'win32')('a named pipe is refused, and not waited for', async () => {
    const data = dataWith({});
    execFileSync('mkfifo', [path.join(data, 'gsm8k.jsonl')]);
    await expect(readQuestions({ names: ['gsm8k'], data, seed: 609 })).rejects.toThrow('is a named pipe, not a file');
  });
});
