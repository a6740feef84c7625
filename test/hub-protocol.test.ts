import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { readHubName } from '../lib/hub/name.ts';
import { pullAll } from '../lib/hub/pull.ts';
import { hubSettings, type HubSettings } from '../lib/hub/settings.ts';
import type { NudgingError, Pulled, PullOptions } from '../lib/index.ts';
import { commitId, HubServer, sha256 } from './support/hub-server.ts';

let server: HubServer;
let home: string;
let settings: HubSettings;

beforeEach(async () => {
  server = await HubServer.start();
  home = mkdtempSync(path.join(os.tmpdir(), 'nudging-hub-'));
  settings = { ...(await hubSettings({ HF_ENDPOINT: server.url, HF_HOME: home })), retryMs: 1, silenceMs: 5_000 };
  server.add('owner/demo', { 'demo-Q8_0.gguf': 'the content' });
});
afterEach(async () => {
  await server.close();
  rmSync(home, { recursive: true, force: true });
});

const pull = async (name = 'hf:owner/demo', options: PullOptions = {}, over: Partial<HubSettings> = {}) => {
  const [pulled] = await pullAll([readHubName(name, 'name')], { ...settings, ...over }, options);
  return pulled as Pulled;
};
const refusal = (...args: Parameters<typeof pull>) =>
  pull(...args).then(
    () => Promise.reject(new Error('it was pulled')),
    (reason: unknown) => reason as NudgingError,
  );
const contentOf = async (...args: Parameters<typeof pull>) => readFileSync((await pull(...args)).path, 'utf8');

describe('the token', () => {
  test('is said to the hub and to nobody whom it redirects to', async () => {
    await pull('hf:owner/demo', {}, { token: server.token });
    const said = server.asked.map(({ server: at, headers }) => [at, headers.authorization]);
    expect(said).toEqual([
      ['hub', 'Bearer hf_known'],
      ['hub', 'Bearer hf_known'],
      ['hub', 'Bearer hf_known'],
      ['content', undefined],
    ]);
    // The signature of the URL is not lost on the way.
    expect(server.fetched[0]?.path).toContain('?signature=secret');
  });

  test('is the environment’s, or the one in its file', async () => {
    expect((await hubSettings({ HF_TOKEN: 'a', HF_HOME: home })).token).toBe('a');
    expect((await hubSettings({ HF_HOME: home })).token).toBeUndefined();
    writeFileSync(path.join(home, 'token'), 'b\n');
    expect((await hubSettings({ HF_HOME: home })).token).toBe('b');
    writeFileSync(path.join(home, 'other'), 'c');
    expect((await hubSettings({ HF_HOME: home, HF_TOKEN_PATH: path.join(home, 'other') })).token).toBe('c');
  });

  test('that is wrong is named as that', async () => {
    const error = await refusal('hf:owner/demo', {}, { token: 'hf_wrong' });
    expect(error).toMatchObject({ code: 'ERR_HUB_UNAUTHORIZED' });
    expect(error.message).toMatch(/does not know the token: set HF_TOKEN/);
    expect(error.message).not.toContain('hf_wrong');
  });

  test('is never said in the clear to another machine', async () => {
    const asked: unknown[] = [];
    const { fetch } = globalThis;
    globalThis.fetch = (async (_: unknown, options: RequestInit) => {
      asked.push(new Headers(options.headers).get('authorization'));
      throw new Error('not sent');
    }) as typeof fetch;
    try {
      for (const url of ['http://mirror.example/', 'https://mirror.example/', 'http://localhost:1/']) {
        await refusal('hf:owner/demo', {}, { endpoint: new URL(url), token: 'hf_known' });
      }
    } finally {
      globalThis.fetch = fetch;
    }
    expect([...new Set(asked.slice(0, 4))]).toEqual([null]);
    expect([...new Set(asked.slice(4))]).toEqual(['Bearer hf_known']);
  });
});

describe('a repository', () => {
  test('that is gated says where its licence is accepted', async () => {
    server.add('owner/gated', { 'a.gguf': 'x' }, { gated: true });
    const error = await refusal('hf:owner/gated');
    expect(error).toMatchObject({ code: 'ERR_HUB_GATED', value: 'hf:owner/gated' });
    expect(error.message).toContain(`accept its licence at ${server.url}/owner/gated`);
    expect(error.message).toContain('HF_TOKEN');
    expect(await contentOf('hf:owner/gated', {}, { token: server.token })).toBe('x');
  });

  test('that is private is there with a token', async () => {
    server.add('owner/private', { 'a.gguf': 'x' }, { private: true });
    const error = await refusal('hf:owner/private');
    expect(error).toMatchObject({ code: 'ERR_HUB_NOT_FOUND' });
    expect(error.message).toContain(': check owner and name. If it is private, set HF_TOKEN');
    expect(await contentOf('hf:owner/private', {}, { token: server.token })).toBe('x');
  });

  test('that may not be read is refused with the hub’s words', async () => {
    server.hubMischief = [{ status: 403, headers: { 'x-error-message': 'Your token lacks a scope.' } }];
    const error = await refusal('hf:owner/demo', {}, { token: server.token });
    expect(error).toMatchObject({ code: 'ERR_HUB_UNAUTHORIZED' });
    expect(error.message).toContain('Your token lacks a scope.');
  });

  test('that is not there: which one is near', async () => {
    expect((await refusal('hf:owner/demmo')).message).toContain('did you mean hf:owner/demo?');
    expect((await refusal('hf:owner/demmo')).message).toContain('owner/demo? If it is private');
    expect((await refusal('hf:ovner/demo')).message).toContain('did you mean hf:owner/demo?');
    const error = await refusal('hf:somebody/else', {}, { token: server.token });
    expect(error).toMatchObject({ code: 'ERR_HUB_NOT_FOUND' });
    expect(error.message).toMatch(/no repository somebody\/else on .* that the token may read: check owner and name$/);
  });

  test('without the revision, the quantisation or the file', async () => {
    expect(await refusal('hf:owner/demo@v9')).toMatchObject({
      code: 'ERR_HUB_NOT_FOUND',
      message: expect.stringContaining('has no branch, tag or commit "v9"'),
    });
    expect(await refusal('hf:owner/demo:Q4_0')).toMatchObject({ code: 'ERR_HUB_NOT_FOUND' });
    expect((await refusal('hf:owner/demo/demo-Q8_O.gguf')).message).toContain('did you mean demo-Q8_0.gguf?');
  });

  test('with more files than one page has', async () => {
    server.pageSize = 2;
    server.add('owner/many', Object.fromEntries(Array.from({ length: 9 }, (_, index) => [`${index}.gguf`, `content ${index}`])));
    expect(await contentOf('hf:owner/many/8.gguf')).toBe('content 8');
  });

  test('whose list of files does not end', async () => {
    server.pageSize = 0;
    expect(await refusal()).toMatchObject({ code: 'ERR_HUB_UNREACHABLE', message: expect.stringContaining('does not end') });
  });

  test('that has been renamed redirects, and is kept under the name that was asked for', async () => {
    server.add('owner/new', { 'a.gguf': 'x' });
    server.hubMischief = ['/api/models/owner/new/revision/main', `/api/models/owner/new/tree/${commitId(1)}?recursive=true`].flatMap(
      (location) => [{ status: 307, location }, {}],
    );
    server.hubMischief.push({ status: 307, location: `/owner/new/resolve/${commitId(1)}/a.gguf` });
    const { path: file } = await pull('hf:owner/old');
    expect(readFileSync(file, 'utf8')).toBe('x');
    expect(file).toContain('models--owner--old');
  });
});

describe('a file with several parts', () => {
  test('is pulled whole, the parts beside each other', async () => {
    const parts = Object.fromEntries([1, 2, 3, 4, 5].map((part) => [`q/m-Q4_K_M-0000${part}-of-00005.gguf`, `part ${part}`.repeat(part)]));
    server.add('owner/split', parts);
    let running = 0;
    let most = 0;
    server.mischief = () => {
      running += 1;
      most = Math.max(most, running);
      setTimeout(() => (running -= 1), 40);
      return { pauseMs: 40 };
    };
    const { path: first, paths, bytes } = await pull('hf:owner/split');
    expect(paths.map((file) => readFileSync(file, 'utf8'))).toEqual(Object.values(parts));
    expect(first).toBe(paths[0]);
    expect(bytes).toBe(Object.values(parts).join('').length);
    expect(most).toBeGreaterThan(1);
    // One that lacks a part is not good enough for loading.
    rmSync(paths[3] as string);
    expect(await pull('hf:owner/split', { update: false })).toMatchObject({ downloaded: 0 });
    expect(existsSync(paths[3] as string)).toBe(true);
  });
});

describe('redirects', () => {
  const all = (location: string) => {
    server.mischief = () => ({ location });
    return refusal();
  };

  test('lead on, but not for ever', async () => {
    server.mischief = [{ location: `/${sha256('the content')}` }];
    expect(await contentOf()).toBe('the content');
    rmSync(path.join(home, 'hub'), { recursive: true });
    const error = await all(`/${sha256('the content')}`);
    expect(error).toMatchObject({ code: 'ERR_HUB_UNREACHABLE' });
    expect(error.message).toContain('more than 5 times');
  });

  test.each(['file:///etc/passwd', 'ftp://x/', 'data:text/plain,x', 'http://user:password@127.0.0.1/', 'http://['])(
    'do not lead to %s',
    async (location) => {
      const error = await all(location);
      expect(error).toMatchObject({ code: 'ERR_HUB_UNREACHABLE' });
      expect(error.message).toContain('redirects to where nothing may be fetched from');
    },
  );

  test('do not give up TLS', async () => {
    const { fetch } = globalThis;
    const asked: string[] = [];
    globalThis.fetch = (async (url: URL) => {
      asked.push(url.href);
      return new Response(null, { status: 302, headers: { location: 'http://mirror.example/x' } });
    }) as unknown as typeof fetch;
    try {
      await refusal('hf:owner/demo', {}, { endpoint: new URL('https://mirror.example/') });
    } finally {
      globalThis.fetch = fetch;
    }
    expect(asked.filter((url) => url.startsWith('http:'))).toEqual([]);
  });
});

describe('a hub in trouble', () => {
  test.each([500, 502, 503, 504, 408])('is asked again after HTTP %i', async (status) => {
    server.hubMischief = [{ status }, {}, { status }, { status }];
    server.mischief = [{ status }];
    expect(await contentOf()).toBe('the content');
  });

  test('for good is unreachable', async () => {
    server.hubMischief = Array.from({ length: 4 }, () => ({ status: 503 }));
    expect(await refusal()).toMatchObject({ code: 'ERR_HUB_UNREACHABLE', message: expect.stringContaining('HTTP 503') });
    expect(server.asked.length).toBe(4);
    const nobody = await refusal('hf:owner/demo', {}, { endpoint: new URL('http://127.0.0.1:1/') });
    expect(nobody).toMatchObject({ code: 'ERR_HUB_UNREACHABLE' });
    expect(nobody.message).toContain('127.0.0.1:1');
  });

  test('that takes the connection and says nothing is not waited for', async () => {
    server.hubMischief = [{ silentAfter: 0 }];
    expect(await contentOf('hf:owner/demo', {}, { silenceMs: 200 })).toBe('the content');
    server.hubMischief = Array.from({ length: 4 }, () => ({ silentAfter: 0 }));
    expect(await refusal('hf:owner/demo', {}, { silenceMs: 50 })).toMatchObject({
      code: 'ERR_HUB_UNREACHABLE',
      message: expect.stringContaining('no answer'),
    });
  });

  test('that is busy is asked again when it says', async () => {
    server.hubMischief = [{ status: 429, headers: { 'retry-after': '1' } }];
    const began = performance.now();
    expect(await contentOf()).toBe('the content');
    expect(performance.now() - began).toBeGreaterThan(950);
  });

  test('and says so where it stays busy, or asks for too long', async () => {
    server.hubMischief = Array.from({ length: 4 }, () => ({ status: 429 }));
    const error = await refusal();
    expect(error).toMatchObject({ code: 'ERR_HUB_RATE_LIMITED' });
    expect(error.message).toContain('HF_TOKEN');
    server.hubMischief = [{ status: 429, headers: { 'retry-after': '7200' } }];
    expect((await refusal()).message).toContain('try again in 7200 s');
  });

  test('that answers with something else is not believed', async () => {
    server.hubMischief = [{ status: 200, content: Buffer.from('<html>log in to this network</html>') }];
    expect(await contentOf()).toBe('the content');
    for (const wrong of ['{}', '{"sha": "../../x"}', '[]', 'null']) {
      server.hubMischief = [{ status: 200, content: Buffer.from(wrong) }];
      expect(await refusal()).toMatchObject({ code: 'ERR_HUB_UNREACHABLE', message: expect.stringContaining('names no commit') });
    }
    server.hubMischief = [{}, { status: 200, content: Buffer.from('{}') }];
    expect((await refusal()).message).toContain('no list of files');
  });

  test('cannot write where it likes: such files are not there', async () => {
    const file = (over: object) => ({
      type: 'file',
      path: 'a.gguf',
      size: 1,
      oid: commitId(1),
      lfs: { oid: sha256('x'), size: 1 },
      ...over,
    });
    for (const over of [
      { path: '../../a.gguf' },
      { path: '/a.gguf' },
      { path: 'a\\b.gguf' },
      { lfs: { oid: '../x', size: 1 } },
      { lfs: { oid: sha256('x').slice(1), size: 1 } },
      { lfs: { oid: sha256('x'), size: -1 } },
      { lfs: { oid: sha256('x'), size: '1' } },
      { path: 5 },
    ]) {
      server.hubMischief = [{}, { status: 200, content: Buffer.from(JSON.stringify([file(over)])) }];
      expect((await refusal()).message).toContain('has no GGUF files');
    }
  });

  test('whose permission for the content has run out gives another one', async () => {
    server.mischief = [{ status: 403 }];
    expect(await contentOf()).toBe('the content');
  });

  test('that is given up on at a signal says the signal’s reason, at once', async () => {
    const stop = new AbortController();
    server.hubMischief = [{ status: 429, headers: { 'retry-after': '200' } }];
    setTimeout(() => stop.abort(new Error('enough')), 50);
    await expect(pull('hf:owner/demo', { signal: stop.signal })).rejects.toThrow('enough');
    await expect(pull('hf:owner/demo', { signal: AbortSignal.abort('before') })).rejects.toBe('before');
  });

  test('what onProgress throws ends it', async () => {
    const mine = new Error('mine');
    const throws = () => {
      throw mine;
    };
    await expect(pull('hf:owner/demo', { onProgress: throws })).rejects.toBe(mine);
    await expect(pull('hf:owner/demo', { onProgress: async () => throws() })).rejects.toBe(mine);
  });
});

describe('a revision', () => {
  const move = () => server.repos['owner/demo']?.commits.push({ id: commitId(2), files: { 'demo-Q8_0.gguf': 'newer' } });

  test('that moves is followed by pull, and by nothing else', async () => {
    expect(await contentOf()).toBe('the content');
    move();
    expect(await contentOf('hf:owner/demo', { update: false })).toBe('the content');
    const asked = server.asked.length;
    expect(await contentOf()).toBe('newer');
    expect(server.asked.length).toBeGreaterThan(asked);
    expect(await contentOf('hf:owner/demo', { update: false })).toBe('newer');
    // What was there before stays, under its commit.
    expect(await contentOf(`hf:owner/demo@${commitId(1)}`, { update: false })).toBe('the content');
  });

  test('stays what it was where the newer one did not arrive', async () => {
    await pull();
    move();
    server.mischief = () => ({ cutAfter: 0 });
    await refusal();
    expect(await contentOf('hf:owner/demo', {}, { offline: true })).toBe('the content');
  });

  test('may be a tag, a branch with a slash, or a commit, which is not asked for twice', async () => {
    move();
    Object.assign(server.repos['owner/demo'] ?? {}, { refs: { 'v1.0': commitId(1), 'refs/pr/3': commitId(1) } });
    expect(await contentOf('hf:owner/demo@v1.0')).toBe('the content');
    expect(await contentOf('hf:owner/demo@refs/pr/3')).toBe('the content');
    expect(server.asked.some(({ path: url }) => url.includes('/revision/refs%2Fpr%2F3'))).toBe(true);
    const asked = server.asked.length;
    expect(await contentOf(`hf:owner/demo@${commitId(1)}`)).toBe('the content');
    expect(server.asked.length).toBe(asked);
  });

  test('shares what it has in common with others', async () => {
    server.repos['owner/demo']?.commits.push({ id: commitId(2), files: { 'renamed-Q8_0.gguf': 'the content' } });
    await pull(`hf:owner/demo@${commitId(1)}`);
    expect(await contentOf()).toBe('the content');
    expect(server.fetched.length).toBe(1);
  });
});

describe('offline', () => {
  test('what is in the cache is found, and nothing is asked', async () => {
    await pull();
    const asked = server.asked.length;
    expect(await contentOf('hf:owner/demo', {}, { offline: true })).toBe('the content');
    expect(await contentOf('hf:owner/demo:Q8_0', {}, { offline: true })).toBe('the content');
    expect(server.asked.length).toBe(asked);
  });

  test('what is not is an error that says how to mend it', async () => {
    const error = await refusal('hf:owner/demo', {}, { offline: true });
    expect(error).toMatchObject({ code: 'ERR_HUB_OFFLINE', value: 'hf:owner/demo' });
    expect(error.message).toMatch(/HF_HUB_OFFLINE.*nudging pull hf:owner\/demo/);
    expect(server.asked).toEqual([]);
  });

  test('what another program has put there is as good', async () => {
    const folder = path.join(home, 'hub', 'models--other--repo');
    mkdirSync(path.join(folder, 'refs'), { recursive: true });
    mkdirSync(path.join(folder, 'snapshots', commitId(7)), { recursive: true });
    writeFileSync(path.join(folder, 'refs', 'main'), `${commitId(7)}\n`);
    writeFileSync(path.join(folder, 'snapshots', commitId(7), 'x-Q4_K_M.gguf'), 'theirs');
    expect(await contentOf('hf:other/repo', {}, { offline: true })).toBe('theirs');
  });
});

describe('the disk', () => {
  test('must have room, before anything is fetched', async () => {
    const huge = { type: 'file', path: 'a.gguf', size: 1, oid: commitId(1), lfs: { oid: sha256('x'), size: 2 ** 52 } };
    server.hubMischief = [{}, { status: 200, content: Buffer.from(JSON.stringify([huge])) }];
    const error = await refusal();
    expect(error).toMatchObject({ code: 'ERR_HUB_NO_SPACE', needed: 2 ** 52, available: expect.any(Number) });
    expect(error.message).toMatch(/GiB are missing.*HF_HUB_CACHE/);
    expect(server.fetched).toEqual([]);
  });

  test('where nothing can be written is named', async () => {
    const file = path.join(home, 'file');
    writeFileSync(file, '');
    const error = await refusal('hf:owner/demo', {}, { cache: path.join(file, 'hub') });
    expect(error).toMatchObject({ code: 'ERR_HUB_CACHE' });
    expect(error.message).toContain(file);
  });
});

test('several names are pulled together, and the first failure ends the others', async () => {
  server.add('owner/slow', { 'a.gguf': Buffer.alloc(400_000, 1) });
  server.add('owner/other', { 'a.gguf': 'same', 'b.gguf': 'same' });
  const names = ['hf:owner/other/a.gguf', 'hf:owner/other/b.gguf', 'hf:owner/demo'].map((name) => readHubName(name, 'name'));
  const pulled = await pullAll(names, settings, {});
  expect(pulled.map(({ path: file }) => readFileSync(file, 'utf8'))).toEqual(['same', 'same', 'the content']);
  // The same content is fetched once.
  expect(server.fetched.length).toBe(2);

  server.mischief = ({ path: url }) => (url.includes(sha256('wrong')) ? { content: Buffer.from('other') } : { pauseMs: 20 });
  server.add('owner/wrong', { 'a.gguf': 'wrong' });
  const both = ['hf:owner/slow', 'hf:owner/wrong'].map((name) => readHubName(name, 'name'));
  await expect(pullAll(both, settings, {})).rejects.toMatchObject({ code: 'ERR_HUB_DAMAGED' });
  expect(existsSync(path.join(home, 'hub', 'models--owner--slow', 'snapshots'))).toBe(false);
});
