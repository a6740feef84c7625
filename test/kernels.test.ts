import { copyFileSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, describe, expect, test } from 'vitest';
import { Nudging, type LoadOptions, type NudgingWarning } from '../lib/index.ts';
import { addonBinary } from '../lib/native.ts';
import { checkKernels, harmfulKernels, readRecord, recordOf, writeRecord } from '../scripts/lib/kernels.mjs';
import { script } from './support/script.ts';

const scratch = mkdtempSync(path.join(os.tmpdir(), 'nudging-kernels-'));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

/** What the demo pair's weights are in with these options. */
async function buffersWith(options: LoadOptions): Promise<Record<string, number>> {
  await using nudging = await Nudging.load(options);
  return nudging.models.base.memory.buffers;
}

// Said, not left out: NUDGING_CPU_BUFFERS holds for the rest of these tests where it is set.
const everywhere = await buffersWith({ cpuBuffers: 'all' });
/** Extra buffers that the demo pair uses on this machine. */
const extra = Object.keys(everywhere).filter((name) => name !== 'CPU');

describe('kernels in a process of their own', () => {
  let count = 0;
  /** An addon with three kinds of buffer, whose kernels do what the script says: `kernel` is { buffer, type, threads }. */
  const addonThat = (does: string) => {
    const file = path.join(scratch, `addon-${++count}.cjs`);
    writeFileSync(
      file,
      `
      const kernels = ['AMX', 'CPU_REPACK', 'OTHER'].flatMap((buffer) => ['q4_0', 'q8_0'].map((type) => ({ buffer, type })));
      exports.extraKernels = () => kernels;
      exports.givesKnownAnswer = (index, threads) => {
        const kernel = { ...kernels[index], threads };
        ${does}
        return true;
      };`,
    );
    return file;
  };

  test.skipIf(process.platform === 'win32')('one that crashes is named, and the other kinds of buffer are still tried', async () => {
    const addon = addonThat(`
      if (kernel.buffer === 'AMX') process.kill(process.pid, 'SIGILL');
      if (kernel.buffer === 'OTHER' && kernel.type === 'q8_0' && kernel.threads === 2) process.kill(process.pid, 'SIGSEGV');`);
    expect(await checkKernels(addon)).toEqual([
      { buffer: 'AMX', type: 'q4_0', how: 'ended its process (SIGILL)' },
      { buffer: 'OTHER', type: 'q8_0', how: 'ended its process (SIGSEGV)' },
    ]);
  });

  test('one that is wrong is named, with one thread or with two', async () => {
    const addon = addonThat(`if (kernel.buffer === 'CPU_REPACK' && kernel.type === 'q8_0' && kernel.threads === 2) return false;`);
    expect(await checkKernels(addon)).toEqual([{ buffer: 'CPU_REPACK', type: 'q8_0', how: 'multiplies wrongly' }]);
    expect(await checkKernels(addonThat(''))).toEqual([]);
  });

  test('what is found is kept beside the addon, for this file only', async () => {
    const addon = addonThat(`if (kernel.buffer === 'AMX') return false;`);
    expect(readRecord(addon)).toBeUndefined();
    const found = await harmfulKernels(addon);
    expect(found.map(({ buffer, type }) => `${buffer} ${type}`)).toEqual(['AMX q4_0', 'AMX q8_0']);
    expect(readRecord(addon)).toEqual(found);
    // Not tried again.
    writeRecord(addon, []);
    expect(await harmfulKernels(addon)).toEqual([]);
    writeFileSync(addon, `${readFileSync(addon, 'utf8')}\n`);
    expect(readRecord(addon)).toBeUndefined();
    // Nor does it hold for another CPU.
    writeRecord(addon, []);
    const { subject, harmful } = JSON.parse(readFileSync(recordOf(addon), 'utf8'));
    writeFileSync(recordOf(addon), JSON.stringify({ subject: { ...subject, cpu: 'another' }, harmful }));
    expect(readRecord(addon)).toBeUndefined();
    writeFileSync(recordOf(addon), '{');
    expect(readRecord(addon)).toBeUndefined();
  });

  test('where it cannot be found out, nothing is kept and nothing left out', async () => {
    for (const does of ['process.exit(3);', `throw new Error('no');`, `process.kill(process.pid, 'SIGKILL');`]) {
      const addon = addonThat(does);
      expect(await checkKernels(addon)).toBeUndefined();
      expect(await harmfulKernels(addon)).toEqual([]);
      expect(existsSync(recordOf(addon))).toBe(false);
    }
    expect(await checkKernels(path.join(scratch, 'missing.node'))).toBeUndefined();
  });

  test('the real ones are all right', async () => {
    const addon = addonBinary()?.path as string;
    expect(await checkKernels(addon)).toEqual([]);
    // By the build, or by the load at the top of this file.
    expect(readRecord(addon)).toEqual([]);
  });
});

describe('cpuBuffers', () => {
  afterEach(() => delete process.env['NUDGING_CPU_BUFFERS']);

  test('plain: everything is as it is in the file', async () => {
    const plain = await buffersWith({ cpuBuffers: 'plain' });
    expect(Object.keys(plain)).toEqual(['CPU']);
    process.env['NUDGING_CPU_BUFFERS'] = 'Plain';
    expect(await buffersWith({})).toEqual(plain);
    // The option wins.
    expect(await buffersWith({ cpuBuffers: 'all' })).toEqual(everywhere);
  });

  test('names, in upper or lower case, for this load only', async () => {
    const ours = { AMX: 'amx', CPU_REPACK: 'repack', CPU_KLEIDIAI: 'kleidiai', CPU_RISCV64_SPACEMIT: 'spacemit' } as const;
    for (const name of extra) {
      const own = ours[name as keyof typeof ours];
      await using all = await Nudging.load();
      expect(await buffersWith({ cpuBuffers: [own] })).toHaveProperty(name);
      expect(await buffersWith({ cpuBuffers: [own.toUpperCase() as typeof own] })).toHaveProperty(name);
      expect(await buffersWith({ cpuBuffers: Object.values(ours).filter((each) => each !== own) })).not.toHaveProperty(name);
      expect(all.models.base.memory.buffers).toEqual(everywhere);
      process.env['NUDGING_CPU_BUFFERS'] = Object.values(ours)
        .filter((each) => each !== own)
        .join(', ');
      expect(await buffersWith({})).not.toHaveProperty(name);
      delete process.env['NUDGING_CPU_BUFFERS'];
    }
    expect(Object.values(everywhere).reduce((sum, bytes) => sum + bytes)).toBeGreaterThan(1e6);
  });

  test('what is no buffer is refused by name, with those that are known', async () => {
    for (const value of ['fast', ['avx'], ['plain'], 3]) {
      const wrong = Nudging.load({ cpuBuffers: value as LoadOptions['cpuBuffers'] });
      await expect(wrong).rejects.toMatchObject({ code: 'ERR_INVALID_OPTION', option: 'cpuBuffers', value });
      await expect(wrong).rejects.toThrow('"amx", "repack", "kleidiai", "spacemit"');
    }
    process.env['NUDGING_CPU_BUFFERS'] = 'repack,fast';
    const wrong = Nudging.load();
    await expect(wrong).rejects.toMatchObject({ code: 'ERR_INVALID_OPTION', option: 'NUDGING_CPU_BUFFERS', value: 'repack,fast' });
    await expect(wrong).rejects.toThrow('must be all, plain, or some of amx, repack, kleidiai, spacemit with commas between them');
  });
});

describe.runIf(extra.length > 0)('a buffer that was found to do harm', () => {
  const harm = { buffer: extra[0] as string, type: 'f16', how: 'ended its process (SIGILL)' };
  /** Runs a load with an addon of its own, beside which lies what was found. */
  const loadBeside = async (options: string) => {
    const addon = path.join(mkdtempSync(path.join(scratch, 'copy-')), 'nudging.node');
    copyFileSync(addonBinary()?.path as string, addon);
    writeRecord(addon, [harm]);
    const { stdout, stderr } = await script(`
      process.env.NUDGING_BINARY = ${JSON.stringify(addon)};
      const warnings = [];
      process.on('warning', ({ name, code, message }) => warnings.push({ name, code, message }));
      const nudging = await Nudging.load(${options});
      const { text } = await nudging.generate(question, { maxTokens: 4 });
      await new Promise(setImmediate);
      console.log(JSON.stringify({ buffers: nudging.models.base.memory.buffers, text, warnings }));
      await nudging.close();`);
    expect(stderr.replace(/^\(node:\d+\) .*\n(\(Use .*\n)?/, '')).toBe('');
    return JSON.parse(stdout) as { buffers: Record<string, number>; text: string; warnings: (NudgingWarning & { name?: string })[] };
  };
  const message =
    `the kernel for f16 weights in ${harm.buffer} ended its process (SIGILL) when it was checked on this machine: ` +
    `${harm.buffer} is not used, which costs time`;

  test.each([false, true])('is left out with a warning (isolate: %s)', async (isolate) => {
    const told = await loadBeside(`{ isolate: ${isolate}, onWarning: (warning) => warnings.push(warning) }`);
    expect(told.buffers).not.toHaveProperty(harm.buffer);
    expect(told.warnings).toEqual([{ code: 'WARN_KERNEL_DISABLED', message }]);
    expect(told.text).not.toBe('');
  });

  test('warns through the process where nobody listens', async () => {
    const told = await loadBeside('{}');
    expect(told.warnings).toEqual([{ name: 'NudgingWarning', code: 'WARN_KERNEL_DISABLED', message }]);
  });

  test('is nothing to warn of where it is not wanted', async () => {
    expect((await loadBeside(`{ cpuBuffers: 'plain' }`)).warnings).toEqual([]);
  });
});
