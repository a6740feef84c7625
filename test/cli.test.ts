import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { flags } from '../lib/cli/flags.ts';
import { jsonLines, nudging, shows, start } from './support/cli.ts';

const question = 'What is a harbor?';
const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as { version: string };

describe('help and version', () => {
  test('the help names every flag and the exit codes', async () => {
    const { stdout, stderr, code } = await nudging(['--help']);
    expect({ stderr, code }).toEqual({ stderr: '', code: 0 });
    for (const { name } of flags) expect(stdout).toContain(`--${name}`);
    for (const part of ['Exit codes', '130', 'default: 0.4', '1 to 1024', '"row"']) expect(stdout).toContain(part);
    expect(Math.max(...stdout.split('\n').map((line) => line.length))).toBeLessThanOrEqual(105);
  });

  test('help is reachable from a command line that is wrong otherwise', async () => {
    expect(await nudging(['--gamma', '9', '-h'])).toMatchObject({ code: 0 });
  });

  test('the version is the package version', async () => {
    const { stdout, code } = await nudging(['--version']);
    expect(stdout).toMatch(new RegExp(`^nudging ${version.replaceAll('.', '\\.')} \\(llama\\.cpp [^\\n]+\\)\\n$`));
    expect(code).toBe(0);
  });
});

describe('one question', () => {
  test('is answered in plain text, with one line of statistics on stderr', async () => {
    const { stdout, stderr, code } = await nudging([question]);
    expect(stdout).toMatch(/^A harbor is a sheltered port .*\n$/);
    expect(stderr).toMatch(/^\d+ tokens, \d+ % nudged, [\d.]+ tokens\/s, first piece after \d+ ms, ended by itself \(end\)\n$/);
    expect(code).toBe(0);
  });

  test('can be piped in, also with the word generate', async () => {
    const [one, other] = await Promise.all([nudging([], { input: `${question}\n` }), nudging(['generate', question])]);
    expect(one).toMatchObject({ code: 0, stdout: other.stdout });
  });

  test('--json prints one object, whose parts make up the text', async () => {
    const { stdout, stderr, code } = await nudging(['--json', question]);
    expect({ stderr, code }).toEqual({ stderr: '', code: 0 });
    const answers = jsonLines(stdout);
    expect(answers).toHaveLength(1);
    const { text, stopReason, rounds, pieces, stats } = answers[0];
    expect(Object.keys(answers[0])).toEqual(['text', 'stopReason', 'rounds', 'ties', 'pieces', 'stats']);
    expect(stopReason).toBe('end');
    expect(rounds.map((round: { words: string; base: string }) => round.words + round.base).join('')).toBe(text);
    expect(pieces.map((piece: { text: string }) => piece.text).join('')).toBe(text);
    expect(stats.tokens).toBe(stats.baseTokens + stats.nudgedTokens);
  });

  test('ties are told where there are any', async () => {
    const shown = async (asked: string) => (await nudging([asked], { fake: true })).stderr;
    expect(await shown('tied')).toMatch(/\(end\), 3 ties\n$/);
    expect(await shown('free')).toMatch(/\(end\)\n$/);
    expect(JSON.parse((await nudging(['--json', 'tied'], { fake: true })).stdout)).toMatchObject({ ties: 3 });
    const real = await nudging(['--json', '--gamma', '0.9', question]);
    expect(JSON.parse(real.stdout)).toMatchObject({ ties: 0 });
  });

  test('a sampled answer tells its seed, and the flags repeat it', async () => {
    const drawn = await nudging(['--temperature', '1', '--max-tokens', '12', question]);
    const seed = /, seed (\d+)\n$/.exec(drawn.stderr)?.[1] as string;
    const again = JSON.parse(
      (
        await nudging([
          '--json',
          '--temperature',
          '1',
          '--top-k',
          '0',
          '--top-p',
          '1',
          '--min-p',
          '0',
          '--seed',
          seed,
          '--max-tokens',
          '12',
          question,
        ])
      ).stdout,
    );
    expect(again).toMatchObject({ text: drawn.stdout.replace(/\n$/, ''), seed: Number(seed) });
  });

  test('--trace adds the decisions', async () => {
    const [json, text] = await Promise.all([nudging(['--json', '--trace', question]), nudging(['--trace', question])]);
    const { decisions } = JSON.parse(json.stdout);
    expect(decisions[0]).toMatchObject({ kind: 'draft', position: 0, text: 'A', bytes: '41' });
    expect(text.stderr).toMatch(/^draft +at +0 +p [\d.]+ +"A"\n/);
    expect(text.stderr).toContain('round 1: "A harbor" nudged');
  });

  test('--rule reaches the library, and the trace says what it looked at', async () => {
    const hybrid = ['--rule', 'hybrid:low=0.1, high=0.99,lambda=0', '--trace', question];
    const [json, text] = await Promise.all([nudging(['--json', ...hybrid]), nudging(hybrid)]);
    const { decisions, decidedBy } = JSON.parse(json.stdout);
    expect(decidedBy).toEqual({ rule: { name: 'hybrid', low: 0.1, high: 0.99, lambda: 0 }, gamma: 0.4, lookahead: 16 });
    expect(decisions.some((decision: object) => 'words' in decision)).toBe(true);
    expect(text.stderr).toMatch(/^(boundary|run) +at +\d+ +p [\d.]+ +"[^"]*" +words [\d.]+ and [\d.]+$/m);
    const [entropy, margin] = await Promise.all(['entropy', 'margin'].map((rule) => nudging(['--rule', rule, '--trace', question])));
    expect(entropy?.stderr).toMatch(/ entropy [\d.]+$/m);
    expect(margin?.stderr).toMatch(/ second [\d.]+$/m);
  });

  test('biases and a penalty reach the library', async () => {
    const [biased, penalised] = await Promise.all([
      nudging(['--logit-bias', '{" shelter": -100}', question]),
      nudging(['--repeat-penalty', '2', '--repeat-window', '48', question]),
    ]);
    expect(biased.stdout).toMatch(/^A harbor(?!.* shelter)/);
    expect(penalised.stdout).not.toMatch(/^A harbor/);
  });

  test('flags reach the library', async () => {
    const { stdout } = await nudging([
      '--json',
      '--mode',
      'base',
      '--max-tokens',
      '5',
      '--gpu-layers',
      'auto',
      '--kv-cache',
      'base=q8_0,aligned=f16',
      '--parallel',
      'auto',
      '--context',
      'base=256,aligned=128',
      question,
    ]);
    expect(JSON.parse(stdout)).toMatchObject({ stopReason: 'length', stats: { tokens: 5, aligned: { decodes: 0 } } });
    const stopped = JSON.parse((await nudging(['--json', '--stop', ' port', '--stop', ' never', question])).stdout);
    expect(stopped).toMatchObject({ text: 'A harbor is a sheltered', stopReason: 'stop' });
  });
});

describe('colour', () => {
  test('a pipe gets none', async () => {
    const { stdout, stderr } = await nudging([question], { fake: true });
    expect(stdout + stderr).not.toContain('\x1b');
  });

  test('FORCE_COLOR colours nudged words and leaves base text plain', async () => {
    const { stdout } = await nudging([question], { env: { FORCE_COLOR: '1' } });
    expect(stdout).toMatch(/^\x1b\[36mA\x1b\[39m/);
    expect(stdout).toMatch(/\x1b\[39m is a sheltered port where/);
  });

  test('NO_COLOR and FORCE_COLOR=0 keep it off', async () => {
    for (const env of [{ NO_COLOR: '1' }, { FORCE_COLOR: '0' }]) {
      expect((await nudging([question], { fake: true, env })).stdout).toBe(`${question}!\n`);
    }
  });
});

describe.skipIf(process.platform === 'win32')('interrupting', () => {
  test('ends an answer, shows what was there, exits with 130', async () => {
    const { child, ran } = start(['endless'], { fake: true });
    await shows(child, ' word');
    child.kill('SIGINT');
    const { stdout, stderr, code } = await ran;
    expect(stdout).toMatch(/^( word)+\n$/);
    expect(stderr).toMatch(/^[^\n]*interrupted \(aborted\)\n$/);
    expect(code).toBe(130);
  });

  test('--json still prints its object', async () => {
    const { child, ran } = start(['--json', 'endless'], { fake: true, env: { NUDGING_FAKE_SAYS: '1' } });
    await shows(child, 'asked', 'stderr');
    child.kill('SIGINT');
    const { stdout, code } = await ran;
    expect(JSON.parse(stdout)).toMatchObject({ stopReason: 'aborted' });
    expect(code).toBe(130);
  });

  test('works while the question is awaited', async () => {
    const { child, ran } = start([], { fake: true, input: { open: true } });
    // More than a pipe holds: once it is written, somebody reads.
    child.stdin?.write('x'.repeat(1 << 20), () => child.kill('SIGINT'));
    expect(await ran).toEqual({ stdout: '', stderr: 'nudging: interrupted\n', code: 130 });
  });

  test('a second one ends it on the spot', async () => {
    // This engine never ends an answer that is cancelled.
    const { child, ran } = start(['deaf'], { fake: true });
    await shows(child, ' word');
    child.kill('SIGINT');
    // The same key press may arrive twice, so a second signal counts only after a while.
    const again = setInterval(() => child.kill('SIGINT'), 50);
    expect(await ran).toMatchObject({ code: 130 });
    clearInterval(again);
  });

  test('a reader that goes away ends it quietly', async () => {
    const { child, ran } = start(['endless'], { fake: true });
    await shows(child, ' word');
    child.stdout?.destroy();
    expect(await ran).toMatchObject({ stderr: '', code: 0 });
  });
});
