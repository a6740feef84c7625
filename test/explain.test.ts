import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { columnsOfText, layout } from '../lib/explain/columns.ts';
import {
  explanationHtml,
  explanationOf,
  explanationSvg,
  explanationText,
  type Explanation,
  type RuleOfAnswer,
} from '../lib/explain/index.ts';
import { script, scriptHash, style, styleHash } from '../lib/explain/page-assets.ts';
import { savedAnswer } from '../lib/explain/saved.ts';
import { whyWord } from '../lib/explain/sentences.ts';
import { answerJson } from '../lib/cli/json.ts';
import { Nudging, NudgingError, type Answer, type Decision, type Piece, type Round } from '../lib/index.ts';
import { spread } from './support/questions.ts';

const question = 'What is a harbor?';
let nudging: Nudging;
let answer: Answer;
beforeAll(async () => {
  nudging = await Nudging.load({ threads: 1 });
  answer = await nudging.generate(question, { trace: 'full' });
});
afterAll(() => nudging.close());

const bytes = (text: string) => new TextEncoder().encode(text);
/** A decision of a made-up answer. */
function decided(kind: Decision['kind'], position: number, text: string, probability: number, ends = false): Decision {
  return { kind, position, bytes: bytes(text), probability, margin: 1, ends, token: 1 };
}
function madeUp(rounds: Round[], pieces: Piece[], decisions: Decision[], stopReason: Answer['stopReason'] = 'end'): Explanation {
  return explanationOf({ rounds, pieces, decisions, stopReason, stats: { tokens: 3, nudgedTokens: 1 } }, { question, gamma: 0.4 });
}

describe('of real answers', () => {
  test('the words are the text, each with a reason that its decisions bear out', async () => {
    for (const { question: asked } of spread(6)) {
      for (const gamma of [0.4, 0.9, 1.5]) {
        const made = await nudging.generate(asked, { trace: 'full', gamma });
        const { words, rounds, ...rest } = made.explain();
        expect(rest).toMatchObject({ question: asked, gamma, mode: 'nudge', stopReason: made.stopReason, tokens: made.stats.tokens });
        expect(words.map(({ text }) => text).join('')).toBe(made.text);
        expect(rounds.map(({ words: one, base }) => one + base).join('')).toBe(made.text);
        const positions = words.map(({ position }) => position);
        expect(positions).toEqual(
          words.map(
            (_, index) =>
              bytes(
                words
                  .slice(0, index)
                  .map(({ text }) => text)
                  .join(''),
              ).length,
          ),
        );
        for (const [index, { source, reason, base, text }] of words.entries()) {
          if (source === 'base') {
            expect(['agree', 'confident', 'run']).toContain(reason);
            expect(base).toMatchObject({ text, ends: false });
            // It took over with any probability where it agrees, and nowhere else.
            if (reason !== 'agree') expect(base?.probability).toBeGreaterThanOrEqual(gamma);
          } else if (reason === 'first') expect([index, base]).toEqual([0, undefined]);
          else if (reason === 'unsure') expect(base?.probability).toBeLessThan(gamma);
          else expect(['base-end', 'draft-end', 'unasked']).toContain(reason);
        }
      }
    }
  });

  test('pieces say the same probabilities, where they say any', () => {
    const { words } = answer.explain();
    for (const [index, { topProbability }] of answer.pieces.entries())
      if (topProbability !== undefined) expect(words[index]?.base?.probability).toBeCloseTo(topProbability, 6);
  });

  test('a word that the base would have written otherwise says so', () => {
    const harbor = answer.explain().words[1];
    expect(harbor).toMatchObject({ text: ' harbor', source: 'nudge', reason: 'unsure', round: 0, position: 1 });
    expect(harbor?.base?.text).toMatch(/^ [a-z]+$/);
    expect(harbor?.base?.text).not.toBe(' harbor');
  });

  test('without the trace there is an error that says what to do', async () => {
    const made = await nudging.generate(question);
    expect(() => made.explain()).toThrow(NudgingError);
    expect(() => made.explain()).toThrow("`trace` must be 'full' for an answer that is to be explained: ask again with it");
  });

  test('one model alone needs none', async () => {
    const made = await nudging.generate(question, { mode: 'base', maxTokens: 6 });
    const { words, mode } = made.explain();
    expect(mode).toBe('base');
    expect(words.map(({ reason }) => reason)).toEqual(words.map(() => 'alone'));
    expect(words[0]?.base?.probability).toBe(made.pieces[0]?.topProbability);
  });

  test.each(['reverse', 'ensemble', 'in-context'] as const)('%s: nothing is said of a base that nobody asked', async (mode) => {
    const own = mode === 'in-context' ? { inContextPrompt: 'Question: {question}\nAnswer:\n' } : {};
    const made = await nudging.generate(question, { mode, maxTokens: 12, trace: 'full', ...own });
    const explanation = made.explain();
    expect('gamma' in explanation).toBe(mode === 'reverse');
    for (const page of [explanationText(explanation), explanationHtml(explanation), explanationSvg(explanation)]) {
      expect(page).not.toMatch(/the base would have said|the base had|the base defers|the base was not asked|Only the/);
    }
    const saved = savedAnswer(JSON.parse(JSON.stringify({ question, mode, ...answerJson(made) })));
    expect(explanationText(explanationOf(saved.answer, saved.asked))).toContain(mode === 'ensemble' ? 'together' : 'base');
  });

  test('an answer is data still', () => {
    expect(Object.keys(answer)).not.toContain('explain');
    expect(() => structuredClone(answer)).not.toThrow();
    expect(JSON.parse(JSON.stringify(answer.explain()))).toEqual(answer.explain());
  });

  test('saved as JSON it is explained in the same way', () => {
    const saved = savedAnswer(JSON.parse(JSON.stringify({ question, gamma: 0.4, ...answerJson(answer) })));
    expect(explanationOf(saved.answer, saved.asked)).toEqual(answer.explain());
  });

  test('with thinking, its words are marked and the rest is the text', async () => {
    const made = await nudging.generate(question, { trace: 'full', thinking: true, prefill: '<think>', maxTokens: 8 });
    const { words } = made.explain();
    expect(words.length).toBeGreaterThan(0);
    expect(words.every(({ thinking }) => thinking)).toBe(true);
  });
});

describe('of made-up answers', () => {
  test.each<[by: Round['by'], says: string, probability: number, reason: string]>([
    ['agree', ' is', 0.2, 'agree'],
    ['confident', ' was', 0.5, 'confident'],
  ])('%s', (by, says, probability, reason) => {
    const { words, rounds } = madeUp(
      [{ words: 'It', base: says, by }],
      [
        { text: 'It', source: 'nudge' },
        { text: says, source: 'base', topProbability: probability },
      ],
      [
        decided('draft', 0, 'It', 0.9),
        decided('draft', 2, ' is', 0.9),
        decided('boundary', 2, says, probability),
        decided('run', 2 + says.length, ' no', 0.1),
      ],
    );
    expect(words.map((word) => word.reason)).toEqual(['first', reason]);
    expect(rounds[0]).toMatchObject({ asked: [{ text: says, probability }], run: { by: 'unsure', base: { text: ' no' } } });
  });

  test('where the base would have ended, in a draft and in its run', () => {
    const { words, rounds } = madeUp(
      [
        { words: 'It', base: '', by: 'base-end' },
        { words: ' is', base: ' so', by: 'agree' },
        { words: ' there.', base: '', by: 'end' },
      ],
      [
        { text: 'It', source: 'nudge' },
        { text: ' is', source: 'nudge' },
        { text: ' so', source: 'base' },
        { text: ' there.', source: 'nudge' },
      ],
      [
        decided('draft', 0, 'It', 0.9),
        decided('boundary', 2, '', 0.9, true),
        decided('draft', 2, ' is', 0.9),
        decided('boundary', 5, ' so', 0.9),
        decided('run', 8, '', 0.7, true),
        decided('draft', 8, ' there.', 0.9),
      ],
    );
    expect(words.map(({ reason }) => reason)).toEqual(['first', 'base-end', 'agree', 'base-end']);
    expect(rounds.map(({ run }) => run?.by)).toEqual([undefined, 'base-end', undefined]);
  });

  test('what is asked twice at a place counts as it was said last', () => {
    // R8: the last word of a draft is dropped, and drafted again in the next round.
    const { words } = madeUp(
      [
        { words: 'It', base: '', by: 'none' },
        { words: ' is', base: '', by: 'end' },
      ],
      [
        { text: 'It', source: 'nudge' },
        { text: ' is', source: 'nudge' },
      ],
      [decided('draft', 0, 'It is', 0.9), decided('boundary', 2, ' was', 0.3), decided('draft', 2, ' is', 0.9)],
    );
    expect(words[1]).toMatchObject({ reason: 'unsure', base: { text: ' was', probability: 0.3 } });
  });

  test('a run that something else ended is cut', () => {
    const { rounds } = madeUp(
      [{ words: 'It', base: ' is so', by: 'confident' }],
      [
        { text: 'It', source: 'nudge' },
        { text: ' is', source: 'base' },
        { text: ' so', source: 'base' },
      ],
      [decided('draft', 0, 'It', 0.9), decided('boundary', 2, ' is', 0.9), decided('run', 5, ' so', 0.9)],
      'length',
    );
    expect(rounds[0]?.run).toEqual({ by: 'cut' });
  });

  test('places are counted in bytes, over marks that are in no piece', () => {
    const { words } = madeUp(
      [{ words: '<think>\né</think>\n\nü', base: '!', by: 'agree' }],
      [
        { text: 'é', source: 'nudge', thinking: true },
        { text: 'ü', source: 'nudge' },
        { text: '!', source: 'base' },
      ],
      [decided('boundary', 22, '!', 0.9)],
    );
    expect(words.map(({ position, reason }) => [position, reason])).toEqual([
      [8, 'first'],
      [20, 'unasked'],
      [22, 'agree'],
    ]);
  });

  test.each([
    [{ name: 'top1' }, {}, 'p 0.30 is below γ 0.4'],
    [{ name: 'margin', margin: 0.2 }, { runnerUp: 0.25 }, 'its two best tokens are 0.05 apart, and 0.2 is asked for'],
    [{ name: 'entropy', entropy: 0.45 }, { entropy: 1.5 }, 'the entropy is 1.50, and 0.45 is the limit'],
    [
      { name: 'bet', lambda: 0.2 },
      { words: { base: 0.1, aligned: 0.6 } },
      "its word has p 0.10, and the aligned model's p 0.60, more than 0.2 above it",
    ],
    [{ name: 'hybrid', low: 0.35, high: 0.6, lambda: 0.2 }, {}, 'p 0.30 is below 0.35'],
    [{ name: 'other' }, {}, 'p 0.30, by the rule other'],
  ])('by the rule %j', (rule, measured, says) => {
    const explanation = explanationOf(
      {
        rounds: [
          { words: 'It', base: '', by: 'none' },
          { words: ' is', base: '', by: 'end' },
        ],
        pieces: [
          { text: 'It', source: 'nudge' },
          { text: ' is', source: 'nudge' },
        ],
        decisions: [decided('draft', 0, 'It is', 0.9), { ...decided('boundary', 2, ' was', 0.3), ...measured }],
        stopReason: 'end',
        decidedBy: { gamma: 0.4, rule: rule as RuleOfAnswer },
      },
      { question },
    );
    expect(whyWord(explanation.words[1] as Explanation['words'][number], explanation)).toBe(`The base was not sure enough: ${says}.`);
    expect(explanation.gamma).toBe(rule.name === 'top1' ? 0.4 : undefined);
    expect(explanationText(explanation)).toContain(rule.name === 'top1' ? 'γ 0.4, ' : `rule ${rule.name}`);
    expect(explanationHtml(explanation).includes('class="gamma"')).toBe(rule.name === 'top1');
  });

  test('an empty answer has an explanation too', () => {
    const empty = madeUp([], [], [], 'aborted');
    expect(empty).toMatchObject({ words: [], rounds: [] });
    expect(explanationHtml(empty)).toContain('The answer is empty.');
    expect(explanationSvg(empty)).toContain('was interrupted');
    expect(explanationText(empty)).toContain('was interrupted');
  });
});

/** Tags and attributes of a page, its own style and script left out; throws where something is no tag. */
function tagsOf(page: string): string[] {
  const rest = page.replace(style, '').replace(script, '');
  return [...rest.matchAll(/<([^>]*)>/g)].map(([, tag = '']) => {
    const bare = tag.replace(/="[^"]*"/g, '');
    expect(bare).toMatch(/^(!doctype html|\/?[a-z][a-z0-9]*( [a-zA-Z:-]+\d?)*\s*\/?)$/);
    return bare;
  });
}
const tagNames = (page: string) => new Set(tagsOf(page).map((tag) => tag.replace(/^\/?(\S+?)\/?( .*)?$/s, '$1')));
const known =
  'style script html head meta title body main h1 h2 p span div figure figcaption svg rect circle line ' +
  'dl dt dd ol li b bdi details summary g text !doctype';

describe('texts that mean harm', () => {
  const evil = [
    '</script><script>alert(1)</script>',
    '"><img src=x onerror=alert(1)>',
    "' onfocus='alert(1)",
    '</title></style><svg onload=alert(1)>',
    '<!-- ]]> &lt;b&gt;',
    '\u202egnp.\u0000\u001b[31m\u009b2J\ud800',
    '{{constructor}}#{alert(1)}',
  ];
  const explanation = (text: string): Explanation => ({
    ...madeUp(
      [{ words: text, base: text, by: 'agree' }],
      [
        { text, source: 'nudge' },
        { text, source: 'base', topProbability: 0.5 },
      ],
      [
        decided('draft', 0, text, 0.9),
        decided('boundary', bytes(text).length, text, 0.5),
        decided('run', 2 * bytes(text).length, text, 0.1),
      ],
    ),
    question: text,
  });

  test.each(evil)('%j is only text in a page and in a picture', (text) => {
    for (const page of [explanationHtml(explanation(text)), explanationSvg(explanation(text))]) {
      for (const name of tagNames(page)) expect(known.split(' ')).toContain(name);
      expect(page).not.toMatch(/[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]|\p{Surrogate}/u);
      expect(tagsOf(page).join('\n')).not.toMatch(/ on[a-z]+/);
    }
  });

  test('whatever it is', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(...'<>"\'&=/! -x\n\u0000\ud800é') }), (text) => {
        const tags = tagsOf(explanationHtml(explanation(text))).join('\n');
        expect(tags).not.toMatch(/ on[a-z]+/);
        for (const name of tagNames(explanationHtml(explanation(text)))) expect(known.split(' ')).toContain(name);
      }),
      { numRuns: 200 },
    );
  });

  test('does nothing on a terminal', () => {
    for (const text of evil) expect(explanationText(explanation(text))).not.toMatch(/[\x00-\x09\x0b-\x1f\x7f-\x9f]/);
  });

  test('in a file is refused where its types are wrong', () => {
    const good = JSON.parse(JSON.stringify(answerJson(answer)));
    const wrong: [object, string][] = [
      [[], 'holds no JSON object'],
      [{ error: { code: 'X' } }, 'holds an error and no answer'],
      [{ ...good, text: 5 }, 'holds no answer'],
      [{ ...good, pieces: {} }, 'has no list "pieces"'],
      [{ ...good, pieces: [{ text: 'x', source: '"><b>' }] }, 'has a wrong piece 1'],
      [{ ...good, pieces: [{ text: 'x', source: 'base', topProbability: 1e9 }] }, 'has a wrong piece 1'],
      [{ ...good, rounds: [{ words: 1 }] }, 'has a wrong round 1'],
      [{ ...good, decisions: [{ ...good.decisions[0], bytes: 'xyz' }] }, 'has a wrong decision 1'],
      [{ ...good, decisions: [{ ...good.decisions[0], probability: '<b>' }] }, 'has a wrong decision 1'],
      [{ ...good, decisions: undefined }, 'has no "decisions": make the answer again with --json --trace'],
      [{ ...good, mode: 'both' }, 'has a wrong "mode"'],
    ];
    for (const [value, message] of wrong) expect(() => savedAnswer(value)).toThrow(message);
    expect(() => savedAnswer({ ...good, decisions: undefined, mode: 'base' })).not.toThrow();
  });

  test('a row of an output tells its question and threshold', () => {
    const row = {
      row: { messages: [{ role: 'user', content: 'Hello?' }] },
      madeWith: { gamma: 0.3 },
      ...answerJson(answer),
      decidedBy: undefined,
    };
    expect(savedAnswer(JSON.parse(JSON.stringify(row))).asked).toEqual({ question: 'Hello?', gamma: 0.3 });
  });
});

test('explaining needs nothing but itself, so that a web page can do it', () => {
  const folder = new URL('../lib/explain/', import.meta.url);
  const imports = readdirSync(folder).flatMap((file) => [
    ...readFileSync(new URL(file, folder), 'utf8').matchAll(/^(?:import|export) (?!type).* from '(.*)'/gm),
  ]);
  expect(imports.length).toBeGreaterThan(10);
  expect(imports.map(([, from]) => from).filter((from) => !from?.startsWith('./'))).toEqual([]);
});

describe('the page', () => {
  test('lets nothing run but its own style and script', () => {
    const hash = (text: string) => `sha256-${createHash('sha256').update(text).digest('base64')}`;
    expect([styleHash, scriptHash]).toEqual([hash(style), hash(script)]);
    const page = explanationHtml(answer.explain());
    expect(page).toContain(`<style>${style}</style>`);
    expect(page).toContain(`<script>${script}</script>`);
    expect(page).toContain(`content="default-src 'none'; style-src '${styleHash}'; script-src '${scriptHash}';`);
    // What a policy of hashes does not let pass.
    expect(tagsOf(page).join('\n')).not.toMatch(/ (style|src|href|on[a-z]+)\b/);
    expect(page).not.toMatch(/https?:|@import|url\(/);
  });

  test('has a card and a bar for each word, and one stop of the Tab key', () => {
    const explanation = answer.explain();
    const page = explanationHtml(explanation);
    for (const [index, { text }] of explanation.words.entries()) {
      expect(page).toContain(`id="c${index}"`);
      expect(page).toMatch(new RegExp(`id="w${index}"[^>]*aria-describedby="c${index}">${text.replace(/[.]/g, '\\.')}<`));
      expect(page).toMatch(new RegExp(`class="bar[^"]*" data-word="${index}"`));
    }
    expect(page.match(/tabindex="0"/g)).toHaveLength(1);
    expect(page.match(/class="gamma"/g)).toHaveLength(1);
  });

  test('tells sources apart without colours', () => {
    const page = explanationHtml(answer.explain());
    expect(style).toMatch(/\.nudge \{[^}]*underline/);
    expect(page).toMatch(/<span class="word nudge" id="w0"/);
    expect(page).toMatch(/<span class="word base s\d" id="w2"/);
    expect(explanationSvg(answer.explain()).match(/<rect [^>]*class="nudge"/g)).toHaveLength(5);
  });

  test('is long only as the answer is', async () => {
    const long = await nudging.generate(question, { trace: 'full', mode: 'aligned', maxTokens: 300 });
    expect(explanationHtml(long.explain()).length).toBeLessThan(2000 * (long.explain().words.length + 10));
  });
});

describe('on a terminal', () => {
  test('marks words and says round by round why', () => {
    const text = explanationText(answer.explain(), { columns: 60 });
    expect(text).toMatch(/^What is a harbor\?\n\nA harbor is a sheltered [^\n]*\n~ ~~~~~~\n {2}0 {6}9 /);
    expect(text).toContain('below γ 0.4 the base defers');
    expect(text).toMatch(/Round 1: the base's token was how the next word begins, and\nit took over/);
    expect(text).toMatch(/\n {2}~ "A" {2}the base was not asked: the first word\n/);
    expect(text).toMatch(/\n {2}~ " harbor" {2}the base would have said " [a-z]+", p 0\.01\n/);
  });

  test.each([100, 40, 20])('keeps to %i columns', (columns) => {
    const lines = explanationText(answer.explain(), { columns }).split('\n');
    expect(lines.filter((line) => columnsOfText(line) > columns)).toEqual([]);
  });

  test('styles change nothing but styles', () => {
    const marked = explanationText(answer.explain(), { nudged: (text) => `\x1b[1m${text}\x1b[0m`, dim: (text) => `\x1b[2m${text}\x1b[0m` });
    expect(marked.replaceAll(/\x1b\[\dm/g, '')).toBe(explanationText(answer.explain()));
    expect(marked).toContain('\x1b[1m harbor\x1b[0m');
  });
});

describe('lines', () => {
  const lines = (texts: string[], columns: number) => layout(texts, columns).map((line) => line.map(({ text }) => text).join('|'));
  test.each<[string[], number, string[]]>([
    [['one two', ' three'], 7, ['one two', 'three']],
    [['one', ' two'], 20, ['one| two']],
    [['un', 'break', 'able'], 5, ['un|bre', 'ak|abl', 'e']],
    [['a', ' long', 'er word'], 8, ['a| long|er', 'word']],
    [['one\ntwo\n'], 20, ['one', 'two', '']],
    [['日本語'], 4, ['日本', '語']],
    [['e\u0301e\u0301 e\u0301'], 3, ['e\u0301e\u0301', 'e\u0301']],
  ])('%j in %i columns', (texts, columns, expected) => expect(lines(texts, columns)).toEqual(expected));

  test('lose nothing but spaces at their ends', () => {
    fc.assert(
      fc.property(
        fc.array(fc.string({ unit: fc.constantFrom('a', 'b', ' ', '語', '\n') })),
        fc.integer({ min: 2, max: 9 }),
        (texts, columns) => {
          const set = layout(texts, columns);
          const bare = (text: string) => text.replace(/\s/g, '');
          expect(bare(set.flatMap((line) => line.map(({ text }) => text)).join(''))).toBe(bare(texts.join('')));
          for (const line of set) expect(columnsOfText(line.map(({ text }) => text).join(''))).toBeLessThanOrEqual(columns);
          for (const { index, text } of set.flat()) expect(bare(texts[index] as string)).toContain(bare(text));
        },
      ),
    );
  });
});
