import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { hostMemory, type System } from '../lib/host-memory.ts';
import { Nudging, NudgingError, type KvCacheType, type LoadOptions } from '../lib/index.ts';
import { kvCacheTypes } from '../lib/options.ts';
import { batchNoise, compare } from './support/compare.ts';
import { inflatedPair, shapes } from './support/inflated.ts';
import { randomModel } from './support/models.ts';
import { spread } from './support/questions.ts';

const question = 'What is a harbor?';
const run = promisify(execFile);
const index = new URL('../dist/index.js', import.meta.url).href;
const demo = (name: string) => fileURLToPath(new URL(`../models/demo/${name}`, import.meta.url));
/** Four-bit weights: on most CPUs llama.cpp copies them into another order. */
const quantised = () =>
  inflatedPair(
    { ...shapes.smallBase, embedding: 768, feedForward: 2304, type: 'q4_0' },
    { ...shapes.smallAligned, embedding: 512, feedForward: 1536, type: 'q4_0' },
  );

/** Lets the engine believe that so many bytes are free. */
function pretend(bytes: number) {
  vi.spyOn(process, 'constrainedMemory').mockReturnValue(2 ** 60);
  vi.spyOn(process, 'availableMemory').mockReturnValue(bytes);
}
afterEach(() => vi.restoreAllMocks());

/** What an engine says of itself is still there once it is closed. */
async function loadedAndClosed(options: LoadOptions = {}): Promise<Nudging> {
  const engine = await Nudging.load(options);
  await engine.close();
  return engine;
}

/** What a module prints as JSON, run in a process of its own: nobody else's models are mapped there. */
async function inProcess(body: string): Promise<any> {
  const prelude = `
    import { readFileSync } from 'node:fs';
    import { Nudging } from ${JSON.stringify(index)};
    // Regions of the address space that are pages of a model file, and all that is not a file's, in bytes.
    const mapped = () => readFileSync('/proc/self/maps', 'utf8').split('\\n').filter((line) => line.endsWith('.gguf')).length;
    const anonymous = () => 1024 * Number(/^Anonymous: +(\\d+)/m.exec(readFileSync('/proc/self/smaps_rollup', 'utf8'))[1]);
    const print = (value) => console.log(JSON.stringify(value));`;
  // Else glibc raises this threshold by itself, and keeps what was freed below it for the next time.
  const env = { ...process.env, MALLOC_MMAP_THRESHOLD_: '65536' };
  const { stdout } = await run(process.execPath, ['--expose-gc', '--input-type=module', '-e', prelude + body], { env, timeout: 60_000 });
  return JSON.parse(stdout);
}

describe.skipIf(process.platform !== 'linux')('weights', () => {
  test('are pages of the file, and a second engine over the same files maps and copies nothing', { timeout: 60_000 }, async () => {
    const result = await inProcess(`
      const options = ${JSON.stringify({ ...quantised(), context: 64, parallel: 1, batch: 16, threads: 1 })};
      const first = await Nudging.load(options);
      await first.generate(${JSON.stringify(question)});
      const before = { mapped: mapped(), anonymous: anonymous() };
      const second = await Nudging.load(options);
      const text = (await second.generate(${JSON.stringify(question)})).text;
      const after = { mapped: mapped(), anonymous: anonymous() };
      await first.close();
      const still = (await second.generate(${JSON.stringify(question)})).text === text;
      await second.close();
      print({ before, after, still, text, left: mapped(), memory: [first.models.base.memory, first.models.aligned.memory] });`);
    const sum = (what: 'weights' | 'mapped') => result.memory[0][what] + result.memory[1][what];
    expect(sum('weights')).toBeGreaterThan(40e6);
    expect(sum('mapped')).toBeGreaterThan(0);
    expect(result.before.mapped).toBeGreaterThan(0);
    expect(result.after.mapped).toBe(result.before.mapped);
    // Caches, buffers, and what Node needs.
    expect(result.after.anonymous - result.before.anonymous).toBeLessThan(20e6);
    expect(result.text).toContain('harbor');
    expect(result).toMatchObject({ still: true, left: 0 });
    // What is not mapped is a copy.
    expect(result.before.anonymous).toBeGreaterThan(sum('weights') - sum('mapped'));
  });

  test('are loaded once by engines that start at the same time, by both lanes of one, and by workers', { timeout: 60_000 }, async () => {
    const inWorker = `
      import { parentPort } from 'node:worker_threads';
      import { Nudging } from ${JSON.stringify(index)};
      const n = await Nudging.load();
      parentPort.postMessage((await n.generate(${JSON.stringify(question)})).text);
      setInterval(() => {}, 1000);`;
    const result = await inProcess(`
      import { Worker } from 'node:worker_threads';
      const one = await Nudging.load({ base: ${JSON.stringify(demo('base.gguf'))}, aligned: ${JSON.stringify(demo('aligned.gguf'))} });
      const single = mapped();
      const progress = [[], [], []];
      const seenBy = (seen) => ({ onProgress: ({ lane, fraction }) => seen.push(lane[0] + fraction) });
      const more = await Promise.all(progress.map((seen) => Nudging.load(seenBy(seen))));
      const four = mapped();
      const worker = new Worker(${JSON.stringify(inWorker)}, { eval: true });
      const text = await new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject));
      const five = mapped();
      await worker.terminate();
      await Promise.all([one, ...more].map((engine) => engine.close()));
      const twins = await Nudging.load({ base: ${JSON.stringify(demo('base.gguf'))}, aligned: ${JSON.stringify(demo('base.gguf'))} });
      const both = mapped();
      await twins.close();
      const last = (seen, lane) => seen.filter((each) => each[0] === lane).at(-1);
      print({ single, four, five, both, text, left: mapped(), last: progress.map((seen) => [last(seen, 'b'), last(seen, 'a')]) });`);
    expect(result.single).toBeGreaterThan(0);
    expect(result).toMatchObject({ four: result.single, five: result.single, left: 0, last: Array(3).fill(['b1', 'a1']) });
    expect(result.both).toBeGreaterThan(0);
    expect(result.both).toBeLessThan(result.single);
    expect(result.text).toContain('sheltered port');
  });

  test('that were being loaded are freed when loading is given up, and so is everything else', { timeout: 60_000 }, async () => {
    const result = await inProcess(`
      const options = ${JSON.stringify({ ...quantised(), context: 64, parallel: 1, batch: 16, threads: 1 })};
      const grown = [];
      let given = 0;
      for (let i = 0; i < 12; i += 1) {
        const controller = new AbortController();
        const onProgress = ({ lane }) => lane === 'aligned' && controller.abort(new Error('enough'));
        const loading = Nudging.load({ ...options, signal: controller.signal, onProgress });
        await loading.then((late) => late.close(), (error) => (given += error.message === 'enough'));
        const gone = Nudging.load({ ...options, kvCache: 'f32', context: 512, aligned: '/no/such.gguf' });
        await gone.catch((error) => (given += error.code === 'ERR_MODEL_UNREADABLE'));
        gc();
        grown.push(anonymous());
      }
      print({ given, left: mapped(), growth: Math.min(...grown.slice(-6)) - grown[1] });`);
    expect(result.given).toBeGreaterThanOrEqual(12);
    expect(result.left).toBe(0);
    // A round's models and contexts take 20 MB. What is lost would be lost in all rounds.
    expect(result.growth).toBeLessThan(15e6);
  });
});

describe('too little memory', () => {
  const failure = async (options: LoadOptions): Promise<NudgingError> => {
    const error: unknown = await Nudging.load(options).then(
      (engine) => engine.close(),
      (reason: unknown) => reason,
    );
    expect(error).toBeInstanceOf(NudgingError);
    return error as NudgingError;
  };

  test('is an error with what is needed, what there is, and what would help', async () => {
    // How much the weights take differs between CPUs: some are given copies in an order of their own.
    const { base, aligned } = (await loadedAndClosed()).models;
    const weights = ((base.memory.weights + aligned.memory.weights) / 1e6).toFixed(1);
    pretend(25e6);
    const error = await failure({ parallel: 3 });
    expect(error).toMatchObject({ code: 'ERR_OUT_OF_MEMORY', available: 25e6 });
    expect(error.needed).toBeGreaterThan(25e6);
    expect(error.needed).toBeLessThan(50e6);
    expect(error.message.replaceAll(/\d\d\.\d/g, 'NN').replaceAll(/"[^"]*\//g, '"')).toBe(
      '"base.gguf" and "aligned.gguf" need NN MB of memory (weights NN MB, contexts of 512 tokens for 3 sequences NN MB), ' +
        'NN MB are free: lower `context`, lower `parallel`, set `kvCache` to "q8_0" or use smaller models',
    );
    expect(error.message).toContain('25.0 MB are free');
    expect(error.message).toContain(`(weights ${weights} MB,`);
    expect(base.memory.weights).toBeGreaterThanOrEqual(base.bytes);
    expect(error.stack).toContain('memory.test.ts');
  });

  test('is found out for numbers that nothing could hold, at once', async () => {
    const base = randomModel({ vocabulary: 'llama-spm', architecture: 'mamba', seed: 3 });
    const start = performance.now();
    pretend(5e8);
    expect(await failure({ parallel: 256, context: 512, batch: 512 })).toMatchObject({ code: 'ERR_OUT_OF_MEMORY' });
    // A recurrent state that would take more than that is not even laid out.
    pretend(1e6);
    expect(await failure({ base, aligned: base, parallel: 256, context: 256 })).toMatchObject({
      code: 'ERR_OUT_OF_MEMORY',
      available: 1e6,
    });
    expect(performance.now() - start).toBeLessThan(5000);
    pretend(1e6);
    expect((await failure({ context: 'auto' })).message).toContain('use smaller models or smaller quantisations');
  });

  test('shortens automatic contexts and makes automatic sequences fewer, but changes no given number', async () => {
    await using plenty = await Nudging.load();
    expect([plenty.parallel, plenty.models.base.context]).toEqual([4, 512]);
    await using wide = await Nudging.load({ parallel: 7, context: 100 });
    expect([wide.parallel, wide.models.base.context]).toEqual([7, 100]);
    await using narrow = await Nudging.load({ batch: 2 });
    expect(narrow.parallel).toBe(2);
    const { base, aligned } = (await loadedAndClosed({ parallel: 1 })).models;
    // Engines above hold copies of weights, if this CPU needs any: another engine adds none.
    const sum = [base, aligned].reduce((total, { memory }) => total + memory.mapped + memory.cache + memory.compute, 0);
    pretend(sum * 1.02);
    await using tight = await Nudging.load();
    expect([tight.parallel, tight.models.base.context]).toEqual([1, 512]);
    await using short = await Nudging.load({ context: { base: 'auto', aligned: 'auto' } });
    expect([short.parallel, short.models.base.context, short.models.aligned.context]).toEqual([1, 256, 256]);
    expect((await short.generate(question)).text).toContain('harbor');
  });
});

describe('KV caches', () => {
  const cacheOf = async (kvCache: LoadOptions['kvCache']) => {
    await using engine = await Nudging.load({ kvCache, parallel: 1, threads: 1 });
    const { text } = await engine.generate(question);
    return { text, types: [engine.models.base.kvCache, engine.models.aligned.kvCache], bytes: engine.models.base.memory.cache };
  };

  test('have the type and the size that was asked for, and the answers stay sane', { timeout: 30_000 }, async () => {
    const bits: Record<KvCacheType, number> = { f16: 16, bf16: 16, f32: 32, q8_0: 8.5, q5_1: 6, q5_0: 5.5, q4_1: 5, q4_0: 4.5 };
    const f16 = await cacheOf(undefined);
    expect(f16.types).toEqual(['f16', 'f16']);
    for (const type of kvCacheTypes) {
      const { text, types, bytes } = await cacheOf(type);
      expect(types).toEqual([type, type]);
      expect(bytes / f16.bytes).toBeCloseTo(bits[type] / 16, 3);
      expect(text).toMatch(/harbor/i);
      if (bits[type] >= 8) expect(text).toBe(f16.text);
    }
    expect((await cacheOf({ aligned: 'q8_0' })).types).toEqual(['f16', 'q8_0']);
  });

  test("of eight bits give the stateless reference's rounds, with speculation and without", { timeout: 60_000 }, async () => {
    const options = { kvCache: 'q8_0', threads: 1 } as const;
    const engines = await Promise.all([512, 8, 4].map((batch) => Nudging.load({ ...options, batch })));
    const questions = spread(6).map((row) => row.question);
    expect(await batchNoise(engines, questions.slice(0, 2))).toEqual({ probability: 0, margin: 0 });
    const results = [];
    for (const [at, asked] of questions.entries()) {
      results.push(
        await compare(engines[0] as Nudging, asked, { gamma: 0.4, lookahead: 16, maxTokens: 60, speculation: at % 2 === 0 ? 3 : true }),
      );
    }
    await Promise.all(engines.map((engine) => engine.close()));
    expect(results.flatMap(({ reasons }) => reasons)).toEqual([]);
    expect(results.reduce((sum, { answer }) => sum + answer.stats.rewinds, 0)).toBeGreaterThan(0);
  });

  test('that the model cannot have are refused with the reason', async () => {
    const base = randomModel({ vocabulary: 'llama-spm', seed: 3 });
    const loading = Nudging.load({ base, aligned: demo('aligned.gguf'), kvCache: 'q8_0' });
    await expect(loading).rejects.toMatchObject({
      code: 'ERR_KV_CACHE_UNSUPPORTED',
      message: expect.stringMatching(/cannot have a KV cache of type q8_0 \(.*block size 32.*16\): set `kvCache` to "f16"/) as string,
    });
    await using mixed = await Nudging.load({
      base,
      aligned: demo('aligned.gguf'),
      kvCache: { base: 'bf16', aligned: 'q4_0' },
      context: 256,
    });
    expect(mixed.models.aligned.kvCache).toBe('q4_0');
    await expect(Nudging.load({ kvCache: 'q3_0' as KvCacheType })).rejects.toMatchObject({
      code: 'ERR_INVALID_OPTION',
      option: 'kvCache',
      value: 'q3_0',
    });
  });
});

test('automatic layers need a GPU to have an effect', async () => {
  await using engine = await Nudging.load({ gpuLayers: { base: 'auto', aligned: -1 }, parallel: 'auto' });
  expect(engine.parallel).toBe(4);
  if (process.env['NUDGING_VARIANT'] === undefined && process.platform !== 'darwin')
    expect([engine.models.base.gpuLayers, engine.models.aligned.gpuLayers]).toEqual([0, 0]);
  await expect(Nudging.load({ gpuLayers: 'some' as 'auto' })).rejects.toMatchObject({ code: 'ERR_INVALID_OPTION', option: 'gpuLayers' });
});

describe('free memory', () => {
  const gb = 1e9;
  const system = (changes: Partial<System>): System => ({
    platform: 'linux',
    total: 64 * gb,
    free: 40 * gb,
    available: 40 * gb,
    allowed: Infinity,
    read: (path) => {
      throw new Error(path);
    },
    ...changes,
  });
  const files = (content: Record<string, string>) => (path: string) => {
    if (content[path] === undefined) throw new Error(path);
    return content[path];
  };

  test('is what Node says where no control group limits it', () => {
    expect(hostMemory(system({}))).toBe(40 * gb);
    expect(hostMemory(system({ platform: 'win32', available: 7 * gb }))).toBe(7 * gb);
    expect(hostMemory(system({ read: files({ '/sys/fs/cgroup/memory.stat': 'inactive_file 5\nactive_file 5\n' }) }))).toBe(40 * gb);
  });

  test('counts file pages that a control group could give back', () => {
    const limited = { allowed: 8 * gb, available: gb };
    const stat = `anon 1\ninactive_file ${4 * gb}\nactive_file ${gb}\n`;
    expect(hostMemory(system(limited))).toBe(gb);
    expect(
      hostMemory(
        system({ ...limited, read: files({ '/proc/self/cgroup': '0::/docker/abc\n', '/sys/fs/cgroup/docker/abc/memory.stat': stat }) }),
      ),
    ).toBe(6 * gb);
    expect(
      hostMemory(system({ ...limited, read: files({ '/proc/self/cgroup': '0::/docker/abc\n', '/sys/fs/cgroup/memory.stat': stat }) })),
    ).toBe(6 * gb);
    expect(hostMemory(system({ ...limited, free: 3 * gb, read: files({ '/sys/fs/cgroup/memory.stat': stat }) }))).toBe(3 * gb);
    const old = `cache 7\ninactive_file 1\ntotal_inactive_file ${2 * gb}\ntotal_active_file ${gb}\n`;
    expect(
      hostMemory(
        system({ ...limited, read: files({ '/proc/self/cgroup': '5:memory:/box\n0::/\n', '/sys/fs/cgroup/memory/box/memory.stat': old }) }),
      ),
    ).toBe(4 * gb);
  });

  test('on a Mac is three quarters of it: Node knows only pages that nothing ever touched', () => {
    expect(hostMemory(system({ platform: 'darwin', available: gb }))).toBe(48 * gb);
  });
});
