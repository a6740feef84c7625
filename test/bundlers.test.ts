import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { rolldown } from 'rolldown';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { inRoot } from '../scripts/lib/paths.mjs';

const run = promisify(execFile);

const program = `
import { Nudging, NudgingError, demoPair, defaults, readPair } from 'nudging';
console.log('imported', defaults.gamma, typeof demoPair, typeof readPair);
const outcome = async (options) => {
  try {
    const nudging = await Nudging.load(options);
    console.log((await nudging.generate('What is a harbor?')).text.includes('a sheltered port'));
    await nudging.close();
  } catch (error) {
    console.log(error instanceof NudgingError, error.code, error.message);
  }
};
async function main() {
  await outcome();
  await outcome({ isolate: true });
}
main();
`;

describe('a bundle', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(path.join(os.tmpdir(), 'nudging-bundle-'));
    writeFileSync(path.join(folder, 'package.json'), '{ "name": "someone-elses" }');
    writeFileSync(path.join(folder, 'program.mjs'), program);
    mkdirSync(path.join(folder, 'node_modules'));
    symlinkSync(inRoot(''), path.join(folder, 'node_modules', 'nudging'), 'dir');
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  /** Bundles the program and runs it. @returns what it prints, line by line */
  async function linesOf(format: 'cjs' | 'es', external: string[]): Promise<string[]> {
    const bundle = await rolldown({ input: path.join(folder, 'program.mjs'), platform: 'node', external, cwd: folder, logLevel: 'silent' });
    const file = path.join(folder, `out-${format}-${external.length}`, `program.${format === 'cjs' ? 'cjs' : 'mjs'}`);
    await bundle.write({ file, format, codeSplitting: false });
    const { stdout, stderr } = await run(process.execPath, [file], { cwd: os.tmpdir() });
    expect(stderr).toBe('');
    return stdout.trim().split('\n');
  }

  test.each(['cjs', 'es'] as const)('as %s can be imported, and load says to mark the package as external', async (format) => {
    const [imported, ...outcomes] = await linesOf(format, []);
    expect(imported).toBe('imported 0.4 string function');
    expect(outcomes).toHaveLength(2);
    for (const outcome of outcomes)
      expect(outcome).toMatch(/^true ERR_NATIVE_LOAD .*bundled.* mark the package "nudging" as external .*docs\/bundlers\.md/);
  });

  test.each(['cjs', 'es'] as const)('as %s says the same to a program that has `require`', async (format) => {
    const input = path.join(folder, 'required.cjs');
    writeFileSync(
      input,
      `const { Nudging, NudgingError } = require('nudging');
Nudging.load().catch((error) => console.log(error instanceof NudgingError, error.message));
`,
    );
    const bundle = await rolldown({ input, platform: 'node', cwd: folder, logLevel: 'silent' });
    const file = path.join(folder, `out-required-${format}`, `program.${format === 'cjs' ? 'cjs' : 'mjs'}`);
    await bundle.write({ file, format, codeSplitting: false });
    expect((await run(process.execPath, [file])).stdout).toMatch(/^true .*bundled.* external/);
  });

  test('that takes nudging/ai-sdk along, and leaves the package itself and the SDK out, works', async () => {
    symlinkSync(inRoot('node_modules/ai'), path.join(folder, 'node_modules/ai'), 'dir');
    const input = path.join(folder, 'sdk.mjs');
    writeFileSync(
      input,
      `import { generateText, APICallError } from 'ai';
import { Nudging } from 'nudging';
import { createNudging } from 'nudging/ai-sdk';
const engine = await Nudging.load({ parallel: 1, maxQueue: 0 });
const asked = { model: createNudging(engine)(), prompt: 'What is a harbor?', maxRetries: 0 };
const [first, second] = await Promise.allSettled([generateText(asked), generateText(asked)]);
console.log(first.value.text.includes('a sheltered port'), APICallError.isInstance(second.reason));
await engine.close();
`,
    );
    const bundle = await rolldown({ input, platform: 'node', external: ['nudging', 'ai'], cwd: folder, logLevel: 'silent' });
    const file = path.join(folder, 'sdk-out.mjs');
    await bundle.write({ file, format: 'es', codeSplitting: false });
    expect(readFileSync(file, 'utf8')).not.toContain('nudging/ai-sdk');
    expect((await run(process.execPath, [file])).stdout).toBe('true true\n');
  });

  test.each(['cjs', 'es'] as const)('as %s that leaves the package out works', async (format) => {
    expect(await linesOf(format, ['nudging'])).toEqual(['imported 0.4 string function', 'true', 'true']);
  });

  test('whose import.meta is empty, as those of esbuild and ncc, says the same', async () => {
    const bundle = await rolldown({
      input: path.join(folder, 'program.mjs'),
      platform: 'node',
      cwd: folder,
      logLevel: 'silent',
      transform: { define: { 'import.meta.url': 'undefined' } },
    });
    const file = path.join(folder, 'out-empty', 'program.cjs');
    await bundle.write({ file, format: 'cjs', codeSplitting: false });
    const { stdout } = await run(process.execPath, [file]);
    expect(stdout).toMatch(/^imported 0\.4 string function\ntrue ERR_NATIVE_LOAD .*external/);
  });
});
