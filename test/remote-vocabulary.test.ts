import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { openBytes } from '../lib/gguf/bytes.ts';
import { readHeader } from '../lib/gguf/header.ts';
import { withoutWeights } from '../lib/gguf/without-weights.ts';
import { Nudging, pull, type RemoteModel } from '../lib/index.ts';
import { inRoot } from '../scripts/lib/paths.mjs';
import { nudging } from './support/cli.ts';
import { ggufBytes } from './support/gguf.ts';
import { HubServer } from './support/hub-server.ts';
import { FakeServer, modelOf } from './support/remote-server.ts';

const demo = { base: inRoot('models/demo/base.gguf'), aligned: inRoot('models/demo/aligned.gguf') };
const question = 'What is a harbor?';
const variables = ['HF_ENDPOINT', 'HF_HOME', 'HF_HUB_CACHE', 'HF_ASSETS_CACHE', 'HF_HUB_OFFLINE', 'HF_TOKEN'];
const inherited = Object.fromEntries(variables.map((name) => [name, process.env[name]]));
vi.setConfig({ testTimeout: 120_000 });

const set = (env: Record<string, string | undefined>) => {
  for (const [name, value] of Object.entries(env)) {
    if (value === undefined) delete process.env[name];
    else process.env[name] = value;
  }
};
const bytesOf = (bytes: Uint8Array) => ({
  size: bytes.length,
  read: (offset: number, length: number) => Promise.resolve(bytes.subarray(offset, offset + length)),
});

describe('a file without its weights', () => {
  test('says of itself what the other one says, in the same order, and has none', async () => {
    const source = await openBytes(demo.base);
    const whole = await readHeader(source);
    const alone = await withoutWeights(source);
    await source.close();
    const { values, tensors, spans } = await readHeader(bytesOf(alone));
    expect(values).toEqual(whole.values);
    expect(spans.map(({ key }) => key)).toEqual(whole.spans.map(({ key }) => key));
    expect(tensors).toEqual([]);
    expect(alone.length % 32).toBe(0);
    expect(alone.length).toBeLessThan(whole.bytes + 32);
  });

  test('is whole where the first file of a split model is not', async () => {
    const split = ggufBytes(
      { 'general.architecture': ['string', 'llama'], 'split.count': ['u32', 3], 'x.long': ['array', 'u32', Array(3000).fill(7)] },
      [{ name: 't', shape: [32] }],
    );
    const alone = await withoutWeights(bytesOf(split));
    expect(alone.length % 32).toBe(0);
    const { values } = await readHeader(bytesOf(alone));
    expect([...values.keys()]).toEqual(['general.architecture', 'x.long']);
    expect(values.get('x.long')).toEqual({ count: 3000 });
  });
});

test('a file without weights ends where they would begin', async () => {
  const pads = async (alignment: number) => {
    const header = ggufBytes({
      'general.alignment': ['u32', alignment],
      'general.name': ['string', 'twenty letters of it'],
      x: ['u32', 1],
    });
    return (await withoutWeights(bytesOf(header))).length;
  };
  expect([await pads(64), await pads(1024), await pads(0), await pads(2 ** 31)]).toEqual([128, 1024, 128, 128]);
});

describe('the tokenizer of a remote model, by its name on the hub', () => {
  let here: Nudging;
  let hub: HubServer;
  let server: FakeServer;
  let home: string;

  beforeAll(async () => {
    here = await Nudging.load(demo);
    server = await FakeServer.start({
      api: 'llama-server',
      model: modelOf(here),
      tokenize: async (text) => (await here.tokenize(text, { lane: 'base' })).map(({ token }) => token),
      vocabulary: here.models.base.vocabulary,
    });
  });
  afterAll(async () => {
    await server.close();
    await here.close();
  });
  beforeEach(async () => {
    hub = await HubServer.start();
    home = mkdtempSync(path.join(os.tmpdir(), 'nudging-vocabulary-'));
    set({ ...Object.fromEntries(variables.map((name) => [name, undefined])), HF_ENDPOINT: hub.url, HF_HOME: home });
    // So large that nobody would want all of it.
    hub.add('owner/far', { 'far-Q8_0.gguf': Buffer.concat([readFileSync(demo.base), Buffer.alloc(24 * 2 ** 20)]) });
  });
  afterEach(async () => {
    set(inherited);
    await hub.close();
    rmSync(home, { recursive: true, force: true });
  });

  const far = (tokenizer: string): RemoteModel => ({ url: server.url, api: 'llama-server', tokenizer });
  const load = (tokenizer: string) => Nudging.load({ base: far(tokenizer), aligned: demo.aligned });

  test('is the header alone, which is fetched once', async () => {
    const first = await load('hf:owner/far:Q8_0');
    expect((await first.generate(question, { maxTokens: 24 })).text).toBe((await here.generate(question, { maxTokens: 24 })).text);
    const file = first.models.base.path;
    await first.close();
    expect(file).toBe(path.join(home, 'assets/nudging/vocabularies/owner--far/main/types/Q8_0.gguf'));
    expect(statSync(file).size).toBeLessThan(2 ** 20);
    expect(existsSync(path.join(home, 'hub'))).toBe(false);
    const content = hub.asked.filter(({ path: asked }) => asked.endsWith('far-Q8_0.gguf'));
    expect(content.map(({ headers }) => headers.range)).toEqual([`bytes=0-${2 ** 20 - 1}`]);

    const asked = hub.asked.length;
    set({ HF_HUB_OFFLINE: '1' });
    await (await load('hf:owner/far:Q8_0')).close();
    expect(hub.asked.length).toBe(asked);
    await expect(load('hf:owner/far/far-Q8_0.gguf')).rejects.toMatchObject({ code: 'ERR_HUB_OFFLINE' });
  });

  test('is the model itself where the cache has it', async () => {
    const { path: whole } = await pull('hf:owner/far');
    await using engine = await load('hf:owner/far');
    expect(engine.models.base.path).toBe(whole);
    expect(existsSync(path.join(home, 'assets'))).toBe(false);
  });

  test('goes where HF_ASSETS_CACHE says, and a folder that cannot be written is an error that names the remedy', async () => {
    const blocked = path.join(home, 'blocked');
    writeFileSync(blocked, 'no folder');
    set({ HF_ASSETS_CACHE: blocked });
    await expect(load('hf:owner/far')).rejects.toMatchObject({
      code: 'ERR_HUB_CACHE',
      message: expect.stringContaining('HF_ASSETS_CACHE'),
    });
    set({ HF_ASSETS_CACHE: path.join(home, 'mine') });
    await using engine = await load('hf:owner/far');
    expect(engine.models.base.path).toMatch(/mine\/nudging\/vocabularies\/owner--far\/main\/types\/any\.gguf$/);
  });

  test('of a file that is none is an error, and nothing stays', async () => {
    hub.add('owner/text', { 'text-F16.gguf': Buffer.from('This is no model, whatever its name says.') });
    await expect(load('hf:owner/text')).rejects.toMatchObject({ code: 'ERR_MODEL_INVALID', value: 'hf:owner/text' });
    expect(existsSync(path.join(home, 'assets'))).toBe(false);
  });

  test('from the command line', async () => {
    const flags = ['--base', server.url, '--base-api', 'llama-server', '--base-tokenizer', 'hf:owner/far', '--aligned', demo.aligned];
    const { code, stdout } = await nudging([...flags, '--max-tokens', '24', question]);
    expect(code).toBe(0);
    expect(stdout.trim()).toBe((await here.generate(question, { maxTokens: 24 })).text.trim());
    expect(existsSync(path.join(home, 'hub'))).toBe(false);
  });
});
