import { copyFileSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { inRoot } from '../scripts/lib/paths.mjs';
import { Nudging } from '../lib/index.ts';
import { describeEnding } from '../lib/isolate/ending.ts';
import { start } from './support/cli.ts';
import { script } from './support/script.ts';

describe.skipIf(process.platform === 'win32')('a model file that is cut while it is in use', () => {
  let folder: string;
  let pair: { base: string; aligned: string };
  beforeEach(() => {
    folder = mkdtempSync(path.join(os.tmpdir(), 'nudging-changed-'));
    pair = { base: path.join(folder, 'base.gguf'), aligned: path.join(folder, 'aligned.gguf') };
    for (const file of Object.values(pair)) copyFileSync(inRoot(`models/demo/${path.basename(file)}`), file);
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  const cut = () => Object.values(pair).forEach((file) => truncateSync(file, 4096));

  test('does no harm with mmap: false', async () => {
    await using engine = await Nudging.load({ ...pair, mmap: false });
    for (const { memory } of Object.values(engine.models)) expect(memory).toMatchObject({ mapped: 0 });
    const before = await engine.generate('What is a harbor?');
    cut();
    expect((await engine.generate('What is a blur?')).stopReason).toBe('end');
    writeFileSync(pair.base, Buffer.alloc(1 << 20, 0xff));
    expect((await engine.generate('What is a harbor?')).text).toBe(before.text);
  });

  test('is what mmap: true cannot stand: what isolate says of it names the way out', async () => {
    const { base, aligned } = pair;
    const body = `
      import { truncateSync } from 'node:fs';
      const [base, aligned] = ${JSON.stringify([base, aligned])};
      const n = await Nudging.load({ base, aligned, isolate: true, cpuBuffers: 'plain' });
      truncateSync(base, 4096);
      truncateSync(aligned, 4096);
      const { code, message } = await n.generate(question).catch((error) => error);
      console.log(code, message);`;
    const { stdout, code } = await script(body);
    expect([code, stdout]).toEqual([
      0,
      expect.stringMatching(/^ERR_ENGINE_CRASHED .*SIGBUS \(most likely a model file was cut or overwritten .*`mmap: false` \(--no-mmap\)/),
    ]);
  });

  test('gives the same answers either way, and does not share weights with what is mapped', async () => {
    await using mapped = await Nudging.load(pair);
    await using copied = await Nudging.load({ ...pair, mmap: false });
    const [one, other] = [await mapped.generate('What is a harbor?'), await copied.generate('What is a harbor?')];
    expect(other.text).toBe(one.text);
    expect(mapped.models.base.memory.mapped).toBeGreaterThan(0);
    expect(copied.models.base.memory.weights).toBe(mapped.models.base.memory.weights);
  });

  test('the command line has --no-mmap', async () => {
    const { stderr, stdout } = await start(['--no-mmap', '--verbose', 'What is a harbor?']).ran;
    expect(stdout).toContain('a sheltered port');
    expect(stderr.match(/, 0\.0 MiB of it pages of the file/g)).toHaveLength(2);
  });
});

test('other signals are not blamed on files', () => {
  expect(describeEnding(null, 'SIGSEGV', '')).not.toContain('mmap');
});
