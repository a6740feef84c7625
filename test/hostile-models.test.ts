import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { Nudging } from '../lib/index.ts';
import { makePlan } from '../scripts/lib/configs.mjs';
import { inRoot } from '../scripts/lib/paths.mjs';
import { run } from '../scripts/lib/process.mjs';

const model = inRoot('models/demo/aligned-cross.gguf');
const folder = mkdtempSync(path.join(os.tmpdir(), 'nudging-hostile-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** A copy of a model with `change` made to its bytes. */
function wrong(name: string, change: (bytes: Buffer) => Buffer | undefined): string {
  const bytes = readFileSync(model);
  const file = path.join(folder, name);
  writeFileSync(file, change(bytes) ?? bytes);
  return file;
}

// The tool forks, which Windows cannot.
describe.skipIf(process.platform === 'win32')('mutants of a model, each loaded in a process of its own', () => {
  test('none crashes or hangs, and each refusal has a code', { timeout: 120_000 }, async () => {
    const { code, output } = await run(path.join(makePlan({}).out, 'hostile_models'), ['--model', model, '--first', '1', '--count', '120']);
    const counts = JSON.parse(output.trim().split('\n').pop() ?? '') as Record<string, number>;
    console.log(counts);
    expect(output).not.toMatch(/crashed|hung|internal/);
    expect(code).toBe(0);
    // Mutants that all fail alike would test nothing.
    expect(counts['refused']).toBeGreaterThan(30);
    expect(counts['answered']).toBeGreaterThan(15);
  });

  test('nor does one with any single hyperparameter made wrong, or without any single tensor', { timeout: 120_000 }, async () => {
    const { code, output } = await run(path.join(makePlan({}).out, 'hostile_models'), [
      '--model',
      model,
      '--sweep',
      '1',
      '--count',
      '100000',
    ]);
    const counts = JSON.parse(output.trim().split('\n').pop() ?? '') as Record<string, number>;
    console.log(counts);
    expect(output).not.toMatch(/crashed|hung|internal/);
    expect(code).toBe(0);
    expect(counts['refused']).toBeGreaterThan(80);
    expect(counts['answered']).toBeGreaterThan(15);
  });
});

describe('a wrong model is refused by name, key, value and remedy', () => {
  test.each([
    ['cut in its header', (bytes: Buffer) => bytes.subarray(0, 5000), /is damaged or cut short: download it again \(the key ".*" takes/],
    ['cut in its weights', (bytes: Buffer) => bytes.subarray(0, -1), /is damaged or cut short: download it again \(the tensor ".*" needs/],
    [
      'with a count of keys beyond the file',
      (bytes: Buffer) => void bytes.writeBigUInt64LE(9999n, 16),
      /is damaged or cut short: download it again/,
    ],
    ['big-endian', (bytes: Buffer) => void bytes.writeUInt32BE(3, 4), /is a big-endian GGUF file: convert it/],
    [
      'with a wrong number',
      (bytes: Buffer) => void bytes.writeUInt32LE(0, bytes.indexOf('llama.block_count') + 'llama.block_count'.length + 4),
      /the key "llama.block_count" is 0 and must be from 1 to 512; download it again, or convert/,
    ],
  ])('%s', async (name, change, message) => {
    const file = wrong(`${name}.gguf`, change);
    const error = await Nudging.load({ base: file, aligned: model }).catch((reason: unknown) => reason as Error & { code: string });
    expect(error).toMatchObject({
      name: 'NudgingError',
      code: expect.stringMatching(/^ERR_MODEL_(INVALID|UNSUPPORTED)$/) as string,
      message: expect.stringMatching(message) as string,
    });
    expect((error as Error).message).toContain(file);
  });
});
