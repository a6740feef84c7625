import os from 'node:os';
import path from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { chosen, noneChosen } from '../lib/hub/choose.ts';
import { isHubFile, isRevision, readHubName } from '../lib/hub/name.ts';
import { hubCache, hubSettings } from '../lib/hub/settings.ts';

describe('a name', () => {
  test.each([
    ['hf:owner/repo', { repo: 'owner/repo', revision: 'main' }],
    ['hf:owner/repo:Q4_K_M', { repo: 'owner/repo', quant: 'Q4_K_M', revision: 'main' }],
    ['hf:o_w/R.e-p_o/file.gguf', { repo: 'o_w/R.e-p_o', file: 'file.gguf', revision: 'main' }],
    ['hf:owner/repo/a/b c (1).gguf@refs/pr/1', { repo: 'owner/repo', file: 'a/b c (1).gguf', revision: 'refs/pr/1' }],
    ['hf:owner/repo:UD-Q4_K_XL@v1.0', { repo: 'owner/repo', quant: 'UD-Q4_K_XL', revision: 'v1.0' }],
    [`hf:owner/repo@${'a'.repeat(40)}`, { repo: 'owner/repo', revision: 'a'.repeat(40) }],
  ])('%s is read', (text, parts) => {
    expect(readHubName(text, 'base')).toEqual({ text, ...parts });
  });

  test.each([
    'hf:',
    'hf:repo',
    'hf:owner/',
    'hf:/repo',
    'hf:owner/repo/',
    'hf:owner/repo/file.bin',
    'hf:owner/../repo.gguf',
    'hf:owner/repo/../../x.gguf',
    'hf:owner/repo/.hidden.gguf',
    'hf:owner/repo//x.gguf',
    'hf:owner/repo/a\\b.gguf',
    'hf:owner/repo/x.gguf:Q4_0',
    'hf:owner/repo:',
    'hf:owner/repo:Q4;rm',
    'hf:owner/repo:../x',
    'hf:owner/repo@',
    'hf:owner/repo@../main',
    'hf:owner/repo@a/../b',
    'hf:owner/repo@-x',
    'hf:owner/repo@a@b',
    'hf:owner/re--po',
    'hf:-owner/repo',
    'hf:owner/repo.',
    'hf:owner/repo?x',
    'hf:owner/repo%2f',
    'hf:ow ner/repo',
    'hf://owner/repo',
    `hf:owner/${'x'.repeat(97)}`,
    'HF:owner/repo',
  ])('%s is refused', (text) => {
    expect(() => readHubName(text, 'aligned')).toThrow(
      expect.objectContaining({ code: 'ERR_INVALID_OPTION', option: 'aligned', message: expect.stringContaining('hf:owner/repo:QUANT') }),
    );
  });

  test('of a file or a revision never leads out of its folder', () => {
    const pieces = fc.array(fc.constantFrom('a', '.', '..', '/', '\\', ' ', ':', '%', '\0', '\n', '~', '@', '.gguf', 'CON'), {
      maxLength: 8,
    });
    fc.assert(
      fc.property(pieces, (parts) => {
        const text = parts.join('');
        if (!isHubFile(text) && !isRevision(text)) return;
        for (const { join, relative, isAbsolute } of [path.posix, path.win32]) {
          const inside = relative(join('/', 'x'), join('/', 'x', text));
          expect(inside === '' || inside.startsWith('..') || isAbsolute(inside)).toBe(false);
        }
        // Nor does it mean something to a URL or a shell.
        expect(text).not.toMatch(/[\\:%@?#\0\n$`;|&<>*"']/);
      }),
      { numRuns: 2000 },
    );
  });
});

describe('the file that a name means', () => {
  const files = (...paths: string[]) => paths.map((each) => ({ path: each }));
  const means = (text: string, ...paths: string[]) => chosen(files(...paths), readHubName(text, 'name'))?.map((file) => file.path);

  test('is Q4_K_M, else Q8_0, else the first model, as llama.cpp has it', () => {
    const all = ['README.md', 'a-Q2_K.gguf', 'a-Q8_0.gguf', 'a-q4_k_m.gguf'];
    expect(means('hf:o/r', ...all)).toEqual(['a-q4_k_m.gguf']);
    expect(means('hf:o/r', ...all.slice(0, 3))).toEqual(['a-Q8_0.gguf']);
    expect(means('hf:o/r', ...all.slice(0, 2))).toEqual(['a-Q2_K.gguf']);
    expect(means('hf:o/r', 'README.md')).toBeUndefined();
  });

  test('has the quantisation in its path, in any case, with an end', () => {
    const all = ['a-Q4_K.gguf', 'a-Q4_K_S.gguf', 'Q5_K_M-folder/a.gguf', 'a.IQ4_XS.gguf'];
    expect(means('hf:o/r:q4_k_s', ...all)).toEqual(['a-Q4_K_S.gguf']);
    expect(means('hf:o/r:Q4_K', ...all)).toEqual(['a-Q4_K.gguf']);
    expect(means('hf:o/r:Q5_K_M', ...all)).toEqual(['Q5_K_M-folder/a.gguf']);
    expect(means('hf:o/r:Q4', ...all)).toBeUndefined();
    expect(means('hf:o/r:Q8_0', ...all)).toBeUndefined();
  });

  test('is no file that only lies beside models, unless it is named', () => {
    const beside = ['mmproj-a-Q4_K_M.gguf', 'a-imatrix-Q4_K_M.gguf', 'mtp-a-Q4_K_M.gguf', 'eagle3-a-Q4_K_M.gguf'];
    expect(means('hf:o/r', ...beside, 'a-Q2_K.gguf')).toEqual(['a-Q2_K.gguf']);
    expect(means('hf:o/r/mmproj-a-Q4_K_M.gguf', ...beside)).toEqual(['mmproj-a-Q4_K_M.gguf']);
  });

  test('may be many: all parts, in order, whichever is named', () => {
    const parts = [3, 1, 2].map((index) => `q/a-Q4_K_M-0000${index}-of-00003.gguf`);
    const sorted = [...parts].sort();
    expect(means('hf:o/r', ...parts, 'q/a-Q4_K_M-00001-of-00002.gguf')).toEqual(sorted);
    expect(means(`hf:o/r/${parts[0]}`, ...parts)).toEqual(sorted);
    // One that is not whole is none.
    expect(means('hf:o/r', ...parts.slice(1))).toBeUndefined();
    expect(noneChosen(files(...parts.slice(1)), readHubName('hf:o/r', 'name')).message).toMatch(/lacks parts of q\/a-Q4_K_M/);
  });

  test('and is not there: what is, and what is near', () => {
    const says = (text: string, ...paths: string[]) => noneChosen(files(...paths), readHubName(text, 'name')).message;
    expect(says('hf:o/r:Q4_K_L', 'a-Q4_K_M.gguf', 'a-Q8_0.gguf')).toBe(
      'o/r has no model Q4_K_L: did you mean Q4_K_M? it has hf:o/r/a-Q4_K_M.gguf, hf:o/r/a-Q8_0.gguf',
    );
    expect(says('hf:o/r/a-Q4_k_m.gguf', 'a-Q4_K_M.gguf')).toContain('did you mean a-Q4_K_M.gguf?');
    expect(says('hf:o/r', 'model.safetensors')).toContain('has no GGUF files');
    expect(says('hf:o/r:X', ...Array.from({ length: 20 }, (_, index) => `a-${index}.gguf`))).toMatch(/and 12 more$/);
  });
});

describe('the environment', () => {
  test.each([
    [{ HF_HUB_CACHE: '/a', HUGGINGFACE_HUB_CACHE: '/b', HF_HOME: '/c', XDG_CACHE_HOME: '/d' }, '/a'],
    [{ HUGGINGFACE_HUB_CACHE: '/b', HF_HOME: '/c', XDG_CACHE_HOME: '/d' }, '/b'],
    [{ HF_HOME: '/c', XDG_CACHE_HOME: '/d' }, '/c/hub'],
    [{ XDG_CACHE_HOME: '/d' }, '/d/huggingface/hub'],
    [{ HF_HUB_CACHE: '' }, path.join(os.homedir(), '.cache/huggingface/hub')],
    [{ HF_HOME: '~/models' }, path.join(os.homedir(), 'models/hub')],
  ])('%j has the cache in %s', (env, folder) => {
    expect(hubCache(env)).toBe(path.resolve(folder));
  });

  test('says the endpoint, if it is one', async () => {
    expect((await hubSettings({})).endpoint.href).toBe('https://huggingface.co/');
    expect((await hubSettings({ HF_ENDPOINT: 'https://mirror.example/hf' })).endpoint.href).toBe('https://mirror.example/hf/');
    for (const wrong of ['mirror', 'ftp://x', 'file:///etc', 'https://user@x', 'https://x/?y']) {
      await expect(hubSettings({ HF_ENDPOINT: wrong })).rejects.toMatchObject({ code: 'ERR_INVALID_OPTION', option: 'HF_ENDPOINT' });
    }
  });

  test('says whether to ask', async () => {
    for (const [value, offline] of [
      ['1', true],
      ['TRUE', true],
      ['0', false],
      ['', false],
      ['yes', true],
    ] as const) {
      expect((await hubSettings({ HF_HUB_OFFLINE: value })).offline).toBe(offline);
    }
  });
});
