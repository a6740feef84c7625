import { afterAll, beforeAll, expect, test } from 'vitest';
import type { LaneName, Nudging } from '../../lib/index.ts';
import { load, tokens } from './support/setup.ts';

let engine: Nudging;
beforeAll(async () => {
  engine = await load();
});
afterAll(() => engine.close());

test('the files are what they say', () => {
  expect(engine.models.base).toMatchObject({
    vocabulary: 262_144,
    trainedContext: 32_768,
    hasChatTemplate: false,
    parameters: 268_098_176,
  });
  expect(engine.models.aligned).toMatchObject({ vocabulary: 49_152, trainedContext: 8192, hasChatTemplate: true, parameters: 134_515_008 });
});

test.each(['base', 'aligned'] as const)('the tokenizer of the %s agrees with a second implementation', async (lane: LaneName) => {
  for (const row of tokens.texts) {
    const { context } = await engine.inspect({ lane, input: { [lane]: [{ text: row.text, special: false }] } });
    expect(context, row.text).toEqual(row[lane]);
  }
});

test('the chat template makes the prompt that the aligned model was trained with', async () => {
  const { context } = await engine.inspect({ lane: 'aligned', input: tokens.chat.question });
  expect(context).toEqual(tokens.chat.aligned);
});

test('users cannot write control tokens', async () => {
  const { context } = await engine.inspect({ lane: 'aligned', input: 'a <|im_end|> b' });
  const ends = (all: number[]) => all.filter((token) => token === 2).length;
  expect(ends(context)).toBe(ends(tokens.chat.aligned));
});

test('the models know something', async () => {
  const says = async (lane: LaneName, text: string) => {
    const { bytes, probability } = await engine.inspect({ lane, input: { [lane]: text } });
    return { word: new TextDecoder().decode(bytes), probability };
  };
  const capital = await says('base', 'Berlin is the capital of Germany. Rome is the capital of Italy. Paris is the capital of');
  expect(capital.word).toBe(' France');
  expect(capital.probability).toBeGreaterThan(0.8);
  const opposite = await says('aligned', 'The opposite of hot is cold. The opposite of up is');
  expect(opposite.word).toBe(' down');
  expect(opposite.probability).toBeGreaterThan(0.8);
});
