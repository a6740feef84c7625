import { Worker } from 'node:worker_threads';
import { describe, expect, test } from 'vitest';
import { prelude, script } from './support/script.ts';

describe('the process', () => {
  test('ends by itself when an idle engine was not closed', async () => {
    expect(await script("const n = await Nudging.load(); console.log((await n.generate(question)).stopReason);")).toEqual({ stdout: 'end\n', stderr: '', code: 0 });
  });

  test('stays alive while a generation runs', async () => {
    expect(await script("const n = await Nudging.load(); n.generate(question).then((a) => console.log(a.stopReason));")).toMatchObject({ stdout: 'end\n', code: 0 });
  });

  test('may exit in the middle of a generation', async () => {
    // A thread that decodes on while static objects are destroyed crashes in one run of ten.
    for (let i = 0; i < 12; i += 1) {
      expect(await script('const n = await Nudging.load(); for await (const piece of n.stream(question, { mode: "base" })) process.exit(3);')).toEqual({ stdout: '', stderr: '', code: 3 });
    }
  });

  test('may exit in the middle of loading', async () => {
    expect(await script('Nudging.load(); process.exit(4);')).toEqual({ stdout: '', stderr: '', code: 4 });
    expect(await script('Nudging.load({ onProgress: () => process.exit(5) }); setTimeout(() => {}, 5000);')).toEqual({ stdout: '', stderr: '', code: 5 });
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

  test('prints nothing of its own', async () => {
    const result = await script("await Nudging.load({ base: '/no/such.gguf', aligned: '/no/such.gguf' }).catch((e) => console.log(e.code));");
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
  const inWorker = (body: string) => new Worker(new URL(`data:text/javascript,${encodeURIComponent(`${prelude}import { parentPort } from 'node:worker_threads';\n${body}`)}`));
  const message = (worker: Worker) => new Promise<unknown>((resolve, reject) => worker.once('message', resolve).once('error', reject));

  test('two workers answer at the same time', async () => {
    const body = "const n = await Nudging.load(); parentPort.postMessage((await n.generate(question)).text); await n.close();";
    const workers = [inWorker(body), inWorker(body)];
    const [a, b] = await Promise.all(workers.map(message));
    expect(a).toContain('sheltered port');
    expect(b).toBe(a);
    await Promise.all(workers.map((worker) => worker.terminate()));
  });

  test('a worker may be terminated in the middle of a decode', async () => {
    const body = "const n = await Nudging.load(); for (;;) for await (const piece of n.stream(question, { mode: 'base' })) parentPort.postMessage(piece.text);";
    for (let i = 0; i < 3; i += 1) {
      const worker = inWorker(body);
      await message(worker);
      await worker.terminate();
    }
  });

  test('a worker may end without closing its engine', async () => {
    const worker = inWorker("const n = await Nudging.load(); parentPort.postMessage('loaded');");
    await message(worker);
    expect(await new Promise((resolve) => worker.once('exit', resolve))).toBe(0);
  });
});
