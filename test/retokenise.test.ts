import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { VocabularyProbe, vocabularies } from './support/probe.ts';

/** Text of the kinds that tokenizers treat specially, whole and broken off. */
const chunks = [
  'The quick brown fox jumps over the lazy dog',
  ' and',
  ' then it',
  " don't we'll I'd",
  ' re-tokenise',
  'ing',
  ' e',
  'a',
  'Z',
  ' x y z',
  'd a',
  'A B',
  'function f(x) {\n\treturn x + 1;\n}',
  ' if (a == b)',
  '    indented',
  '\n\n',
  '\n',
  '\r\n',
  '\t',
  ' ',
  '  ',
  '   ',
  '     ',
  '\u00a0',
  '\u3000',
  '12345',
  ' 3.14159',
  '1',
  '007',
  ',000',
  '中文字符',
  '日本語のテキスト',
  '한국어',
  'العربية نص',
  'עברית',
  'ไทย',
  'हिन्दी',
  'naïve café',
  'e\u0301',
  'Straße',
  'İstanbul',
  '🙂',
  '👩‍👩‍👧',
  '🏳️‍🌈',
  '\u200d',
  '\ufeff',
  '\u0000',
  '<|im_end|>',
  '<s>',
  '</s>',
  '[INST]',
  '<|endoftext|>',
  '<0x0A>',
  '▁',
  'Ġ',
  '<unk>',
  '<tool_call>',
  '...',
  '?!',
  ' - ',
  '"',
  " 'tis",
  '$1 & $&',
  '_',
  '__init__',
  '==========',
  'aaaaaaaaaaaaaaaa',
  'https://example.org/a?b=c',
  "'s",
  "'S",
  "'",
  ' the the the',
  'I',
  ' I am',
];

type Step = { add: string } | { cutTo: number } | { drop: number };
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 8, arbitrary: fc.array(fc.constantFrom(...chunks), { minLength: 1, maxLength: 4 }).map((parts) => ({ add: parts.join('') })) },
  { weight: 2, arbitrary: fc.string({ unit: 'grapheme', maxLength: 6 }).map((add) => ({ add })) },
  // Not fc.double: it spreads over exponents, and nearly every cut would be at the beginning.
  { weight: 1, arbitrary: fc.integer({ min: 0, max: 1000 }).map((thousandths) => ({ cutTo: thousandths / 1000 })) },
  { weight: 3, arbitrary: fc.integer({ min: 1, max: 20 }).map((drop) => ({ drop })) },
);

/** What the text is after a step: longer, or cut back at a character. */
function after(text: string, one: Step): string {
  if ('add' in one) return text + one.add;
  const characters = [...text];
  if ('drop' in one) return characters.slice(0, Math.max(0, characters.length - one.drop)).join('');
  return characters.slice(0, Math.floor(characters.length * one.cutTo)).join('');
}

const runs = 300;
let handOvers = 0;

describe.each(vocabularies)('$name', ({ path }) => {
  const vocabulary = new VocabularyProbe(path);

  test('following the changes of a text gives the tokens of the whole text', { timeout: 60_000 }, () => {
    fc.assert(
      fc.property(fc.array(step, { minLength: 1, maxLength: 30 }), (steps) => {
        vocabulary.restart();
        let text = '';
        for (const one of steps) {
          text = after(text, one);
          handOvers += 1;
          expect(vocabulary.follow(text)).toEqual(vocabulary.tokenize(text));
        }
      }),
      { numRuns: runs, seed: 20241009 },
    );
  });
});

test('tens of thousands of hand-overs were compared', () => {
  expect(handOvers).toBeGreaterThan(20_000);
});

test('the common kinds of vocabulary can be cut', { timeout: 60_000 }, () => {
  const cut = Object.fromEntries(vocabularies.map(({ name, path }) => [name, new VocabularyProbe(path).splits]));
  for (const name of ['llama-spm', 'phi-3', 'llama-bpe', 'gpt-2', 'qwen2', 'deepseek-llm', 'falcon', 'command-r', 'starcoder'])
    expect(cut[name], name).toBeGreaterThan(40);
});

test('following a long text costs far less than tokenising it', () => {
  const { path } = vocabularies.find(({ name }) => name === 'llama-bpe') ?? (vocabularies[0] as { path: string });
  const vocabulary = new VocabularyProbe(path);
  const long = 'The harbor is a sheltered port where ships can take on cargo. '.repeat(400);
  const time = (work: () => void) => {
    const start = performance.now();
    for (let i = 0; i < 20; i += 1) work();
    return performance.now() - start;
  };
  vocabulary.follow(long);
  const following = time(() => {
    vocabulary.follow(`${long} and then`);
    vocabulary.follow(long);
  });
  expect(time(() => vocabulary.tokenize(long)) / following).toBeGreaterThan(5);
});
