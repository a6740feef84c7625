import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { measureVocabulary } from '../bench/lib/vocabularies.mjs';
import { naiveNudging, type Lane } from '../bench/rivals/naive.mjs';
import { Nudging, type LaneName } from '../lib/index.ts';
import { randomModel } from './support/models.ts';
import { spread } from './support/questions.ts';

const root = path.resolve(import.meta.dirname, '..');
const run = (...flags: string[]) => program('bench/run.mjs', ...flags);
const program = (...words: string[]) =>
  promisify(execFile)(process.execPath, words, {
    cwd: root,
    timeout: 60_000,
    env: { ...process.env, NUDGING_RIVALS: path.join(root, 'nowhere') },
  });

describe('a GPU of stated speed', () => {
  test('passes take as long as it says, and only lanes of their own work side by side', { timeout: 60_000 }, async () => {
    const { stdout } = await program('bench/simulated.mjs', '--streams', '1', '--questions', '3', '--slower', '2');
    const rows = stdout.split('\n').flatMap((line) => (/^\| 1 /.test(line) ? [line.split('|').map((cell) => cell.trim())] : []));
    expect(rows.map(([, , way]) => way)).toEqual(['base alone', 'plain, in turn', 'plain', 'speculative, in turn', 'speculative']);
    const tokensPerSecond = rows.map((cells) => Number(cells[3]));
    // A token of the base takes 7 ms, and nothing is faster than it says.
    expect(tokensPerSecond[0]).toBeGreaterThan(60);
    expect(tokensPerSecond[0]).toBeLessThan(1000 / 7);
    expect(Number(rows[0]?.[9])).toBe(0);
    expect(Number(rows[1]?.[9])).toBe(0);
    expect(Number(rows[4]?.[9])).toBeGreaterThan(0);
  });

  test.each([
    ['--streams', '0', '--streams cannot be "0"'],
    ['--questions', '1', '--questions cannot be "1"'],
    ['--slower', 'x', '--slower cannot be "x"'],
    ['--times', 'nowhere.json', 'there is no file "nowhere.json"'],
    ['--times', 'package.json', 'is to have'],
  ])('%s %s is refused', async (flag, value, why) => {
    await expect(program('bench/simulated.mjs', flag, value)).rejects.toMatchObject({ stderr: expect.stringContaining(why) });
  });
});

interface Spread {
  median: number;
  min: number;
  max: number;
}

interface Rival {
  name: string;
  status: 'ok' | 'missing';
  nudges?: boolean;
  msPerToken: Spread & { rounds: number[] };
  tokens: number;
  unstable: number;
  texts: string[];
  eventLoop: { p99Ms: number };
}

interface Result {
  questions: string[];
  rivals: Rival[];
  ratios: (Spread & { over: string; under: string })[];
  agreement: { against: string | null; different: Record<string, number> };
}

interface MethodsResult {
  methods: {
    name: string;
    scored: number;
    msPerToken: Spread;
    toNudging: Spread;
    passes: Record<'base' | 'aligned' | 'reference', number>;
    nudgeRatio: number;
  }[];
  aims: (Spread & { label: string })[];
  missing: { label: string; reason: string }[];
}

describe('npm run bench -- --quick', () => {
  const out = mkdtempSync(path.join(tmpdir(), 'nudging-bench-'));
  let result: Result;
  let ms = 0;
  beforeAll(async () => {
    const start = performance.now();
    await run('--quick', '--out', out, '--name', 'quick');
    ms = performance.now() - start;
    result = JSON.parse(readFileSync(path.join(out, 'quick.json'), 'utf8')) as Result;
  }, 70_000);
  afterAll(() => rmSync(out, { recursive: true, force: true }));

  test('takes less than 25 s', () => expect(ms).toBeLessThan(25_000));

  test('measures every rival of this package', () => {
    expect(result.rivals.map(({ name }) => name)).toEqual(['base', 'aligned', 'plain', 'speculative']);
    for (const rival of result.rivals) {
      expect(rival).toMatchObject({ status: 'ok', unstable: 0 });
      expect(rival.tokens).toBeGreaterThan(0);
      expect(rival.texts).toHaveLength(result.questions.length);
      expect(rival.msPerToken.rounds).toHaveLength(2);
      expect(Number.isFinite(rival.eventLoop.p99Ms)).toBe(true);
    }
  });

  test('has finite ratios, each of the same round', () => {
    expect(result.ratios.map(({ over, under }) => `${over}/${under}`)).toEqual(['plain/base', 'speculative/base', 'speculative/plain']);
    for (const { over, under, median, min, max } of result.ratios) {
      const rounds = (name: string) => result.rivals.find((rival) => rival.name === name)?.msPerToken.rounds as number[];
      const expected = rounds(over).map((value, round) => value / (rounds(under)[round] as number));
      expect(min).toBeCloseTo(Math.min(...expected), 9);
      expect(max).toBeCloseTo(Math.max(...expected), 9);
      expect(Number.isFinite(median) && median > 0).toBe(true);
    }
  });

  test('finds the same answers whoever nudges', () => {
    expect(result.agreement).toEqual({ against: 'plain', different: { speculative: 0 } });
  });

  test('writes a table and a chart beside the JSON', () => {
    expect(readFileSync(path.join(out, 'quick.md'), 'utf8')).toContain('| nudging ÷ base alone |');
    expect(readFileSync(path.join(out, 'quick.svg'), 'utf8')).toMatch(/^<svg [\s\S]*<\/svg>\n$/);
    expect(readFileSync(path.join(out, 'quick.json'), 'utf8')).not.toContain(root);
  });
});

test('the naive rivals implement the same rules', async () => {
  const engine = await Nudging.load();
  const settings = { gamma: 0.4, lookahead: 16, maxTokens: 40 };
  try {
    for (const { question } of spread(10)) {
      // Every question is answered from nothing, so this is the algorithm alone, without its rivals' libraries.
      const lane = (name: LaneName): Lane => {
        const pieces = new Map<number, Uint8Array>();
        return {
          async next(text, tokens = []) {
            const { token, bytes, ends, probability } = await engine.inspect({ lane: name, input: question, text, tokens });
            pieces.set(token, bytes);
            return { token, text: Buffer.from(bytes).toString(), ends, probability };
          },
          text: (tokens) => Buffer.concat(tokens.map((token) => pieces.get(token) as Uint8Array)).toString(),
        };
      };
      const naive = await naiveNudging(lane('base'), lane('aligned'), settings, () => undefined);
      const { text, stats } = await engine.generate(question, { ...settings, speculation: false });
      expect(naive).toEqual({ text, tokens: stats.tokens });
    }
  } finally {
    await engine.close();
  }
});

test.each([
  [['--rivals', 'nobody'], /--rivals: there is no "nobody"; known are base, /],
  [['--rounds', '0'], /--rounds cannot be "0": it must be an integer from 1 to 100/],
  [['--gamma', 'x'], /--gamma cannot be "x"/],
  [['--pair', 'nowhere.json'], /nowhere\.json" does not exist/],
  [['--nonsense'], /see npm run bench -- --help/],
])('%j is refused in one line', async (flags, message) => {
  const error = await run(...flags).then(
    () => undefined,
    (reason: { stderr: string }) => reason.stderr,
  );
  expect(error).toMatch(message);
  expect(error?.trim().split('\n')).toHaveLength(1);
});

test('a rival that is not built is said to be missing', async () => {
  const out = mkdtempSync(path.join(tmpdir(), 'nudging-bench-'));
  try {
    const { stderr } = await run(
      '--quick',
      '--rivals',
      'plain,llama-bench',
      '--rounds',
      '1',
      '--questions',
      '2',
      '--out',
      out,
      '--name',
      'missing',
    );
    expect(stderr).toContain("left out: llama.cpp's own llama-bench (llama-bench is not built: npm run bench:rivals)");
    const { rivals } = JSON.parse(readFileSync(path.join(out, 'missing.json'), 'utf8')) as Result;
    expect(rivals.map(({ name, status }) => [name, status])).toEqual([
      ['plain', 'ok'],
      ['llama-bench', 'missing'],
    ]);
  } finally {
    rmSync(out, { recursive: true, force: true });
  }
});

describe('npm run bench:methods -- --quick', () => {
  const out = mkdtempSync(path.join(tmpdir(), 'nudging-methods-'));
  afterAll(() => rmSync(out, { recursive: true, force: true }));
  const measure = async (...flags: string[]) => {
    const { stdout } = await program('bench/methods.mjs', '--quick', '--out', out, '--name', 'quick', ...flags);
    return { stdout, result: JSON.parse(readFileSync(path.join(out, 'quick.json'), 'utf8')) as MethodsResult };
  };

  test('measures every method and judges every aim', { timeout: 70_000 }, async () => {
    const { stdout, result } = await measure('--max-tokens', '8');
    expect(result.missing).toEqual([]);
    const of = (name: string) => result.methods.find((method) => method.name === name) as MethodsResult['methods'][number];
    for (const { scored, msPerToken, toNudging } of result.methods) {
      expect(scored).toBe(2);
      expect(toNudging.median).toBeCloseTo(msPerToken.median / of('nudge').msPerToken.median, 9);
    }
    // Who is asked about a token, and nothing is remembered from the method before.
    expect(of('base').passes).toMatchObject({ aligned: 0, reference: 0 });
    expect(of('base').passes.base).toBeGreaterThan(0.8);
    expect(of('reference').passes).toMatchObject({ base: 0, aligned: 0 });
    for (const lane of ['base', 'aligned', 'reference'] as const) expect(of('proxy').passes[lane]).toBeGreaterThan(0.8);
    expect(of('aligned').nudgeRatio).toBe(1);
    expect(result.aims.map(({ label }) => label)).toEqual([
      'ensemble ÷ one pass each of base, aligned',
      'proxy ÷ one pass each of base, aligned, reference',
      'ensemble-byte ÷ ensemble',
      'proxy-byte ÷ proxy',
    ]);
    const pass = (name: 'base' | 'aligned') => of(name).msPerToken.median / of(name).passes[name];
    const sum = pass('base') + pass('aligned');
    expect(result.aims[0]?.median).toBeCloseTo(of('ensemble').msPerToken.median / sum, 9);
    expect(readFileSync(path.join(out, 'quick.md'), 'utf8').trim()).toBe(stdout.trim());
  });

  test('leaves out what two vocabularies cannot have, and says why', { timeout: 70_000 }, async () => {
    const flags = ['--pair', 'models/demo/pair-cross.json', '--methods', 'nudge,ensemble,ensemble-byte,kad-dual', '--scored', '0'];
    const { stdout, result } = await measure(...flags);
    expect(result.methods.map(({ name, scored }) => [name, scored])).toEqual([
      ['nudge', 0],
      ['ensemble-byte', 0],
    ]);
    expect(result.missing).toHaveLength(2);
    expect(stdout).toMatch(/- `kad-dual`: .*do not have the same vocabulary/);
    expect(stdout).toContain('| nudging, `top1` | not scored | 1.00 (1.00–1.00) |');
  });

  test.each([
    [['--methods', 'beam'], /--methods: there is no "beam"; known are base, aligned, /],
    [['--questions', '1'], /--questions cannot be "1": it must be an integer from 2 to 300/],
    [['--nonsense'], /see npm run bench:methods -- --help/],
  ])('%j is refused in one line', async (flags, message) => {
    const error = await program('bench/methods.mjs', ...flags).then(
      () => undefined,
      (reason: { stderr: string }) => reason.stderr,
    );
    expect(error).toMatch(message);
    expect(error?.trim().split('\n')).toHaveLength(1);
  });
});

describe('node bench/cost.mjs', () => {
  test('measures every setting of every sweep', { timeout: 60_000 }, async () => {
    const { stdout } = await program('bench/cost.mjs', '--questions', '2', '--rounds', '1');
    const rows = new Map(
      stdout
        .split('\n')
        .filter((line) => line.startsWith('| '))
        .map((line) => line.slice(2, -2).split(' | '))
        .map(([label, ...cells]) => [label, cells] as const),
    );
    const guesses = Object.fromEntries(['k 0', 'k 1', 'k 2', 'k 4', 'k 8', 'k 15'].map((label) => [label, rows.get(label)?.at(-1)]));
    expect(guesses['k 0']).toBe('–');
    for (const label of ['k 1', 'k 2', 'k 4', 'k 8', 'k 15']) expect(guesses[label]).toMatch(/^\d+ %$/);
    for (const label of ['γ 0.2', 'γ 0.5', 'L 4', 'L 32', 'k chosen', ...Object.keys(guesses)])
      expect(Number(rows.get(label)?.[0])).toBeGreaterThan(0);
    // Alone, the base needs a pass for each token: nothing is remembered from the variant before.
    expect(Number.parseFloat(rows.get('base alone')?.at(-1) ?? '')).toBeGreaterThan(0.9);
  });

  test('measures what a vocabulary costs', { timeout: 30_000 }, async () => {
    const model = randomModel({ vocabulary: 'llama-spm', seed: 3 });
    const engine = await Nudging.load({ base: model, aligned: model, context: 256, parallel: 1 });
    try {
      const { tokens, decodeMs, top1 } = await measureVocabulary(
        engine,
        spread(2).map(({ question }) => question),
        { rounds: 1, maxTokens: 8 },
      );
      expect(tokens).toBe(32_000);
      for (const value of [decodeMs, top1.greedy, top1.sampled, top1.sampledOf40]) expect(value).toBeGreaterThan(0);
    } finally {
      await engine.close();
    }
  });

  test.each([
    [['--vocabularies', '--pair', 'inflated'], /leave --pair out/],
    [['--questions', '1'], /--questions cannot be "1": it must be an integer from 2 to 300/],
    [['--nonsense'], /see node bench\/cost\.mjs --help/],
  ])('%j is refused in one line', async (flags, message) => {
    const error = await program('bench/cost.mjs', ...flags).then(
      () => undefined,
      (reason: { stderr: string }) => reason.stderr,
    );
    expect(error).toMatch(message);
    expect(error?.trim().split('\n')).toHaveLength(1);
  });
});
