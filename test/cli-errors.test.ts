import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, test } from 'vitest';
import { badModels } from './support/bad-files.ts';
import { nudging, type Setting } from './support/cli.ts';

const scratch = mkdtempSync(path.join(os.tmpdir(), 'nudging-errors-'));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

const inRoot = (name: string) => fileURLToPath(new URL(`../${name}`, import.meta.url));
const file = (name: string, content: string) => {
  const place = path.join(scratch, name);
  writeFileSync(place, content);
  return place;
};
const aligned = inRoot('models/demo/aligned.gguf');
const vocabulary = inRoot('vendor/llama.cpp/models/ggml-vocab-gpt-2.gguf');
const models = badModels(scratch);
const missing = path.join(scratch, 'missing');
const question = 'What is a harbor?';
const withBase = (base: string) => ['--base', base, '--aligned', aligned, question];

type Case = [name: string, args: string[], line: RegExp, setting?: Setting];

/** Every mistake is one line that says what is wrong and how to mend it. */
async function expectOneLine(args: string[], line: RegExp, setting?: Setting) {
  const { stdout, stderr, code } = await nudging(args, setting);
  expect(stderr).toMatch(/^nudging: [^\n]+\n$/);
  expect(stderr).toMatch(line);
  expect(stderr).not.toContain('    at ');
  expect(stderr).not.toContain('`');
  expect({ stdout, code }).toEqual({ stdout: '', code: 2 });
}

const flagCases: Case[] = [
  ['an unknown flag', ['--gama', '0.4', question], /unknown flag --gama: did you mean --gamma\?/],
  ['a flag nothing like any', ['--qqqqqqq', question], /unknown flag --qqqqqqq: see nudging --help/],
  ['a part of a name', ['--tokens', '3', question], /did you mean --max-tokens\?/],
  ['a flag without its value', [question, '--gamma'], /--gamma needs a value: write --gamma P/],
  ['a flag in place of a value', ['--pair', '--json', question], /--pair needs a value/],
  ['a value for a switch', ['--json=yes', question], /--json takes no value/],
  ['text for a number', ['--gamma', 'high', question], /--gamma cannot be "high": it must be a number from 0 to 2/],
  ['a number out of range', ['--max-tokens', '0', question], /--max-tokens cannot be "0": it must be an integer from 1 to/],
  ['nothing for a number', ['--threads=', question], /--threads cannot be ""/],
  ['stop texts and none', ['--stop', 'x', '--no-stop', question], /--stop and --no-stop were given: leave out one of them/],
  ['an unknown rule', ['--rule', 'best', question], /--rule cannot be "best": it must be one of "top1", "bet", .*as in bet:lambda=0.1\n$/],
  ['no rule', ['--rule=', question], /--rule cannot be ""/],
  [
    'a rule without the number',
    ['--rule', 'bet:lambda', question],
    /"bet:lambda": it must be a rule whose "lambda" is a number from 0 to 1/,
  ],
  ['a rule with a word for a number', ['--rule', 'bet:lambda=much', question], /"lambda" is a number from 0 to 1/],
  ['a rule with nothing behind its name', ['--rule', 'bet:', question], /a rule with no other parameters than lambda/],
  ["another rule's parameter", ['--rule', 'bet:low=0.1', question], /with no other parameters than lambda where its name is "bet"/],
  ['a rule that is upside down', ['--rule', 'hybrid:low=0.9,high=0.1', question], /whose "low" is at most its "high" \(0.1\)/],
  ['an unknown mode', ['--mode', 'both', question], /--mode cannot be "both": it must be one of "nudge"/],
  ['an unknown lane', ['--context', 'small=1', question], /--context cannot be "small=1".*base=N,aligned=N/],
  [
    'an unknown type of KV cache',
    ['--kv-cache', 'q8', question],
    /--kv-cache cannot be "q8": it must be one of "f16", .*base=N,aligned=N with such values/,
  ],
  [
    'a word for a number',
    ['--parallel', 'many', question],
    /--parallel cannot be "many": it must be an integer from 1 to 256 or one of "auto"/,
  ],
  ['a bias that is no JSON', ['--logit-bias', ' maybe=-5', question], /--logit-bias cannot be " maybe=-5": it is not JSON \(/],
  [
    'a bias out of range',
    ['--logit-bias', '{" maybe": -500}', question],
    /--logit-bias cannot be .*: it must be an object that has a number from -100 to 100 for " maybe"\n/,
  ],
  [
    'a token that the model does not have',
    ['--logit-bias', '{"base": {"99999": 1}}', question],
    /--logit-bias names token 99999 of the base model, whose vocabulary has \d+ tokens: /,
  ],
  [
    'a text that is several tokens',
    ['--logit-bias', '{" harbormasters of old": 1}', question],
    /--logit-bias names the text " harbormasters of old", and the base model's/,
  ],
  ['no penalty at all', ['--repeat-penalty', '0', question], /--repeat-penalty cannot be "0": it must be a number from 0\.01 to 100/],
  ['two questions', ['What', 'is'], /2 questions were given.*put one question in quotes/],
  ['an empty question', [' '], /the question is empty: /],
  ['no question', [], /no question: .*nudging --help/],
  ['an empty pipe', [], /no question: /, { input: '\n' }],
  ['half a pair', ['--base', 'x.gguf', question], /--base is half a pair: add --aligned/],
  ['--output alone', ['--output', 'x.jsonl', question], /--output is for many questions: add --input/],
];

const fileCases: Case[] = [
  ['a missing manifest', ['--pair', missing, question], /manifest ".*missing" does not exist: /],
  ['a manifest that is no JSON', ['--pair', models.text, question], /is no JSON/],
  [
    'a manifest with a wrong value',
    ['--pair', file('pair.json', '{"base":"a","aligned":"b","gamma":"x"}'), question],
    /is wrong: .*gamma.* must be a number/,
  ],
  [
    'a manifest with a misspelt setting',
    ['--pair', file('misspelt.json', '{"base":"a","aligned":"b","temprature":1}'), question],
    /is wrong: unknown option "temprature": did you mean "temperature"\?/,
  ],
  [
    'a manifest with a setting of the program',
    ['--pair', file('isolate.json', '{"base":"a","aligned":"b","isolate":true}'), question],
    /is wrong: "isolate" is for the program that loads the pair/,
  ],
  ['a missing template', ['--base-prompt', missing, question], /the file of --base-prompt ".*missing" does not exist: check the path/],
  ['a base template without the question', ['--base-prompt', file('bare.txt', 'Answer:\n'), question], /has no \{question\}: /],
  ['an empty template', ['--aligned-prompt', models.empty, question], /--aligned-prompt ".*" is empty/],
  [
    'a broken template',
    ['--aligned-prompt', file('broken.jinja', '{{ foo( }}'), question],
    /template.*: name another Jinja template with --aligned-prompt/,
  ],
  ['a template that refuses', ['--aligned-prompt', file('refuses.jinja', '{{ raise_exception("not this") }}'), question], /not this/],
];

const modelCases: Case[] = [
  ['a missing model', withBase(missing), /no model file at ".*missing": check the path/],
  ['a text file', withBase(models.text), /text\.gguf" is not a GGUF file: /],
  ['an empty file', withBase(models.empty), /empty\.gguf" is empty: download it again\n/],
  ['a pointer of Git LFS', withBase(models.pointer), /pointer\.gguf" is a Git LFS pointer, .*download it again\n/],
  ['a web page', withBase(models.page), /page\.gguf" is a web page and not the model: download it again, /],
  ['a later part of a model', withBase(models.laterPart), /is part 2 of 3 of a model: name part 1, ".*big-00001-of-00003\.gguf"\n/],
  ['a renamed first part', withBase(models.renamedPart), /is part 1 of 3 of .* must end in "-00001-of-00003\.gguf": give all parts their/],
  ['garbage behind the magic', withBase(models.garbage), /is damaged or cut short: download it again/],
  ['an embedding model', withBase(models.embedding), /is an embedding model \(bert\): use a model that generates text from left to right/],
  ['a directory', withBase(models.directory), /is a directory: name the \.gguf file in it/],
  ['a context that is too large', ['--context', '100000', question], /context of 100000 tokens is more than .*: lower --context/],
  ['a prompt that is too long', ['word '.repeat(600)], /prompt has \d+ tokens .*: shorten the prompt or raise --context/],
];

const row = (text: string) => file(`${Math.random().toString(36).slice(2)}.jsonl`, text);
const good = '{"question":"one"}\n';
const inputFile = row(good);
const intoFolder = (folder: string) => ['--input', inputFile, '--output', path.join(folder, 'out.jsonl')];
const rowCases: Case[] = [
  ['a missing input', ['--input', missing], /the file of --input ".*missing" does not exist: /],
  ['an input without rows', ['--input', models.empty], /has no rows: /],
  ['a row that is no JSON', ['--input', row(`${good}\n{"question":\n`)], /^nudging: line 3 of .* is not JSON/],
  ['a row that is no object', ['--input', row(`${good}[1]\n`)], /line 2 of .* is no JSON object/],
  ['a row without a question', ['--input', row('{"task":"x"}\n')], /line 1 of .* holds no question: write/],
  ['a row with two prompts', ['--input', row('{"question":"x","messages":[]}\n')], /line 1 of .* holds question and messages: keep one/],
  ['a row with an empty question', ['--input', '-'], /line 1 of standard input has an empty question/, { input: '{"question":""}\n' }],
  ['a row with wrong messages', ['--input', row('{"messages":[{"role":"user"}]}\n')], /line 1 of .* is wrong: "messages" must be/],
  ['a row with half a raw prompt', ['--input', row('{"base":"x"}\n')], /line 1 of .* is wrong: "aligned" must be/],
  ['a question beside --input', ['--input', inputFile, question], /a question and --input were given/],
  ['--append without an output', ['--input', inputFile, '--append'], /--append is for --output: name the file/],
  [
    'an output that does not say what it was made with',
    ['--input', inputFile, '--output', row('{"row":{"question":"one"},"text":""}\n')],
    /does not say which models and settings it was made with: .* --append/,
  ],
  ['the input as output', ['--input', inputFile, '--output', inputFile], /is the file of --input: choose another/],
  ['an output in no folder', intoFolder(missing), /the folder of --output ".*missing" does not exist: create it\n/],
  ['an output in something that is no folder', intoFolder(inputFile), /the folder of --output ".*\.jsonl" is no folder: /],
  [
    'an output of another input',
    ['--input', inputFile, '--output', row('{"row":{"question":"two"},"text":""}\n')],
    /belongs to another input \(row 1 differs\): choose another --output/,
  ],
  [
    'an output that is something else',
    ['--input', inputFile, '--output', row('{"a":1}\n')],
    /line 1 of --output ".*" is no answer of this command/,
  ],
  [
    'an output with more rows',
    ['--input', inputFile, '--output', row('{"row":{"question":"one"},"text":""}\n'.repeat(2))],
    /has more rows than the input \(1\)/,
  ],
];

describe('a mistake in the flags', () => {
  test.concurrent.each(flagCases)('%s', (_, args, line, setting) => expectOneLine(args, line, setting));
});

describe('a mistake in a file', () => {
  test.concurrent.each(fileCases)('%s', (_, args, line, setting) => expectOneLine(args, line, setting));
});

describe('a mistake in a model', () => {
  test.concurrent.each(modelCases)('%s', (_, args, line, setting) => expectOneLine(args, line, setting));

  test.skipIf(!existsSync(vocabulary))('a file that holds only a vocabulary', () =>
    expectOneLine(withBase(vocabulary), /holds only a vocabulary: use a file that holds the model's weights/),
  );

  // Root may read everything.
  test.skipIf(process.platform === 'win32' || process.getuid?.() === 0)('a file that may not be read', () =>
    expectOneLine(withBase(models.unreadable), /cannot read ".*": check its permissions/),
  );
});

describe('a mistake in the rows', () => {
  test.concurrent.each(rowCases)('%s', (_, args, line, setting) => expectOneLine(args, line, setting));

  test('leaves an existing output alone', async () => {
    const other = '{"row":{"question":"two"},"text":""}\n{"torn';
    const output = row(other);
    await nudging(['--input', inputFile, '--output', output]);
    expect(readFileSync(output, 'utf8')).toBe(other);
  });
});

test('--verbose shows the stack', async () => {
  const { stderr, code } = await nudging(['--verbose', '--pair', missing, question]);
  expect(stderr).toContain('    at ');
  expect(code).toBe(2);
});

test('a failure while running exits with 1', async () => {
  expect(await nudging(['broken'], { fake: true })).toEqual({
    stdout: '',
    stderr: 'nudging: llama.cpp could not decode a batch\n',
    code: 1,
  });
});

test('a missing native addon exits with 1 and says how to build it', async () => {
  const { stderr, code } = await nudging([question], { env: { NUDGING_BINARY: missing } });
  expect(stderr).toMatch(/^nudging: the native addon [^\n]*: check NUDGING_BINARY[^\n]*\n$/);
  expect(code).toBe(1);
});
