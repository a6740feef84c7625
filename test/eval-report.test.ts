import { beforeAll, describe, expect, test } from 'vitest';
import { boundariesIn } from '../lib/eval/boundaries.ts';
import type { Paper } from '../lib/eval/paper.ts';
import { disagreements } from '../lib/eval/report/disagreements.ts';
import { htmlReport } from '../lib/eval/report/html.ts';
import { markdownReport } from '../lib/eval/report/markdown.ts';
import type { Contents } from '../lib/eval/results.ts';
import type { AnswerRow, ErrorRow, RunRecord } from '../lib/eval/rows.ts';
import { summarise } from '../lib/eval/summary.ts';
import type { Decision } from '../lib/types.ts';

const none = { base: null, aligned: null, nudged: null, large: null };
const paper: Paper = {
  source: 'a table',
  note: 'of last year',
  pairs: [{ pair: 'big + small', tasks: { gsm8k: { ...none, nudged: 74.6 }, mmlu: { ...none, base: 1 } }, 'average of 11': none }],
};
const systems = {
  base: { mode: 'base' },
  aligned: { mode: 'aligned' },
  'nudged:gamma=0.2': { mode: 'nudge', gamma: 0.2 },
  'nudged:gamma=0.4': { mode: 'nudge', gamma: 0.4 },
};
const run: RunRecord = {
  madeWith: { version: '0.1.0', base: { file: 'base.gguf' }, aligned: { file: 'aligned.gguf' }, maxTokens: 512, lookahead: 16 },
  prompts: { style: 'paper' },
  seed: 609,
  tasks: { gsm8k: { questions: 1319, sha256: 'x' }, coin_flip: { generated: true } },
  systems,
  parallel: 4,
};

function row(task: string, id: number, system: string, right: boolean, more: Partial<AnswerRow> = {}): AnswerRow {
  return {
    task,
    id: `${task}-${id}`,
    system,
    question: `question ${id}`,
    gold: '4',
    text: 'It is 4',
    stopReason: 'end',
    score: { strict: right, lenient: right, found: 'stated', read: right ? '4' : '5' },
    refusal: false,
    wordRatio: 0.5,
    tokens: 10,
    nudgedTokens: 2,
    ms: 1000,
    pieces: [
      ['n', 'It'],
      ['b', ' is 4'],
    ],
    ...more,
  };
}

/** Ten questions of each task: the base right in 1, the aligned in 3, nudged in 8 and 6. */
const rights = { base: 1, aligned: 3, 'nudged:gamma=0.2': 8, 'nudged:gamma=0.4': 6 };
const contents = (): Contents => ({
  run,
  judgements: [],
  answers: ['gsm8k', 'coin_flip'].flatMap((task) =>
    Object.entries(rights).flatMap(([system, right]) => Array.from({ length: 10 }, (_, id) => row(task, id, system, id < right))),
  ),
});

describe('a summary', () => {
  const { cell, average, paired, systems: found } = summarise(contents());

  test('counts by task and system', () => {
    expect(found.map(({ name }) => name)).toEqual(Object.keys(systems));
    expect(cell('gsm8k', 'nudged:gamma=0.2')).toMatchObject({
      rows: 10,
      errors: 0,
      tokens: 100,
      tokensPerSecond: 10,
      accuracy: { right: 8, share: 0.8 },
    });
    expect(cell('gsm8k', 'nudged:gamma=0.2')?.nudged).toEqual({ words: 0.5, tokens: 0.2 });
    // The aligned model alone is not nudged by itself.
    expect(cell('gsm8k', 'aligned')?.nudged).toBeUndefined();
    expect(average('nudged:gamma=0.4')).toEqual({ mean: 0.6, tasks: 2 });
    expect(cell('svamp', 'base')).toBeUndefined();
  });

  test('compares question by question, by task and over all', () => {
    const of = (system: string, against: string) => paired.filter((each) => each.system === system && each.against === against);
    expect(of('nudged:gamma=0.2', 'aligned')).toMatchObject([
      { task: 'gsm8k', pairs: 10, won: 5, lost: 0, p: 0.0625 },
      { task: 'coin_flip', pairs: 10, won: 5, lost: 0, p: 0.0625 },
      { pairs: 20, won: 10, lost: 0 },
    ]);
    expect(of('nudged:gamma=0.4', 'base')).toHaveLength(3);
    expect(of('aligned', 'base')).toHaveLength(0);
  });

  test('pairs only what both answered, and counts errors apart', () => {
    const some = contents();
    const error: ErrorRow = { task: 'gsm8k', id: 'gsm8k-0', system: 'base', error: { code: 'ERR_PROMPT_TOO_LONG', message: 'too long' } };
    some.answers = some.answers.map((each) => (each.task === 'gsm8k' && each.id === 'gsm8k-0' && each.system === 'base' ? error : each));
    const { cell: at, paired: pairs } = summarise(some);
    expect(at('gsm8k', 'base')).toMatchObject({ rows: 9, errors: 1, accuracy: { right: 0, rows: 9 } });
    expect(pairs.find((each) => each.task === 'gsm8k' && each.system === 'nudged:gamma=0.2' && each.against === 'base')?.pairs).toBe(9);
  });

  test("takes the authors' rule for numbers, and the lenient reading elsewhere", () => {
    const score = { strict: false, lenient: true, found: 'inferred' } as const;
    const some = contents();
    some.answers = ['gsm8k', 'coin_flip'].map((task) => row(task, 1, 'base', false, { score }));
    const { cell: at } = summarise(some);
    expect([at('gsm8k', 'base')?.accuracy?.right, at('coin_flip', 'base')?.accuracy?.right]).toEqual([0, 1]);
  });
});

describe('report.md', () => {
  const report = markdownReport(run, summarise(contents()), paper);

  test('says what was measured, and whether it pays', () => {
    expect(report).toContain('- questions: gsm8k 10 of 1319, coin_flip 10 (generated)');
    expect(report).toContain(
      'nudged, γ 0.2 is right in 80.0 % of the questions: more often than base alone (10.0 %): 14 to 0 of 20 questions, p \\< 0.001',
    );
    expect(report).toContain('| gsm8k | 10 | 10.0 (1.8–40.4) | 30.0 (10.8–60.3) | 80.0 (49.0–94.3) | 60.0 (31.3–83.2) |');
    expect(report).toContain('| mean of the tasks |  | 10.0 | 30.0 | 80.0 | 60.0 |');
    // Interrupted, when systems had answered differently many.
    const some = contents();
    const early = { base: 0, aligned: 1, 'nudged:gamma=0.2': 2 } as Record<string, number>;
    some.answers = some.answers.filter((each) => each.task !== 'gsm8k' || Number(each.id.split('-')[1]) >= (early[each.system] ?? 0));
    expect(markdownReport(run, summarise(some), paper)).toContain('| gsm8k | 8 to 10 | ');
  });

  test("shows the paper's figures that are known, of tasks that were asked", () => {
    expect(report).toContain('| gsm8k | paper: big + small | – | – | 74.6 | – |');
    expect(report).toContain('| gsm8k | here | 10.0 | 30.0 | 80.0 (γ 0.2), 60.0 (γ 0.4) | – |');
    expect(report).not.toContain('mmlu');
    expect(report).toContain('its judge differs');
  });

  test('says that calibration at boundaries needs a trace', () => {
    const confident = contents();
    confident.answers = confident.answers.map((each) => ({ ...each, confidence: -0.1 }) as AnswerRow);
    expect(markdownReport(run, summarise(confident), paper)).toContain('needs a run with --trace');
    confident.answers = confident.answers.map((each) => ({ ...each, boundaries: [[0.9, true]] }) as AnswerRow);
    const traced = markdownReport(run, summarise(confident), paper);
    expect(traced).not.toContain('needs a run with --trace');
    expect(traced).toContain('| nudged, γ 0.2 | 10.0 (n 20) | 10.5 (n 20) |');
  });

  test('stays a table whatever a name holds', () => {
    const odd = { ...run, madeWith: { ...run.madeWith, base: { file: 'a|b\n# <b>' } } };
    expect(markdownReport(odd, summarise(contents()), paper)).toContain('- base: a\\|b # \\<b\\>');
  });
});

describe('report.html', () => {
  const hostile = `</div><script>alert(1)</script><img src=x onerror="alert(2)"> & "quotes" 'too' \`\` ]]> <!-- ‮ \0 {{`;

  test('shows charts, examples and all tables', () => {
    const page = htmlReport(run, summarise(contents()), paper);
    expect(page.match(/<svg /g)).toHaveLength(2 + 2 + 1);
    expect(page).toContain('aria-label="gsm8k: base 10.0 % (1.8 to 40.4); aligned 30.0 %');
    // Of four systems two are of both models; what the aligned one says alone is not marked.
    const answers = page.match(/<div class="answer"/g) ?? [];
    expect(answers.length).toBeGreaterThan(4);
    expect(page.match(/<mark>It<\/mark> is 4/g)).toHaveLength(answers.length / 2);
    for (const title of ['In short', 'Accuracy', 'Nudges, length and speed', 'Beside the paper'])
      expect(page).toContain(`<h2>${title}</h2>`);
  });

  test('has long tables to be opened', () => {
    const page = htmlReport(run, summarise(contents()), paper);
    expect(page).not.toContain('<details>');
    const many = contents();
    many.run = {
      ...run,
      systems: Object.fromEntries(Array.from({ length: 13 }, (_, index) => [`nudged:gamma=${index / 10}`, { mode: 'nudge' }])),
    };
    many.answers = Object.keys(many.run.systems).flatMap((system) => ['gsm8k', 'coin_flip'].map((task) => row(task, 1, system, true)));
    expect(htmlReport(run, summarise(many), paper)).toContain('<details><summary>26 rows</summary>');
  });

  test('lets no text of a model, a file or a user act', () => {
    const answers = ['base', 'nudged:gamma=0.2'].map((system, index) =>
      row('gsm8k', 1, system, index === 1, {
        question: hostile,
        gold: hostile,
        text: hostile,
        score: { strict: index === 1, lenient: true, found: 'stated', read: hostile },
        pieces: [
          ['n', hostile],
          ['b', hostile],
        ],
      }),
    );
    const odd: RunRecord = {
      ...run,
      madeWith: { ...run.madeWith, base: { file: hostile } },
      systems: { base: { mode: 'base' }, 'nudged:gamma=0.2': { mode: 'nudge', gamma: 0.2 } },
    };
    const page = htmlReport(odd, summarise({ run: odd, answers, judgements: [] }), { ...paper, source: hostile });
    const tags = page.match(/<[^>]*>/g) ?? [];
    const names =
      'html head meta title style body h1 h2 h3 dl dt dd ul li p div span b mark table thead tbody tr th td details summary footer';
    const drawn = 'svg text line path rect circle';
    const ours = new RegExp(`^<(?:!doctype|/?(?:${`${names} ${drawn}`.replaceAll(' ', '|')})\\b)`);
    expect(tags.filter((tag) => !ours.test(tag) || /\son\w+=/i.test(tag))).toEqual([]);
    expect(page.match(/<!--/g)).toBeNull();
    expect(page.includes('\0')).toBe(false);
    expect(page).toContain('&lt;script&gt;alert(1)&lt;/script&gt;');
    expect(page).toContain("default-src 'none'; style-src 'unsafe-inline'");
  });

  test('needs nothing from elsewhere, and leaves out what there is nothing to say about', () => {
    const page = htmlReport(run, summarise(contents()), paper);
    expect(page).not.toMatch(/(?:src|href)=|url\(|@import/);
    const empty = htmlReport(undefined, summarise({ answers: [], judgements: [] }), paper);
    expect(empty).not.toContain('<svg');
    expect(empty).not.toContain('NaN');
    expect(page).not.toContain('NaN');
  });
});

test('examples come from all tasks in turn, and only where systems differ', () => {
  const groups = disagreements(summarise(contents()), 3);
  expect(groups.map(([first]) => first?.task)).toEqual(expect.arrayContaining(['gsm8k', 'coin_flip']));
  for (const rows of groups) expect(new Set(rows.map(({ score }) => score?.strict)).size).toBe(2);
});

describe('boundaries of a trace', () => {
  const decision = (kind: Decision['kind'], position: number, text: string, probability = 0.5): Decision => ({
    kind,
    position,
    bytes: Buffer.from(text),
    probability,
    token: 1,
    margin: 1,
    ends: false,
  });
  let found: ReturnType<typeof boundariesIn>;
  beforeAll(() => {
    const draft = [decision('draft', 0, 'A'), decision('draft', 1, ' harb'), decision('draft', 6, 'or is')];
    // At 1 the base says " harbor", longer than its token; at 8 it differs; the run is none; 50 is no place of the draft.
    found = boundariesIn([
      ...draft,
      decision('boundary', 1, ' ha', 0.123456),
      // A token that goes beyond the word is none that the word begins with.
      decision('boundary', 1, ' harbor is', 0.6),
      decision('boundary', 8, ' was', 0.7),
      decision('run', 8, ' is', 0.9),
      decision('boundary', 50, ' x', 0.2),
      decision('draft', 20, ' new word'),
      decision('boundary', 20, '', 0.3),
      decision('boundary', 20, ' new', 0.4),
    ]);
  });

  test('are where the base was asked about a word of the draft', () => {
    expect(found).toEqual([
      [0.1235, true],
      [0.6, false],
      [0.7, false],
      [0.3, false],
      [0.4, true],
    ]);
  });
});
