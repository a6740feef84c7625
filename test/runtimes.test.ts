import { execFile } from 'node:child_process';
import { chmodSync, copyFileSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, describe, expect, test } from 'vitest';
import { inRoot } from '../scripts/lib/paths.mjs';
import { findProgram } from '../scripts/lib/requirements.mjs';

const run = promisify(execFile);
const scratch = mkdtempSync(path.join(os.tmpdir(), 'nudging-runtimes-'));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

const prelude = `import { Nudging } from ${JSON.stringify(new URL('../dist/index.js', import.meta.url).href)};\n`;
let made = 0;

/**
 * An application that is its own runtime, as far as one can tell from outside: whatever it is given, it runs its own program. Returns what
 * it printed and how often it was started.
 */
async function application(program: string, env: NodeJS.ProcessEnv = {}) {
  made += 1;
  const [main, starts, self] = ['mjs', 'starts', 'sh'].map((kind) => path.join(scratch, `app-${made}.${kind}`)) as [string, string, string];
  writeFileSync(main, `${prelude}process.execPath = ${JSON.stringify(self)};\n${program}`);
  // Beyond a few it would only take the machine down.
  writeFileSync(self, `#!/bin/sh\necho >> ${starts}\n[ "$(wc -l < ${starts})" -lt 8 ] || exit 3\nexec ${process.execPath} ${main}\n`);
  chmodSync(self, 0o755);
  const { stdout } = await run(self, { env: { ...process.env, ...env }, timeout: 20_000 });
  return { stdout, starts: readFileSync(starts, 'utf8').length };
}

const refusal = new RegExp(
  "^ERR_ENGINE_CRASHED isolate true an engine's process is started with .*app-\\d+\\.sh, and that is an application, " +
    'which would start itself again: leave out `isolate`, or run the application with node\n$',
);

const isWindows = process.platform === 'win32';
describe.skipIf(isWindows)('an application that is its own runtime (made of a shell script, which Windows has not)', () => {
  const load = `await Nudging.load({ isolate: true }).catch(({ code, option = 'isolate', value = true, message }) => {
    console.log(code, option, value, message);
  });`;

  test('is started once more and not without end by `isolate`', async () => {
    expect(await application(load)).toEqual({ stdout: expect.stringMatching(refusal), starts: 2 });
  });

  test('even if it goes on without its engine', async () => {
    const stays = `${load}\nif (process.env.NUDGING_CHILD_PROCESS) setInterval(() => {}, 1000);`;
    expect(await application(stays)).toEqual({ stdout: expect.stringMatching(refusal), starts: 2 });
  });

  test('is not started at all where the runtime says that it is in one', async () => {
    const single = `const { getBuiltinModule } = process;
      process.getBuiltinModule = (name) => (name === 'node:sea' ? { isSea: () => true } : getBuiltinModule(name));\n`;
    expect(await application(single + load)).toEqual({ stdout: expect.stringMatching(refusal), starts: 1 });
  });

  test('answers without `isolate`, though its kernels cannot be tried in another process', async () => {
    // Nothing is known of the kernels of a copy.
    const addon = path.join(scratch, 'fresh.node');
    copyFileSync(inRoot('build/Release/nudging.node'), addon);
    const answer = `const nudging = await Nudging.load();
      console.log((await nudging.generate('What is a harbor?')).text);
      await nudging.close();`;
    const { stdout, starts } = await application(answer, { NUDGING_BINARY: addon });
    expect(stdout).toContain('a sheltered port');
    expect(starts).toBe(2);
    expect(existsSync(`${addon}.kernels.json`)).toBe(false);
  });
});

const bun = findProgram('bun');
const onBun = test.skipIf(bun === undefined);
onBun('an engine answers on Bun, in its process and in one of its own (where Bun is installed)', { timeout: 60_000 }, async () => {
  const main = path.join(scratch, 'bun.mjs');
  writeFileSync(
    main,
    `${prelude}
for (const isolate of [false, true]) {
  const nudging = await Nudging.load({ isolate });
  for await (const { text } of nudging.stream('What is a harbor?')) process.stdout.write(text);
  await nudging.close();
  console.log();
}`,
  );
  const { stdout } = await run(bun as string, [main], { timeout: 50_000 });
  expect(
    stdout
      .trim()
      .split('\n')
      .map((line) => line.includes('a sheltered port')),
  ).toEqual([true, true]);
});
