import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Nudging, type Answer, type LoadOptions, type NudgingError } from '../lib/index.ts';
import { environment } from '../lib/isolate/environment.ts';
import { children, gone, newestChild, runs } from './support/children.ts';
import { shows, start } from './support/cli.ts';
import { randomModel } from './support/models.ts';
import { prelude, script } from './support/script.ts';

const inRoot = (name: string) => fileURLToPath(new URL(`../${name}`, import.meta.url));
const question = 'What is a harbor?';
const isolated = (options: LoadOptions = {}) => Nudging.load({ isolate: true, ...options });

/**
 * Where only time matters: runs with the scripted engine of fake-addon.cjs in the engines' processes; "endless" is answered until it is
 * cancelled.
 */
async function withFakeEngine(body: () => Promise<void>): Promise<void> {
  process.env['NUDGING_BINARY'] = inRoot('test/support/fake-addon.cjs');
  try {
    await body();
  } finally {
    delete process.env['NUDGING_BINARY'];
  }
}

const crashed = { name: 'NudgingError', code: 'ERR_ENGINE_CRASHED' };

describe('an isolated engine', () => {
  let here: Nudging;
  let there: Nudging;
  beforeAll(async () => {
    [here, there] = await Promise.all([Nudging.load(), isolated()]);
  });
  afterAll(() => Promise.all([here.close(), there.close()]));

  /** Everything but times. */
  const withoutTimes = ({ stats: { times, base, aligned, ...stats }, spans, ...answer }: Answer) => {
    const counts = [base, aligned].map(({ decodeMs, top1Ms, tokenizeMs, ...rest }) => rest);
    return { ...answer, stats, counts, spans: spans?.map(({ lane, tokens }) => ({ lane, tokens })) };
  };

  test('gives the answers of one in this process, decision by decision', async () => {
    // A fixed number of guesses: what pays depends on the time that decodes take.
    const options = { trace: 'full', speculation: 2 } as const;
    for (const input of [
      question,
      'What is a blur?',
      'Take the last letters of "Edith" and "Liam" and concatenate them.',
      [{ role: 'user', content: '\ud83d lone \u0000 🙂' }] as const,
    ]) {
      const [one, other] = [await here.generate(input, options), await there.generate(input, options)];
      expect(withoutTimes(other)).toEqual(withoutTimes(one));
      expect(one.decisions?.length).toBeGreaterThan(0);
      expect(other.decisions?.[0]?.bytes).toBeInstanceOf(Uint8Array);
    }
    const sampled = { temperature: 1, topP: 0.9, seed: 7, speculation: 2 } as const;
    expect(withoutTimes(await there.generate(question, sampled))).toEqual(withoutTimes(await here.generate(question, sampled)));
    const inspection = { lane: 'base', input: question, text: ' A harbor', tokens: [1, 2] } as const;
    expect(await there.inspect(inspection)).toEqual(await here.inspect(inspection));
    expect([there.models, there.parallel]).toEqual([here.models, here.parallel]);
  });

  test('streams piece by piece', async () => {
    const stream = there.stream(question);
    let text = '';
    for await (const piece of stream) text += piece.text;
    expect(text).toBe((await stream.answer).text);
    expect(text).toContain('a sheltered port');
  });

  test('loses nothing while the event loop is blocked', async () => {
    const stream = there.stream(question);
    await stream.next();
    for (const until = Date.now() + 150; Date.now() < until; );
    const pieces: string[] = [];
    for await (const piece of stream) pieces.push(piece.text);
    const answer = await stream.answer;
    expect(pieces).toEqual(answer.pieces.slice(1).map(({ text }) => text));
    expect(answer.pieces.map(({ text }) => text).join('')).toBe(answer.text);
  });

  test('fails with the same errors, and goes on', async () => {
    const failures: [string, object][] = [
      ['word '.repeat(2000), {}],
      ['x', { alignedPrompt: '{% for %}' }],
      ['', {}],
    ];
    for (const [input, options] of failures) {
      const [one, other] = await Promise.all(
        [here, there].map((engine) => engine.generate(input, options).catch((error: NudgingError) => error)),
      );
      expect(other).toMatchObject({ name: 'NudgingError', code: (one as NudgingError).code, message: (one as NudgingError).message });
    }
    const stack = await there.generate('word '.repeat(2000)).catch((error: Error) => error.stack);
    expect(stack).toContain('isolate.test.ts');
    // What cannot be sent to another process, and what the native engine refuses.
    await expect(there.inspect({ lane: 'base', input: question, tokens: [(() => 1) as never] })).rejects.toThrow();
    await expect(there.inspect({ lane: 'base', input: question, tokens: ['1' as never] })).rejects.toMatchObject({
      code: 'ERR_INTERNAL',
      message: 'tokens must be an array of token ids',
    });
    expect((await there.generate(question)).stopReason).toBe('end');
  });

  test('reports loading, and failures to load, as usual', async () => {
    const lanes = new Set<string>();
    let last = 0;
    const onProgress = ({ lane, fraction }: { lane: string; fraction: number }) => {
      lanes.add(lane);
      last = fraction;
    };
    await (await isolated({ onProgress })).close();
    expect([[...lanes], last]).toEqual([['base', 'aligned'], 1]);
    for (const wrong of [
      { base: '/no/such.gguf', aligned: '/no/such.gguf' },
      { base: inRoot('package.json'), aligned: inRoot('package.json') },
    ]) {
      const [one, other] = await Promise.all(
        [Nudging.load(wrong), isolated(wrong)].map((loading) => loading.catch((error: NudgingError) => error)),
      );
      expect(other).toMatchObject({ code: (one as NudgingError).code, message: (one as NudgingError).message });
      await gone(newestChild().pid);
    }
    await withFakeEngine(() =>
      expect(isolated({ base: 'too-big', aligned: 'any' })).rejects.toMatchObject({
        code: 'ERR_OUT_OF_MEMORY',
        message: 'too big',
        needed: 2,
        available: 1,
      }),
    );
    await expect(Nudging.load({ isolate: 'yes' as never })).rejects.toMatchObject({ code: 'ERR_INVALID_OPTION', option: 'isolate' });
  });

  test('can be one of several', async () => {
    await using third = await isolated({ parallel: 2 });
    const answers = await Promise.all([here, there, third, third].map((engine) => engine.generate(question)));
    expect(new Set(answers.map(({ text }) => text)).size).toBe(1);
  });

  test.skipIf(process.platform === 'win32')('shrugs off what a terminal and a service manager send to all processes of a group', () =>
    withFakeEngine(async () => {
      await using engine = await isolated();
      for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.kill(newestChild().pid, signal);
      expect((await engine.generate('slow')).text).toBe('slow!');
    }),
  );
});

/** A model with random weights whose answer takes a second, so that no test can be too late to interrupt it. */
function slowModel(): LoadOptions {
  const model = randomModel({ vocabulary: 'phi-3', embedding: 256, seed: 2 });
  return { base: model, aligned: model, mode: 'base', maxTokens: 400, threads: 1, parallel: 1 };
}

/** Resolves when one more process has been started. */
async function started(): Promise<void> {
  const known = children.length;
  while (children.length === known) await new Promise((resolve) => setImmediate(resolve));
}

/** Kills a process, and waits until this one has heard of it. */
async function kill(child: ChildProcess): Promise<void> {
  child.kill('SIGKILL');
  await once(child, 'close');
}

describe('aborting and closing', () => {
  test('signals and left loops end a generation', async () => {
    await using engine = await isolated({ ...slowModel(), parallel: 1 });
    const controller = new AbortController();
    const aborted = engine.stream(question, { signal: controller.signal });
    const queued = engine.generate(question, { signal: controller.signal });
    for await (const piece of aborted) if (piece.text !== '') controller.abort();
    expect((await aborted.answer).stopReason).toBe('aborted');
    // It may have begun between the two messages that cancel them.
    expect((await queued).stopReason).toBe('aborted');
    const left = engine.stream(question);
    for await (const piece of left) if (piece.text !== '') break;
    expect((await left.answer).stopReason).toBe('aborted');
    expect(await engine.generate(question, { signal: AbortSignal.abort() })).toMatchObject({ text: '', stopReason: 'aborted' });
  });

  test('a signal ends loading and the process', async () => {
    const reason = new Error('no more');
    const controller = new AbortController();
    const loading = isolated({ signal: controller.signal, onProgress: () => controller.abort(reason) });
    await expect(loading).rejects.toBe(reason);
    expect(runs(newestChild().pid)).toBe(false);
    // Also before the process has begun.
    const early = new AbortController();
    const never = isolated({ signal: early.signal });
    await started();
    early.abort(reason);
    await expect(never).rejects.toBe(reason);
    await gone(newestChild().pid);
  });

  test('close waits for what runs and what is queued, and for the process', async () => {
    const engine = await isolated();
    const { pid } = newestChild();
    const answers = [engine.generate(question), engine.generate(question)];
    const closed = engine.close();
    expect(engine.close()).toBe(closed);
    await closed;
    expect(runs(pid)).toBe(false);
    expect((await Promise.all(answers)).map(({ stopReason }) => stopReason)).toEqual(['end', 'end']);
    await expect(engine.generate(question)).rejects.toMatchObject({ code: 'ERR_CLOSED' });
  });
});

describe('a crash', () => {
  test.each(['SIGKILL', 'SIGABRT'] as const)('by %s rejects what runs and what is queued; the next request is answered', async (signal) => {
    await using engine = await isolated(slowModel());
    const expected = await engine.generate(question, { maxTokens: 5 });
    const first = newestChild().pid;
    const [running, queued] = [engine.stream(question), engine.generate(question)];
    await running.next();
    process.kill(first, signal);
    const failure = await running.answer.catch((error: NudgingError) => error);
    expect(failure).toMatchObject({ ...crashed, message: expect.stringContaining(signal) });
    expect((failure as Error).stack).toContain('isolate.test.ts');
    await expect(queued).rejects.toMatchObject(crashed);

    // Two at once: both wait for one new process.
    const [again, also] = await Promise.all([engine.generate(question, { maxTokens: 5 }), engine.generate(question, { maxTokens: 5 })]);
    expect([again.text, also.text]).toEqual([expected.text, expected.text]);
    expect(newestChild().pid).not.toBe(first);
  });

  test('of a GPU is told apart, and takes a process that it did not end: nothing more can be done there', () =>
    withFakeEngine(async () => {
      await using engine = await isolated();
      const failed = { code: 'ERR_DEVICE_FAILED', message: expect.stringContaining('an illegal instruction was encountered') };
      for (const word of ['gpu', 'cuda']) {
        const { pid } = newestChild();
        const beside = engine.generate('endless');
        const later = expect(beside).rejects.toMatchObject(failed);
        await expect(engine.generate(word)).rejects.toMatchObject(failed);
        await later;
        await gone(pid);
        expect((await engine.generate('fine')).text).toBe('fine!');
      }
    }));

  test('of an engine that does nothing shows nowhere', async () => {
    await using engine = await isolated();
    await kill(newestChild());
    expect((await engine.generate(question)).text).toContain('a sheltered port');
  });

  test('leaves the other engines alone', () =>
    withFakeEngine(async () => {
      await using one = await isolated();
      const child = newestChild();
      await using other = await isolated();
      const answer = other.generate('slow');
      await kill(child);
      expect((await answer).text).toBe('slow!');
      expect((await one.generate('fine')).text).toBe('fine!');
    }));

  test('while the engine closes ends the closing', () =>
    withFakeEngine(async () => {
      const engine = await isolated();
      const stream = engine.stream('endless');
      await stream.next();
      const closed = engine.close();
      newestChild().kill('SIGKILL');
      await expect(stream.answer).rejects.toMatchObject(crashed);
      await closed;
      const idle = await isolated();
      await kill(newestChild());
      await idle.close();
    }));

  test('while loading rejects the load', async () => {
    const loading = isolated();
    await started();
    newestChild().kill('SIGKILL');
    await expect(loading).rejects.toMatchObject({ ...crashed, message: expect.stringMatching(/SIGKILL.*memory/) });
  });

  test('that comes back is tried once for each request, and never without one', async () => {
    const folder = mkdtempSync(path.join(os.tmpdir(), 'nudging-isolate-'));
    try {
      for (const name of ['base.gguf', 'aligned.gguf']) copyFileSync(inRoot(`models/demo/${name}`), path.join(folder, name));
      await using engine = await isolated({ base: path.join(folder, 'base.gguf'), aligned: path.join(folder, 'aligned.gguf') });
      const before = children.length;
      await kill(newestChild());
      for (let i = 0; i < 2; i += 1) {
        const answer = engine.generate(question);
        const later = expect(answer).rejects.toMatchObject(crashed);
        while (children.length === before + i) await new Promise((resolve) => setImmediate(resolve));
        newestChild().kill('SIGKILL');
        await later;
      }
      // A failure that is none of the process's keeps its own code.
      renameSync(path.join(folder, 'aligned.gguf'), path.join(folder, 'away.gguf'));
      const [one, other] = [engine.generate(question), engine.generate(question)];
      await expect(one).rejects.toMatchObject({ code: 'ERR_MODEL_UNREADABLE' });
      await expect(other).rejects.toMatchObject({ code: 'ERR_MODEL_UNREADABLE' });
      // Asked while the process that could not load is still ending.
      renameSync(path.join(folder, 'away.gguf'), path.join(folder, 'aligned.gguf'));
      expect((await engine.generate(question)).stopReason).toBe('end');
      expect(children.length).toBe(before + 4);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });

  test('is told with the last lines that the process wrote, and no more', () =>
    withFakeEngine(async () => {
      await using engine = await isolated();
      const { message } = (await engine.generate('assert').catch((error: Error) => error)) as Error;
      expect(message).toMatch(
        /SIGABRT.*it last wrote: noise; .*; llama\.cpp:1: GGML_ASSERT\(x < n\) failed\. The next request starts a new one$/,
      );
      expect(message.length).toBeLessThan(400);
      expect((await engine.generate('fine')).text).toBe('fine!');
    }));

  test('cannot be an addon that is not there', async () => {
    process.env['NUDGING_BINARY'] = '/no/such.node';
    try {
      await expect(isolated()).rejects.toMatchObject({ code: 'ERR_NATIVE_LOAD', message: expect.stringContaining('check NUDGING_BINARY') });
    } finally {
      delete process.env['NUDGING_BINARY'];
    }
  });
});

describe('the two processes', () => {
  /** Loads an isolated engine, scripted, as `n`, and says the process of its engine. */
  const loading = `
    import { subscribe } from 'node:diagnostics_channel';
    let child, pid;
    subscribe('child_process', ({ process }) => process.once('spawn', () => ([child, pid] = [process, process.pid])));
    process.env.NUDGING_BINARY = ${JSON.stringify(inRoot('test/support/fake-addon.cjs'))};
    const n = await Nudging.load({ isolate: true });`;

  test('an idle engine holds nobody, one at work does', async () => {
    const idle = await script(`${loading} console.log((await n.generate('fine')).text, pid);`);
    expect(idle).toMatchObject({ stderr: '', code: 0, stdout: expect.stringMatching(/^fine! \d+\n$/) });
    await gone(Number(idle.stdout.split(' ')[1]));
    expect(await script(`${loading} n.generate('slow').then((answer) => console.log(answer.text));`)).toMatchObject({
      stdout: 'slow!\n',
      code: 0,
    });
    // A request that waits for a reader who has gone away.
    const parked = await script(
      `${loading} const stream = n.stream('endless', { highWaterMark: 4 }); await stream.next(); console.log('left');`,
    );
    expect(parked).toEqual({ stdout: 'left\n', stderr: '', code: 0 });
    // A restart holds the process as well.
    const restarted = await script(`${loading}
      const awake = setInterval(() => {}, 1000);
      child.once('close', () => {
        clearInterval(awake);
        n.generate('slow').then((answer) => console.log(answer.text));
      });
      child.kill('SIGKILL');`);
    expect(restarted).toMatchObject({ stdout: 'slow!\n', stderr: '', code: 0 });
  });

  test('process.exit in the middle of a generation or of loading leaves no orphan', async () => {
    const body = `
      import { subscribe } from 'node:diagnostics_channel';
      let pid;
      subscribe('child_process', ({ process: child }) => child.once('spawn', () => {
        pid = child.pid;
        if (early) { console.log(pid); process.exit(4); }
      }));
      const n = await Nudging.load({ isolate: true, mode: 'base' });
      for await (const piece of n.stream(question)) { console.log(pid); process.exit(3); }`;
    for (const [early, code] of [
      [false, 3],
      [true, 4],
    ]) {
      const exited = await script(`const early = ${early}; ${body}`);
      expect(exited).toMatchObject({ stderr: '', code });
      await gone(Number(exited.stdout));
    }
  });

  test('a parent that is killed takes the engine along', async () => {
    const body = `${prelude}${loading} for await (const piece of n.stream('endless')) console.log(pid);`;
    const parent = spawn(process.execPath, ['--input-type=module', '-e', body], { stdio: ['ignore', 'pipe', 'inherit'] });
    const [said] = (await once(parent.stdout, 'data')) as [Buffer];
    const pid = Number.parseInt(said.toString(), 10);
    expect(runs(pid)).toBe(true);
    parent.kill('SIGKILL');
    await gone(pid);
  });

  test('an engine that is collected takes its process along', async () => {
    const body = `
      import { subscribe } from 'node:diagnostics_channel';
      let ended = 0;
      subscribe('child_process', ({ process }) => process.once('exit', () => (ended += 1)));
      for (let i = 0; i < 3; i += 1) await (await Nudging.load({ isolate: true })).generate(question, { maxTokens: 3 });
      const until = Date.now() + 10000;
      while (ended < 3 && Date.now() < until) { gc(); await new Promise((resolve) => setTimeout(resolve, 20)); }
      console.log(ended);`;
    expect(await script(body, '--expose-gc')).toEqual({ stdout: '3\n', stderr: '', code: 0 });
  });

  test('the options that the parent was started with stay with the parent', async () => {
    const answered = await script(
      'const n = await Nudging.load({ isolate: true }); console.log((await n.generate(question)).stopReason);',
      '--inspect=127.0.0.1:0',
      '--throw-deprecation',
    );
    expect(answered).toMatchObject({ stdout: 'end\n', code: 0 });
    const given = {
      NODE_OPTIONS: '--inspect --require "./a b.cjs" --inspect-brk=9229 --inspect-port 0 --debug-port=1 --max-old-space-size=100',
      OTHER: '1',
    };
    const ours = { GGML_NO_BACKTRACE: '1', NUDGING_CHILD_PROCESS: 'engine' };
    expect(environment(given)).toEqual({ NODE_OPTIONS: '--require "./a b.cjs" --max-old-space-size=100', OTHER: '1', ...ours });
    expect(environment({})).toEqual(ours);
  });

  test('the command line has it as well, and Ctrl-C reaches both', async () => {
    const answered = await start(['--isolate', '--json', question]).ran;
    expect(JSON.parse(answered.stdout)).toMatchObject({ stopReason: 'end', text: expect.stringContaining('a sheltered port') });
    const logged = await start(['--isolate', '--json', question], { env: { NUDGING_LOG: '1' } }).ran;
    expect(logged).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('sheltered'),
      stderr: expect.stringContaining('llama_model_loader'),
    });
    const crash = await start(['--isolate', 'assert'], { fake: true }).ran;
    expect(crash).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/^nudging: the engine's process was ended by SIGABRT [^\n]*GGML_ASSERT[^\n]*\n$/),
    });
    if (process.platform === 'win32') return;
    const { child, ran } = start(['--isolate', 'endless'], { fake: true, group: true });
    await shows(child, ' word');
    process.kill(-(child.pid as number), 'SIGINT');
    expect(await ran).toMatchObject({ code: 130, stderr: expect.stringContaining('interrupted (aborted)') });
  });

  test('an engine may live in a worker, and ends with it', async () => {
    const body = `${prelude}${loading} import { parentPort } from 'node:worker_threads';
      parentPort.postMessage((await n.generate('fine')).text);
      for await (const piece of n.stream('endless')) parentPort.postMessage(pid);`;
    const worker = new Worker(new URL(`data:text/javascript,${encodeURIComponent(body)}`));
    const [text] = (await once(worker, 'message')) as [string];
    expect(text).toBe('fine!');
    const [pid] = (await once(worker, 'message')) as [number];
    expect(runs(pid)).toBe(true);
    await worker.terminate();
    await gone(pid);
  });
});
