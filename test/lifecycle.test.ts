import { Worker } from 'node:worker_threads';
import { describe, expect, test } from 'vitest';
import { Nudging } from '../lib/index.ts';
import { prelude, script } from './support/script.ts';

describe('the process', () => {
  test('ends by itself when an idle engine was not closed', async () => {
    expect(await script('const n = await Nudging.load(); console.log((await n.generate(question)).stopReason);')).toEqual({
      stdout: 'end\n',
      stderr: '',
      code: 0,
    });
  });

  test('parking a stream whose pieces come together with its end lets go of nothing that is still under way', async () => {
    const body = `
      const n = await Nudging.load({ parallel: 8 });
      const streams = Array.from({ length: 6 }, (_, i) => n.stream(question + i, { highWaterMark: 1, maxTokens: 8 }));
      const read = streams.map(async (stream) => { for await (const piece of stream); });
      const options = { mode: 'base', maxTokens: 400, stop: [], temperature: 3, repeatLimit: 0 };
      const others = Array.from({ length: 3 }, (_, seed) => n.generate(question, { ...options, seed }));
      // Nothing is handed over until the short answers have ended.
      const end = Date.now() + 1000;
      while (Date.now() < end);
      await Promise.all(read);
      console.log((await Promise.all(others)).length);`;
    expect(await script(body)).toEqual({ stdout: '3\n', stderr: '', code: 0 });
  });

  test('stays alive while a generation runs', async () => {
    expect(await script('const n = await Nudging.load(); n.generate(question).then((a) => console.log(a.stopReason));')).toMatchObject({
      stdout: 'end\n',
      code: 0,
    });
  });

  test('may exit in the middle of a generation', async () => {
    // A thread that decodes on while static objects are destroyed crashes in one run of ten.
    for (let i = 0; i < 12; i += 1) {
      expect(
        await script('const n = await Nudging.load(); for await (const piece of n.stream(question, { mode: "base" })) process.exit(3);'),
      ).toEqual({ stdout: '', stderr: '', code: 3 });
    }
  });

  test('may exit in the middle of loading', async () => {
    expect(await script('Nudging.load(); process.exit(4);')).toEqual({ stdout: '', stderr: '', code: 4 });
    expect(await script('Nudging.load({ onProgress: () => process.exit(5) }); setTimeout(() => {}, 5000);')).toEqual({
      stdout: '',
      stderr: '',
      code: 5,
    });
  });

  test('survives engines that nobody closed being collected, also with answers under way', async () => {
    const body = `
      for (let i = 0; i < 6; i += 1) {
        let n = await Nudging.load();
        await n.generate(question, { maxTokens: 3 });
        if (i % 2) n.stream(question);
        n = undefined;
        gc();
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
      gc();
      console.log('alive');`;
    expect(await script(body, '--expose-gc')).toEqual({ stdout: 'alive\n', stderr: '', code: 0 });
  });

  test('can hold several engines at once', async () => {
    const body = `
      const engines = await Promise.all([Nudging.load(), Nudging.load(), Nudging.load()]);
      const answers = await Promise.all(engines.map((n) => n.generate(question)));
      await Promise.all(engines.map((n) => n.close()));
      console.log(new Set(answers.map((a) => a.text)).size);`;
    expect(await script(body)).toEqual({ stdout: '1\n', stderr: '', code: 0 });
  });

  test('ends as usual when it dies of an error in the middle of a generation', async () => {
    const result = await script(
      'const n = await Nudging.load(); for await (const piece of n.stream(question, { mode: "base" })) throw new Error("mine");',
    );
    expect(result).toMatchObject({ stdout: '', code: 1, stderr: expect.stringContaining('Error: mine') });
  });

  test.skipIf(process.platform !== 'linux')('gets back the threads of engines that nobody closed, once they are collected', async () => {
    const body = `
      import { readdirSync } from 'node:fs';
      const threads = () => readdirSync('/proc/self/task').length;
      await (await Nudging.load()).close();
      gc();
      const before = threads();
      for (let i = 0; i < 4; i += 1) await (await Nudging.load()).generate(question, { maxTokens: 3 });
      const most = threads();
      const until = Date.now() + 5000;
      do {
        gc();
        await new Promise((resolve) => setTimeout(resolve, 10));
      } while (threads() > before && Date.now() < until);
      console.log(most > before, threads() - before);`;
    expect(await script(body, '--expose-gc')).toEqual({ stdout: 'true 0\n', stderr: '', code: 0 });
  });

  test('a signal ends loading whenever it comes, and nobody gets an engine that is closing', async () => {
    const body = `
      const outcomes = [];
      const loadUntil = (when) => {
        const controller = new AbortController();
        const stop = () => controller.abort(new Error('enough'));
        const loading = Nudging.load({ signal: controller.signal, onProgress: (progress) => when(progress) && stop() });
        return { stop, outcome: loading.then(() => 'loaded', (error) => error.message) };
      };
      const early = loadUntil(() => false);
      // While the manifest is being read.
      early.stop();
      outcomes.push(await early.outcome);
      // In the middle, and when the weights are there and only the contexts are missing, or nothing any more.
      for (let i = 0; i < 5; i += 1) {
        outcomes.push(await loadUntil(({ fraction }) => fraction > 0.2).outcome);
        outcomes.push(await loadUntil(({ lane, fraction }) => lane === 'aligned' && fraction === 1).outcome);
      }
      console.log([...new Set(outcomes)].join(), (await (await Nudging.load()).generate(question)).stopReason);`;
    expect(await script(body)).toEqual({ stdout: 'enough end\n', stderr: '', code: 0 });
  });

  test('a stream is collected with the object whose method has asked for it', async () => {
    const body = `
      const n = await Nudging.load({ parallel: 1 });
      let collected = 0;
      const registry = new FinalizationRegistry(() => (collected += 1));
      class Reader {
        ask(options) {
          this.stream = n.stream(question, options);
        }
      }
      for (let i = 0; i < 20; i += 1) {
        const reader = new Reader();
        reader.ask(i % 2 ? { maxTokens: 2 } : { maxTokens: 90, highWaterMark: 1 });
        if (i % 2) for await (const piece of reader.stream);
        else await reader.stream.next();
        registry.register(reader, 0);
      }
      const until = Date.now() + 5000;
      while (collected < 19 && Date.now() < until) {
        gc();
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
      console.log(collected >= 19);
      await n.close();`;
    expect(await script(body, '--expose-gc')).toEqual({ stdout: 'true\n', stderr: '', code: 0 });
  });

  test('streams that are dropped half read leave nothing behind', async () => {
    const body = `
      const n = await Nudging.load({ parallel: 1 });
      const collected = new Set();
      const registry = new FinalizationRegistry((id) => collected.add(id));
      const settled = async () => {
        gc();
        await new Promise((resolve) => setTimeout(resolve, 5));
        gc();
        return process.memoryUsage().heapUsed;
      };
      async function drop(id) {
        const stream = n.stream(question, { maxTokens: 6, trace: 'full' });
        registry.register(stream, id);
        await stream.next();
      }
      async function dropMany(from, count) {
        for (let id = from; id < from + count; id += 1) await drop(id);
        // The one slot is free again behind them.
        await n.generate(question, { maxTokens: 3 });
        return settled();
      }
      const before = await dropMany(0, 50);
      const after = await dropMany(50, 150);
      const until = Date.now() + 5000;
      while (collected.size < 200 && Date.now() < until) await settled();
      console.log(collected.size, after - before < 500_000 || after - before);`;
    expect(await script(body, '--expose-gc')).toEqual({ stdout: '200 true\n', stderr: '', code: 0 });
  });

  test('prints nothing of its own', async () => {
    const result = await script(
      "await Nudging.load({ base: '/no/such.gguf', aligned: '/no/such.gguf' }).catch((e) => console.log(e.code));",
    );
    expect(result).toEqual({ stdout: 'ERR_MODEL_UNREADABLE\n', stderr: '', code: 0 });
  });

  test('an event loop that is blocked loses nothing', async () => {
    const body = `
      const n = await Nudging.load();
      const stream = n.stream(question);
      await stream.next();
      const until = Date.now() + 300;
      while (Date.now() < until);
      let text = '';
      for await (const piece of stream) text += piece.text;
      console.log((await stream.answer).text.endsWith(text) && text.length > 20);`;
    expect(await script(body)).toMatchObject({ stdout: 'true\n', code: 0 });
  });
});

describe('worker threads', () => {
  const inWorker = (body: string) =>
    new Worker(
      new URL(`data:text/javascript,${encodeURIComponent(`${prelude}import { parentPort } from 'node:worker_threads';\n${body}`)}`),
    );
  const message = (worker: Worker) => new Promise<unknown>((resolve, reject) => worker.once('message', resolve).once('error', reject));

  test('two workers answer at the same time', async () => {
    const body = 'const n = await Nudging.load(); parentPort.postMessage((await n.generate(question)).text); await n.close();';
    const workers = [inWorker(body), inWorker(body)];
    const [a, b] = await Promise.all(workers.map(message));
    expect(a).toContain('sheltered port');
    expect(b).toBe(a);
    await Promise.all(workers.map((worker) => worker.terminate()));
  });

  test('a worker may be terminated in the middle of a decode', async () => {
    const body = `
      const n = await Nudging.load();
      for (;;) for await (const piece of n.stream(question, { mode: 'base' })) parentPort.postMessage(piece.text);`;
    for (let i = 0; i < 3; i += 1) {
      const worker = inWorker(body);
      await message(worker);
      await worker.terminate();
    }
  });

  test('a worker may be terminated while it loads', async () => {
    const bodies = [
      "parentPort.postMessage('loading'); await Nudging.load();",
      "await Nudging.load({ onProgress: () => parentPort.postMessage('progress') }); for (;;) await Nudging.load();",
    ];
    for (const body of bodies) {
      const worker = inWorker(body);
      await message(worker);
      expect(await worker.terminate()).toBe(1);
    }
  });

  test('a worker may exit in the middle of a generation, and engines elsewhere go on', async () => {
    const inMain = await Nudging.load();
    const expected = await inMain.generate('What is a harbor?');
    const worker = inWorker(
      "const n = await Nudging.load(); for await (const piece of n.stream(question, { mode: 'base' })) process.exit(7);",
    );
    const exited = new Promise((resolve, reject) => worker.once('exit', resolve).once('error', reject));
    let code: unknown;
    void exited.then((value) => (code = value));
    do expect((await inMain.generate('What is a harbor?')).text).toBe(expected.text);
    while (code === undefined);
    expect(await exited).toBe(7);
    await inMain.close();
  });

  test('a worker may have several engines, and close them', async () => {
    const body = `const engines = await Promise.all([Nudging.load(), Nudging.load({ parallel: 2 })]);
      const answers = await Promise.all(engines.flatMap((n) => [n.generate(question), n.generate(question)]));
      await Promise.all(engines.map((n) => n.close()));
      parentPort.postMessage([...new Set(answers.map((answer) => answer.text))]);`;
    const worker = inWorker(body);
    expect(await message(worker)).toEqual([expect.stringContaining('sheltered port')]);
  });

  test('a worker may end without closing its engine', async () => {
    const worker = inWorker("const n = await Nudging.load(); parentPort.postMessage('loaded');");
    await message(worker);
    expect(await new Promise((resolve) => worker.once('exit', resolve))).toBe(0);
  });
});
