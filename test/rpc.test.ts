import { existsSync, readdirSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Nudging, type LoadOptions, type NudgingError } from '../lib/index.ts';
import { RpcServer } from '../lib/rpc/server.ts';
import { gone, newestChild, runs } from './support/children.ts';
import { randomModel } from './support/models.ts';
import { freePort } from './support/rpc-peers.ts';

const question = 'What is a harbor?';

/** A server on this machine, and the process that it is. */
class Serving {
  readonly server: string;
  #running: { server: RpcServer; pid: number } | undefined;

  constructor(port: number) {
    this.server = `127.0.0.1:${port}`;
  }

  async start(): Promise<void> {
    const server = new RpcServer(false);
    this.#running = { server, pid: newestChild().pid };
    await server.serve({ endpoint: this.server, cache: '', threads: 1, devices: ['CPU'] });
  }

  signal(name: NodeJS.Signals): void {
    if (this.#running) process.kill(this.#running.pid, name);
  }

  async kill(): Promise<void> {
    await this.#running?.server.kill();
    this.#running = undefined;
  }
}

/** A model with random weights whose answer takes a second, so that no test can be too late to interrupt it. */
function slowModel(): LoadOptions {
  const model = randomModel({ vocabulary: 'phi-3', embedding: 256, seed: 2 });
  return { base: model, aligned: model, mode: 'base', maxTokens: 400, threads: 1, parallel: 1 };
}

const failureOf = (asked: Promise<unknown>) => asked.catch((error: NudgingError) => error) as Promise<NudgingError>;

describe('an engine whose base is on another machine', { timeout: 60_000 }, () => {
  let serving: Serving;
  beforeAll(async () => {
    serving = new Serving(await freePort());
    await serving.start();
  });
  afterAll(() => serving.kill());

  test('answers as one whose models are here, up to ties', async () => {
    await using here = await Nudging.load({ deterministic: false, threads: 1 });
    await using there = await Nudging.load({ rpcServers: [serving.server], threads: 1 });
    // All layers and the output layer of the base, and nothing of the other one.
    const { base, aligned } = there.models;
    expect(Object.keys(base.devices)).toEqual(['RPC0']);
    expect(base.devices['RPC0']).toBe(base.gpuLayers);
    expect([aligned.devices, aligned.gpuLayers]).toEqual([{}, 0]);
    expect(base.memory.buffers).toHaveProperty([`RPC0[${serving.server}]`]);
    expect([there.deterministic, there.whyNotDeterministic]).toEqual([false, expect.stringContaining('GPU')]);
    for (const asked of [question, 'What is a blur?', 'Take the last letters of "Edith" and "Liam" and concatenate them.']) {
      const [one, other] = [await here.generate(asked), await there.generate(asked)];
      const ties = one.ties + other.ties;
      if (ties === 0) expect([other.text, other.rounds]).toEqual([one.text, one.rounds]);
      expect(other.stats.base.decodes).toBeGreaterThan(0);
    }
  });

  test('may be over two of them', async () => {
    const another = new Serving(await freePort());
    await another.start();
    try {
      await using one = await Nudging.load({ rpcServers: [serving.server], threads: 1 });
      const expected = await one.generate(question);
      await one.close();
      const rpcServers = [serving.server, another.server];
      await using both = await Nudging.load({ rpcServers, tensorSplit: { base: [1, 1] }, threads: 1 });
      const { devices, gpuLayers } = both.models.base;
      expect(Object.keys(devices)).toEqual(['RPC0', 'RPC1']);
      expect((devices['RPC0'] ?? 0) + (devices['RPC1'] ?? 0)).toBe(gpuLayers);
      const answer = await both.generate(question);
      if (answer.ties + expected.ties === 0) expect(answer.text).toBe(expected.text);
      expect(answer.stopReason).toBe('end');
    } finally {
      await another.kill();
    }
  });

  test('puts the other model there, too, if it is told to', async () => {
    await using both = await Nudging.load({ rpcServers: [serving.server], devices: ['rpc0'], gpuLayers: { aligned: 1 }, threads: 1 });
    expect(Object.keys(both.models.aligned.devices)).toEqual(['RPC0']);
    // They take turns there: on threads of their own they would run each other's graphs.
    for (let round = 0; round < 3; round += 1) expect((await both.generate(question)).text).toContain('a sheltered port');
  });

  test('two models there cannot overlap, and one may', async () => {
    const there = { rpcServers: [serving.server], threads: 1, overlap: true };
    expect(await failureOf(Nudging.load({ ...there, devices: ['rpc0'], gpuLayers: { aligned: 1 } }))).toMatchObject({
      code: 'ERR_DEVICE_UNSUITABLE',
      message: expect.stringContaining('take turns'),
    });
    await using one = await Nudging.load(there);
    expect((await one.generate(question)).text).toContain('a sheltered port');
  });

  test('says what there is where another device is asked for', async () => {
    expect(await failureOf(Nudging.load({ rpcServers: [serving.server], devices: { base: ['RPC1'] } }))).toMatchObject({
      code: 'ERR_DEVICE_UNSUITABLE',
      message: expect.stringMatching(/names "RPC1", and the GPUs here are RPC0/),
    });
  });

  test('is the only one that the server serves', async () => {
    await using first = await Nudging.load({ rpcServers: [serving.server], threads: 1 });
    const second = Nudging.load({ rpcServers: [serving.server], rpcTimeout: 300 });
    expect(await failureOf(second)).toMatchObject({
      code: 'ERR_RPC_UNREACHABLE',
      message: expect.stringMatching(new RegExp(`${serving.server} accepted a connection and said nothing for 300 ms: .* one engine`)),
    });
    expect((await first.generate(question, { maxTokens: 5 })).text).not.toBe('');
  });

  test.runIf(process.platform === 'linux')('shrugs off signals in the middle of what it waits for', async () => {
    await using engine = await Nudging.load({ ...slowModel(), rpcServers: [serving.server] });
    const { pid } = newestChild();
    // To each of its threads, over and over: Linux prefers the one that is named, and one of them waits for the server.
    const threads = readdirSync(`/proc/${pid}/task`).map(Number);
    const storm = setInterval(() => {
      for (const thread of threads) if (existsSync(`/proc/${pid}/task/${thread}`)) process.kill(thread, 'SIGINT');
    }, 1);
    try {
      expect((await engine.generate(question, { maxTokens: 40 })).stats.tokens).toBe(40);
    } finally {
      clearInterval(storm);
    }
  });

  test('a server that is killed fails what runs, by name; the next request is answered when it is back', async () => {
    await using engine = await Nudging.load({ ...slowModel(), rpcServers: [serving.server] });
    const expected = await engine.generate(question, { maxTokens: 5 });
    const running = engine.stream(question);
    await running.next();
    await serving.kill();
    const failure = await failureOf(running.answer);
    expect(failure).toMatchObject({
      code: 'ERR_ENGINE_CRASHED',
      message: expect.stringMatching(new RegExp(`has lost the RPC server ${serving.server} and ended: it .*rpcTimeout.*a new one$`)),
      stack: expect.stringContaining('rpc.test.ts'),
    });
    // Asked while it is away, and again and again.
    for (let i = 0; i < 2; i += 1) {
      expect(await failureOf(engine.generate(question))).toMatchObject({
        code: 'ERR_RPC_UNREACHABLE',
        message: expect.stringContaining(`${serving.server} refused the connection`),
      });
    }
    await serving.start();
    expect((await engine.generate(question, { maxTokens: 5 })).text).toBe(expected.text);
  });

  test.skipIf(process.platform === 'win32')('a server that stops answering counts as lost after rpcTimeout', async () => {
    const rpcTimeout = 700;
    await using engine = await Nudging.load({ ...slowModel(), rpcServers: [serving.server], rpcTimeout });
    const { pid } = newestChild();
    const running = engine.stream(question);
    await running.next();
    serving.signal('SIGSTOP');
    try {
      const began = performance.now();
      expect(await failureOf(running.answer)).toMatchObject({
        code: 'ERR_ENGINE_CRASHED',
        message: expect.stringContaining(`the RPC server ${serving.server} and ended: it has been silent for ${rpcTimeout} ms`),
      });
      const waited = performance.now() - began;
      expect(waited).toBeGreaterThan(rpcTimeout * 0.8);
      expect(waited).toBeLessThan(rpcTimeout + 5000);
      await gone(pid);
      expect(await failureOf(engine.generate(question))).toMatchObject({ code: 'ERR_RPC_UNREACHABLE' });
    } finally {
      serving.signal('SIGCONT');
    }
    expect((await engine.generate(question, { maxTokens: 5 })).stopReason).toBe('length');
  });

  test('a server that is lost while nothing runs shows in the next request alone', async () => {
    await using engine = await Nudging.load({ rpcServers: [serving.server], threads: 1 });
    await serving.kill();
    await serving.start();
    // It had the weights: they are loaded again, by another process.
    expect(await failureOf(engine.generate(question, { maxTokens: 5 }))).toMatchObject({ code: 'ERR_ENGINE_CRASHED' });
    expect((await engine.generate(question, { maxTokens: 5 })).stopReason).toBe('length');
  });
});

test('a server ends with whoever started it', async () => {
  const server = new RpcServer(false);
  const child = newestChild();
  await server.serve({ endpoint: `127.0.0.1:${await freePort()}`, cache: '', threads: 1, devices: [] });
  expect(runs(child.pid)).toBe(true);
  child.disconnect();
  await gone(child.pid);
});
