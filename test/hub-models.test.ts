import {
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { cachedModels } from '../lib/hub/models.ts';
import { readHubName } from '../lib/hub/name.ts';
import { pullAll } from '../lib/hub/pull.ts';
import { hubSettings } from '../lib/hub/settings.ts';
import { start } from './support/cli.ts';
import { commitId, HubServer, sha256 } from './support/hub-server.ts';

let server: HubServer;
let home: string;

beforeEach(async () => {
  server = await HubServer.start();
  home = mkdtempSync(path.join(os.tmpdir(), 'nudging-hub-'));
});
afterEach(async () => {
  await server.close();
  rmSync(home, { recursive: true, force: true });
});

const command = (...args: string[]) =>
  start(args, { env: { HF_ENDPOINT: server.url, HF_HOME: home, HF_TOKEN: '', HF_HUB_CACHE: '', HF_HUB_OFFLINE: '' } }).ran;
const inHub = (...parts: string[]) => path.join(home, 'hub', ...parts);
const inRepo = (...parts: string[]) => inHub('models--owner--demo', ...parts);
const names = async () => (await cachedModels(inHub())).map(({ name }) => name);

/** Two revisions that share a file, and a split model. */
async function fill() {
  server.repos['owner/demo'] = {
    commits: [
      { id: commitId(1), files: { 'a-Q8_0.gguf': 'shared', 'b-Q4_0.gguf': 'the old one' } },
      { id: commitId(2), files: { 'a-Q8_0.gguf': 'shared', 'b-Q4_0.gguf': 'the new one' } },
    ],
    refs: { 'v1.0': commitId(1) },
  };
  server.add('owner/split', { 'x-00001-of-00002.gguf': 'one', 'x-00002-of-00002.gguf': 'two' });
  const wanted = ['hf:owner/demo:Q8_0@v1.0', 'hf:owner/demo:Q4_0@v1.0', 'hf:owner/demo:Q8_0', 'hf:owner/demo:Q4_0', 'hf:owner/split'];
  // One after the other: the second revision finds the content of the first.
  const settings = await hubSettings({ HF_ENDPOINT: server.url, HF_HOME: home });
  for (const name of wanted) await pullAll([readHubName(name, 'name')], settings, {});
}

describe('nudging models', () => {
  test('lists what is there whole, by the names that load takes', async () => {
    await fill();
    // Another program's: a file that is no link, one that leads nowhere, a commit that no branch is, and no model.
    const theirs = inHub('models--other--repo', 'snapshots', commitId(5));
    mkdirSync(theirs, { recursive: true });
    writeFileSync(path.join(theirs, 'c.gguf'), 'theirs');
    writeFileSync(path.join(theirs, 'config.json'), '{}');
    writeFileSync(path.join(theirs, 'mmproj-c.gguf'), '');
    writeFileSync(path.join(theirs, 'd-00001-of-00002.gguf'), 'half');
    symlinkSync('../../blobs/gone', path.join(theirs, 'gone.gguf'));
    mkdirSync(inHub('datasets--other--set'));

    const { stdout, stderr, code } = await command('models', '--json');
    expect({ stderr, code }).toEqual({ stderr: '', code: 0 });
    const listed = JSON.parse(stdout);
    expect(listed.map(({ name, commit, revisions, bytes }: any) => [name, commit, revisions, bytes])).toEqual([
      [`hf:other/repo/c.gguf@${commitId(5)}`, commitId(5), [], 6],
      ['hf:owner/demo/a-Q8_0.gguf@v1.0', commitId(1), ['v1.0'], 6],
      ['hf:owner/demo/b-Q4_0.gguf@v1.0', commitId(1), ['v1.0'], 11],
      ['hf:owner/demo/a-Q8_0.gguf', commitId(2), ['main'], 6],
      ['hf:owner/demo/b-Q4_0.gguf', commitId(2), ['main'], 11],
      ['hf:owner/split/x-00001-of-00002.gguf', commitId(1), ['main'], 6],
    ]);
    expect(Date.now() - Date.parse(listed[0].lastUsed)).toBeLessThan(600_000);
    expect(listed.at(-1).paths.map((file: string) => readFileSync(file, 'utf8'))).toEqual(['one', 'two']);

    const table = (await command('models')).stdout.split('\n');
    expect(table[0]).toMatch(/^name +commit +size +last used$/);
    expect(table.find((line) => line.startsWith('hf:owner/demo/b-Q4_0.gguf '))).toMatch(/ 00000000 +11 bytes +\d{4}-\d\d-\d\d$/);
  });

  test('says where it looked if there is nothing', async () => {
    expect(await command('models')).toEqual({
      stdout: '',
      stderr: `no models in ${inHub()}: nudging pull NAME brings one there\n`,
      code: 0,
    });
    expect(await command('models', '--json')).toMatchObject({ stdout: '[]\n', stderr: '' });
  });
});

describe('interrupted downloads', () => {
  /** As an interrupted download leaves it. */
  const half = (repo: string, content: string) => {
    const folder = inHub(`models--${repo.replace('/', '--')}`, 'blobs');
    mkdirSync(folder, { recursive: true });
    writeFileSync(path.join(folder, `${sha256(content)}.nudging.incomplete`), content);
    writeFileSync(path.join(folder, `${sha256(content)}.nudging.incomplete.etag`), '"x"');
  };

  test('are listed, and removed with all of a repository, whether or not it has a whole model', async () => {
    await fill();
    half('owner/demo', 'four');
    half('owner/large', '1234567');
    half('owner/large', '1234');
    const { stdout, stderr, code } = await command('models');
    expect(code).toBe(0);
    expect(stdout).not.toContain('large');
    expect(stderr.split('\n')).toEqual([
      'hf:owner/demo: 1 interrupted download, 4 bytes so far: nudging pull goes on, nudging models rm hf:owner/demo removes',
      'hf:owner/large: 2 interrupted downloads, 11 bytes so far: nudging pull goes on, nudging models rm hf:owner/large removes',
      '',
    ]);
    expect(await command('models', 'rm', 'hf:owner/large:Q4_0', '--yes')).toMatchObject({ code: 2 });
    expect((await command('models', 'rm', 'hf:owner/demo:Q4_0', '--yes')).stderr).toMatch(/^2 models removed, /);
    expect(readdirSync(inRepo('blobs'))).toContain(`${sha256('four')}.nudging.incomplete`);
    expect((await command('models', 'rm', 'hf:owner/large', '--yes')).stderr).toBe(
      '2 interrupted downloads removed, 11 bytes became free\n',
    );
    expect(readdirSync(inHub()).sort()).toEqual(['.locks', 'models--owner--demo', 'models--owner--split']);
    expect((await command('models', 'rm', 'hf:owner/demo', '--yes')).stderr).toBe(
      '2 models and 1 interrupted download removed, 10 bytes became free\n',
    );
    expect(await names()).toEqual(['hf:owner/split/x-00001-of-00002.gguf']);
  });
});

describe('nudging models rm', () => {
  test('removes a revision, and leaves what another one shares', async () => {
    await fill();
    expect(await command('models', 'rm', 'hf:owner/demo@v1.0', '--yes')).toMatchObject({
      code: 0,
      stderr: '2 models removed, 11 bytes became free\n',
    });
    expect(await names()).toEqual(['hf:owner/demo/a-Q8_0.gguf', 'hf:owner/demo/b-Q4_0.gguf', 'hf:owner/split/x-00001-of-00002.gguf']);
    expect(readdirSync(inRepo('blobs')).sort()).toEqual([sha256('shared'), sha256('the new one')].sort());
    expect(readdirSync(inRepo('refs'))).toEqual(['main']);
    expect(readdirSync(inRepo('snapshots'))).toEqual([commitId(2)]);
  });

  test('removes a quantisation or a file, in all revisions', async () => {
    await fill();
    await command('models', 'rm', 'hf:owner/demo:q4_0', 'hf:owner/split/x-00002-of-00002.gguf', '--yes');
    expect(await names()).toEqual(['hf:owner/demo/a-Q8_0.gguf@v1.0', 'hf:owner/demo/a-Q8_0.gguf']);
    expect(readdirSync(inRepo('blobs'))).toEqual([sha256('shared')]);
    // Of a repository without files nothing is left.
    expect(readdirSync(inHub()).sort()).toEqual(['.locks', 'models--owner--demo']);
    await command('models', 'rm', 'hf:owner/demo/a-Q8_0.gguf', '--yes', '--json');
    expect(readdirSync(inHub())).toEqual(['.locks']);
  });

  test('leaves what is no model, what other programs left, and takes half a download with the rest', async () => {
    await fill();
    const config = inRepo('snapshots', commitId(2), 'config.json');
    writeFileSync(config, '{}');
    writeFileSync(inRepo('blobs', `${sha256('x')}.incomplete`), '');
    writeFileSync(inRepo('blobs', `${sha256('x')}.nudging.incomplete`), '');
    await command('models', 'rm', 'hf:owner/demo', '--yes');
    expect(existsSync(config)).toBe(true);
    unlinkSync(config);
    mkdirSync(inRepo('snapshots', commitId(2)), { recursive: true });
    writeFileSync(inRepo('snapshots', commitId(2), 'a.gguf'), 'x');
    await command('models', 'rm', 'hf:owner/demo', '--yes');
    expect(readdirSync(inRepo('blobs'))).toEqual([`${sha256('x')}.incomplete`]);
  });

  test('knows a content by its second name, too', async () => {
    await fill();
    const file = inRepo('snapshots', commitId(2), 'b-Q4_0.gguf');
    unlinkSync(file);
    linkSync(inRepo('blobs', sha256('the new one')), file);
    await command('models', 'rm', 'hf:owner/demo:Q4_0@main', '--yes');
    expect(readdirSync(inRepo('blobs')).sort()).toEqual([sha256('shared'), sha256('the old one')].sort());
  });

  test('does not remove what is not there, or without being sure', async () => {
    await fill();
    const { stderr, code } = await command('models', 'rm', 'hf:owner/demo/b-Q4_1.gguf', '--yes');
    expect({ stderr, code }).toEqual({
      stderr: 'nudging: the cache has no hf:owner/demo/b-Q4_1.gguf: did you mean hf:owner/demo/b-Q4_0.gguf?\n',
      code: 2,
    });
    expect(await command('models', 'rm', 'hf:owner/demo')).toMatchObject({ code: 2, stderr: expect.stringContaining('add --yes') });
    expect(await command('models', 'rm', '--yes')).toMatchObject({ code: 2, stderr: expect.stringContaining('no model is named') });
    expect(await command('models', 'remove')).toMatchObject({ code: 2, stderr: expect.stringContaining('write rm NAME') });
    expect(await command('models', 'rm', 'hf:../../x', '--yes')).toMatchObject({ code: 2 });
    expect((await names()).length).toBe(5);
  });
});
