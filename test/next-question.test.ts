import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Nudging, type BasePrompt } from '../lib/index.ts';
import { nextQuestion } from '../lib/next-question.ts';
import { readQuestion } from '../lib/prompts.ts';
import { jsonLines, nudging } from './support/cli.ts';

const question = 'What is a harbor?';
const chat = [
  { role: 'user', content: 'What is a blur?' },
  { role: 'assistant', content: 'A blur is a hazy view.' },
  { role: 'user', content: question },
] as const;
const both = (marker: string) => [`\n\n${marker}`, `\n${marker}`];

describe('what the template tells', () => {
  test.each<[string, BasePrompt | undefined, string[]]>([
    ['the default', undefined, both('Question:')],
    ['no space behind a colon is asked for', 'Q:   {question}\nA:', both('Q:')],
    ['only the last line', 'Answer in one sentence.\n\nUser: {question}\nBot:', both('User:')],
    ['a line of its own', '### Instruction:\n{question}\n\n### Response:\n', both('### Instruction:')],
    ['examples in front', 'Question: What is 1 + 1?\nAnswer: 2\n\nQuestion: {question}\nAnswer:', both('Question:')],
    ['the indentation', 'Chat\n  Me: {question}\n  You:', both('  Me:')],
    ['a marker that ends in a letter keeps its space', 'Explain {question}\n', both('Explain ')],
    ['or its line end', 'Instruction\n\n{question}\n', both('Instruction\n\n')],
    ['or else it could be the beginning of any word', 'Q{question}\n', []],
    ['line ends of Windows', 'Be brief.\r\nQ: {question}\r\nA:', [...both('Q:'), '\r\n\r\nQ:', '\r\nQ:']],
    ['other scripts', '質問：{question}\n', both('質問：')],
    ['a marker of control tokens is plain text here', '<|user|>{question}<|assistant|>', both('<|user|>')],
    ['nothing in front', '{question}\n', []],
    ['only white space in front', ' \n{question}\n', []],
    ['only the system text in front', 'Rules: {system}{question}\nAnswer:', []],
    ['marks that answers use themselves', '- {question}\n', []],
    ['numbers', '1. {question}\n', []],
    ['no place for the question', 'Question: ', []],
    ['several places', 'Q: {question} Really: {question}\nA:', []],
    ['a function', () => 'Question: x\nAnswer:', []],
  ])('%s', (_, prompt, expected) => {
    expect(nextQuestion(readQuestion(question), prompt)).toEqual(expected);
    expect(nextQuestion(readQuestion(chat), prompt)).toEqual(expected);
  });

  test('a raw prompt tells nothing', () => {
    expect(nextQuestion(readQuestion({ base: 'Question: x\nAnswer:\n' }))).toEqual([]);
  });
});

describe('the base alone', () => {
  let engine: Nudging;
  beforeAll(async () => {
    engine = await Nudging.load({ mode: 'base', maxTokens: 120 });
  });
  afterAll(() => engine.close());

  /** The whole text without the default, and where the base asks itself the next question in it. */
  async function circle(input: Parameters<Nudging['generate']>[0]) {
    const { text, stopReason } = await engine.generate(input, { stop: [] });
    const at = text.search(/\n{1,2}Question:/);
    // Or the tests below would compare nothing.
    expect(at).toBeGreaterThan(-1);
    expect(stopReason).not.toBe('stop');
    return { whole: text, first: text.slice(0, at) };
  }

  const inputs = [
    ['a question', question],
    ['messages', { messages: chat }],
  ] as const;
  test.each(inputs)('ends before it asks itself the next question: %s', async (_, input) => {
    const { first } = await circle(input);
    const { text, stopReason, pieces, rounds } = await engine.generate(input);
    expect({ text, stopReason }).toEqual({ text: first, stopReason: 'stop' });
    expect(pieces.map((piece) => piece.text).join('')).toBe(first);
    expect(rounds.map((round) => round.words + round.base).join('')).toBe(first);
  });

  test('never shows the beginning of it in a stream', async () => {
    const { first } = await circle(question);
    let shown = '';
    for await (const piece of engine.stream(question)) shown += piece.text;
    expect(shown).toBe(first);
  });

  test('says nothing if it asks at once, and that is no failure', async () => {
    const { whole } = await circle(question);
    const upToIt = whole.slice(0, whole.indexOf('\nQuestion:'));
    const basePrompt = `{system}Question: {question}\nAnswer:\n${upToIt}`;
    expect((await engine.generate(question, { basePrompt, stop: [] })).text).toMatch(/^\nQuestion:/);
    const nothing = await engine.generate(question, { basePrompt });
    expect(nothing).toMatchObject({ text: '', stopReason: 'stop', pieces: [], stats: { nudgeRatio: 0 } });
    // On the line that its prompt leaves open, the same words are its answer.
    const { text } = await engine.generate(question, { basePrompt: `${basePrompt}\n` });
    expect(text).toMatch(/^Question:/);
    expect(text).not.toMatch(/\nQuestion:/);
  });

  test("stop strings of one's own take its place", async () => {
    const { whole } = await circle(question);
    const answer = await engine.generate(question, { stop: 'no such text' });
    expect(answer).toMatchObject({ text: whole });
    expect(answer.stopReason).not.toBe('stop');
    await using off = await Nudging.load({ mode: 'base', maxTokens: 120, stop: [] });
    expect((await off.generate(question)).text).toBe(whole);
    expect((await off.generate(question, { stop: undefined } as never)).text).toBe(whole);
  });

  test('raw prompts and functions go on', async () => {
    const { whole } = await circle(question);
    const raw = `Question: ${question}\nAnswer:\n`;
    expect((await engine.generate({ base: raw })).text).toBe(whole);
    expect((await engine.generate(question, { basePrompt: () => raw })).text).toBe(whole);
  });

  test('with isolate as well', async () => {
    const { first } = await circle(question);
    await using isolated = await Nudging.load({ mode: 'base', maxTokens: 120, isolate: true });
    expect(await isolated.generate(question)).toMatchObject({ text: first, stopReason: 'stop' });
  });

  test('where the base alone may end, though both models write', async () => {
    const list = 'List three questions, one a line, each beginning with Question:';
    const options = { mode: 'nudge', endRule: 'base', gamma: 0, maxTokens: 60 } as const;
    const whole = await engine.generate(list, { ...options, stop: [] });
    expect(whole.text).toContain('\nQuestion:');
    const stopped = await engine.generate(list, options);
    expect(stopped).toMatchObject({ stopReason: 'stop', text: whole.text.slice(0, whole.text.search(/\n{1,2}Question:/)) });
    expect(await engine.generate(list, { ...options, endRule: 'either' })).not.toMatchObject({ stopReason: 'stop' });
  });

  test('not where the aligned model has a say', async () => {
    const list = 'List three questions, one a line, each beginning with Question:';
    const nudged = await engine.generate(list, { mode: 'nudge', gamma: 0 });
    expect(nudged.text).toContain('\nQuestion:');
    expect(nudged.stopReason).toBe('end');
  });
});

describe('on the command line and from a pair', () => {
  const scratch = mkdtempSync(path.join(os.tmpdir(), 'nudging-next-'));
  afterAll(() => rmSync(scratch, { recursive: true, force: true }));
  const model = (name: string) => fileURLToPath(new URL(`../models/demo/${name}.gguf`, import.meta.url));
  const alone = ['--mode', 'base', '--max-tokens', '120'];
  const said = async (asked: string, ...args: string[]): Promise<{ text: string; stopReason: string }> =>
    JSON.parse((await nudging(['--json', ...alone, ...args, asked])).stdout);
  const pair = (name: string, settings: object) => {
    const place = path.join(scratch, name);
    writeFileSync(place, JSON.stringify({ base: model('base'), aligned: model('aligned'), ...settings }));
    return place;
  };

  test('--no-stop lets it go on', async () => {
    const [stopped, whole] = await Promise.all([said(question), said(question, '--no-stop')]);
    expect(stopped.stopReason).toBe('stop');
    expect(whole.stopReason).not.toBe('stop');
    expect(whole.text.startsWith(`${stopped.text}\nQuestion:`)).toBe(true);
    expect((await nudging([...alone, question])).stderr).toContain('base model alone');
  });

  test('the template and the stop strings of a pair count', async () => {
    // The question goes where an answer would: then `Answer:` is what stands before it, and the base goes on with one.
    const basePrompt = 'Question: What is a harbor?\nAnswer:\n{question}\nAnswer:\n';
    const asked = 'Discuss. / Question: What is a game?';
    const [marked, off, other] = await Promise.all([
      said(asked, '--pair', pair('marked.json', { basePrompt })),
      said(asked, '--pair', pair('off.json', { basePrompt, stop: [] })),
      said(question, '--pair', pair('other.json', { basePrompt: 'Question: {question}\nAnswer:\n', stop: 'Answer' })),
    ]);
    expect(off.text).toContain('\nAnswer:');
    expect(marked).toMatchObject({ text: off.text.slice(0, off.text.search(/\n{1,2}Answer:/)), stopReason: 'stop' });
    expect(other.text).toMatch(/Question: .*\n$/);
  });

  test('rows of a file', async () => {
    const rows = [{ question }, { messages: chat }, { base: `Question: ${question}\nAnswer:\n` }];
    const { stdout } = await nudging([...alone, '--input', '-'], { input: rows.map((row) => `${JSON.stringify(row)}\n`).join('') });
    const [one, turns, raw] = jsonLines(stdout);
    expect([one.stopReason, turns.stopReason]).toEqual(['stop', 'stop']);
    expect(raw.text.startsWith(`${one.text}\nQuestion:`)).toBe(true);
  });
});
