import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { gpusFor, pairs, remoteTokenMs, singles, tokenMs } from '../bench/lib/scale/growth.mjs';
import { gpus, singlePassMs } from '../bench/lib/scale/machines.mjs';
import { averageUnits, cpuQ4, units, workUnits } from '../bench/lib/scale/passes.mjs';
import { deviation, points } from '../bench/lib/scale/points.mjs';
import { callsPerToken } from '../bench/lib/scale/statistics.mjs';
import { inRoot } from '../scripts/lib/paths.mjs';

const run = (...flags: string[]) => promisify(execFile)(process.execPath, ['bench/scale.mjs', ...flags], { cwd: inRoot() });

describe('the model of growth', () => {
  const all = points();

  test.each(all.map((point) => [point.name, point] as const))('is within 15 %% of what was measured: %s', (_, point) => {
    expect(point.measured).toBeGreaterThan(0);
    expect(Math.abs(deviation(point))).toBeLessThanOrEqual(0.15);
  });

  test('has all kept results, and both GPUs', () => {
    expect(new Set(all.map(({ name }) => name)).size).toBe(all.length);
    const kept = ['agreeing', 'disagreeing', 'inflated', 'inflated-3b', 'inflated-8b', 'inflated-q8_0', 'inflated-f16', 'demo-pair'];
    for (const name of kept)
      expect(all.map((point) => point.name)).toEqual(expect.arrayContaining([`${name}, plain`, `${name}, with guesses`]));
    for (const gpu of ['H100', 'H200']) expect(all.filter(({ name }) => name.startsWith(gpu)).length).toBeGreaterThanOrEqual(4);
  });

  test('is what docs/scale.md says', async () => {
    const { stdout } = await run();
    expect(readFileSync(inRoot('docs/scale.md'), 'utf8')).toContain(stdout.trim());
  });
});

describe('a pass', () => {
  test('costs what the curve says, in between and beyond it', () => {
    const curve = [
      [1, 1],
      [2, 1.5],
      [4, 2.5],
    ] as const;
    expect([1, 1.5, 2, 3, 4, 6].map((tokens) => units(curve, tokens))).toEqual([1, 1.25, 1.5, 2, 2.5, 3.5]);
  });

  test('of few tokens on average is mostly one of a single token', () => {
    expect(
      averageUnits(
        [
          [1, 1],
          [2, 5],
          [5, 5],
        ],
        2,
        5,
      ),
    ).toBe(2);
    // Longer than a stretch: all are.
    expect(
      averageUnits(
        [
          [1, 1],
          [2, 5],
          [5, 5],
        ],
        5,
        3,
      ),
    ).toBe(5);
  });

  test('of the prompt is one by itself', () => {
    const { base } = cpuQ4;
    expect(workUnits(base, { passes: 1, tokens: 12, prompt: 12 }, 4)).toBe(5.16);
    expect(workUnits(base, { passes: 4, tokens: 15, prompt: 12 }, 4)).toBe(8.16);
    expect(workUnits(base, { passes: 0, tokens: 0, prompt: 12 }, 4)).toBe(0);
  });

  test('takes bytes by bandwidth, and something', () => {
    expect(singlePassMs(gpus.h200, 'F16', 4.31e12)).toBeCloseTo(1001.67);
    expect(() => singlePassMs(gpus.h200, 'Q8_0', 1)).toThrow('no bandwidth is known for Q8_0: known are F16, Q4_0');
  });
});

describe('what is beyond what was measured', () => {
  const big = { base: 405, aligned: 8, weights: 'F16' } as const;
  const small = { base: 8, aligned: 1, weights: 'F16' } as const;
  const at = (pair: typeof big | typeof small, split: 'layer' | 'tensor', count: number) => singles(gpus.h200, pair, { split, count });

  test('GPUs are as many as have the room', () => {
    expect(pairs.map((pair) => gpusFor(gpus.h200, pair))).toEqual([1, 1, 1, 1, 2, 2, 7]);
    expect(gpusFor(gpus.h100, big)).toBeGreaterThan(gpusFor(gpus.h200, big));
  });

  test('a split by layers is no faster, one of each layer is, for the base alone', () => {
    expect(at(big, 'layer', 7).base).toBe(at(big, 'layer', 1).base);
    expect(at(big, 'tensor', 8).base).toBeLessThan(at(big, 'layer', 8).base / 4);
    expect(at(big, 'tensor', 8).aligned).toBe(at(big, 'layer', 8).aligned);
  });

  test('guesses gain more the larger the base is', () => {
    const gain = (pair: typeof big | typeof small) => tokenMs('base', at(pair, 'layer', 1)) / tokenMs('speculative', at(pair, 'layer', 1));
    expect(gain(big)).toBeGreaterThan(1.5 * gain(small));
  });

  test('a remote base costs its calls, a naive client one for each pass', () => {
    const single = at(small, 'layer', 1);
    const here = tokenMs('plain', single);
    expect(remoteTokenMs('plain', single, 0)).toBe(here);
    expect(remoteTokenMs('plain', single, 50) - here).toBeCloseTo(50 * callsPerToken);
    expect(remoteTokenMs('naive', single, 50) - here).toBeCloseTo(50 * 0.72);
  });
});

describe('node bench/scale.mjs', () => {
  test('says what a million tokens cost', async () => {
    const { stdout } = await run('--price', '2', '--gpu', 'h100');
    const [, hours = '', cost = ''] = /^\| 8 B \+ 1 B, F16 \| 1 \| .* \| ([\d.]+) \| ([\d.]+) \|$/m.exec(stdout) ?? [];
    expect(Number(cost) / Number(hours)).toBeCloseTo(2, 1);
    expect(stdout).toContain('Tokens a second on H100s');
  });

  test.each([
    [['--gpu', 'b200'], '--gpu cannot be "b200"'],
    [['--price', 'much'], '--price cannot be "much"'],
  ])('refuses %j', async (flags, message) => {
    await expect(run(...flags)).rejects.toThrow(message);
  });
});
