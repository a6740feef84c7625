import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Nudging, pull, type DownloadProgress, type LoadOptions, type LoadProgress } from '../lib/index.ts';
import { inRoot } from '../scripts/lib/paths.mjs';
import { HubServer } from './support/hub-server.ts';

const question = 'What is a harbor?';
const names: LoadOptions = { base: 'hf:owner/demo', aligned: 'hf:owner/small:F16', threads: 1, parallel: 1 };
const variables = ['HF_ENDPOINT', 'HF_HOME', 'HF_HUB_CACHE', 'HF_HUB_OFFLINE', 'HF_TOKEN'];
const before = Object.fromEntries(variables.map((name) => [name, process.env[name]]));
let server: HubServer;
let home: string;

const set = (env: Record<string, string | undefined>) => {
  for (const [name, value] of Object.entries(env)) {
    if (value === undefined) delete process.env[name];
    else process.env[name] = value;
  }
};

beforeEach(async () => {
  server = await HubServer.start();
  home = mkdtempSync(path.join(os.tmpdir(), 'nudging-hub-'));
  const model = (name: string) => readFileSync(inRoot(`models/demo/${name}.gguf`));
  server.add('owner/demo', { 'base-F16.gguf': model('base') });
  server.add('owner/small', { 'aligned-F16.gguf': model('aligned'), 'cross-F16.gguf': model('aligned-cross') });
  set({ ...Object.fromEntries(variables.map((name) => [name, undefined])), HF_ENDPOINT: server.url, HF_HOME: home });
});
afterEach(async () => {
  set(before);
  await server.close();
  rmSync(home, { recursive: true, force: true });
});

describe('Nudging.load', () => {
  test('downloads what is named, tells of it by lane, and answers as with the files', async () => {
    const seen: LoadProgress[] = [];
    const otherModels = { judge: 'hf:owner/small/cross-F16.gguf', same: inRoot('models/demo/base.gguf') };
    await using named = await Nudging.load({ ...names, otherModels, onProgress: (progress) => void seen.push(progress) });
    await using files = await Nudging.load({ threads: 1, parallel: 1 });
    expect((await named.generate(question, { maxTokens: 96 })).text).toBe((await files.generate(question, { maxTokens: 96 })).text);
    expect(Object.values(named.models).map((model) => path.basename(model.path))).toEqual([
      'base-F16.gguf',
      'aligned-F16.gguf',
      'cross-F16.gguf',
      'base.gguf',
    ]);

    const downloads = seen.filter((progress) => progress.kind === 'download');
    for (const [lane, name, file, bytes] of [
      ['base', names.base, 'base-F16.gguf', 8_660_544],
      ['aligned', names.aligned, 'aligned-F16.gguf', 2_387_776],
      ['judge', otherModels.judge, 'cross-F16.gguf', 2_087_392],
    ] as const) {
      const own = downloads.filter((progress) => progress.lane === lane);
      expect(own.at(-1)).toEqual({ kind: 'download', lane, name, file, bytes, received: bytes, fraction: 1, state: 'done' });
      const fractions = own.map(({ fraction }) => fraction);
      expect(fractions).toEqual([...fractions].sort((a, b) => a - b));
    }
    // All is there before any weights are read, and each model is read once.
    const kinds = seen.map(({ kind }) => kind);
    expect(kinds.indexOf('load')).toBe(kinds.lastIndexOf('download') + 1);
    expect(seen.filter((progress) => progress.kind === 'load' && progress.fraction === 1).map(({ lane }) => lane)).toContain('judge');
  });

  test('asks for nothing that is there, in this process or another one of its own', async () => {
    await pull('hf:owner/demo');
    await pull('hf:owner/small:F16');
    const asked = server.asked.length;
    await (await Nudging.load({ ...names, onProgress: ({ kind }) => expect(kind).toBe('load') })).close();
    set({ HF_HUB_OFFLINE: '1', HF_ENDPOINT: 'http://127.0.0.1:1' });
    await using isolated = await Nudging.load({ ...names, isolate: true });
    expect((await isolated.generate(question)).text).not.toBe('');
    expect(server.asked.length).toBe(asked);
  });

  test('looks at the environment only for names', async () => {
    set({ HF_ENDPOINT: 'nonsense' });
    await (await Nudging.load()).close();
    await expect(Nudging.load(names)).rejects.toMatchObject({ code: 'ERR_INVALID_OPTION', option: 'HF_ENDPOINT' });
  });

  test('rejects with what a callback throws, and with the signal’s reason, and loads nothing', async () => {
    const mine = new Error('mine');
    const onProgress = () => {
      throw mine;
    };
    await expect(Nudging.load({ ...names, onProgress })).rejects.toBe(mine);
    // A signal of another realm has no reason.
    const listeners = new Set<() => void>();
    const signal = {
      aborted: false,
      addEventListener: (_: 'abort', listener: () => void) => void listeners.add(listener),
      removeEventListener: (_: 'abort', listener: () => void) => void listeners.delete(listener),
    };
    const stops = () => {
      signal.aborted = true;
      for (const listener of listeners) listener();
    };
    await expect(Nudging.load({ ...names, signal, onProgress: stops })).rejects.toMatchObject({ name: 'AbortError' });
    expect(listeners.size).toBe(0);
  });

  test('says which option has a wrong name', async () => {
    await expect(Nudging.load({ ...names, aligned: 'hf:small' })).rejects.toMatchObject({ option: 'aligned', value: 'hf:small' });
    await expect(Nudging.load({ ...names, otherModels: { judge: 'hf:' } })).rejects.toMatchObject({ option: 'otherModels' });
  });
});

describe('pull', () => {
  test('says where the files are', async () => {
    const seen: DownloadProgress[] = [];
    const pulled = await pull('hf:owner/small:F16', { onProgress: (progress) => void seen.push(progress) });
    expect(readFileSync(pulled.path).length).toBe(2_387_776);
    expect(pulled).toMatchObject({ paths: [pulled.path], bytes: 2_387_776, downloaded: 2_387_776 });
    expect(seen.map(({ state }) => state)).toContain('receiving');
    // The first is told, the last, and of those between only some.
    expect(seen.length).toBeLessThan(60);
    expect(await pull('hf:owner/small:F16', { update: false })).toEqual({ ...pulled, downloaded: 0 });
  });

  test('takes no other options, and only names', async () => {
    await expect(pull('hf:owner/small', { update: 'yes' as never })).rejects.toMatchObject({ option: 'update' });
    await expect(pull('hf:owner/small', { progress: 1 } as never)).rejects.toMatchObject({ option: 'progress' });
    await expect(pull('owner/small')).rejects.toMatchObject({ code: 'ERR_INVALID_OPTION', option: 'name' });
    await expect(pull(5 as never)).rejects.toMatchObject({ option: 'name', value: 5 });
  });
});
