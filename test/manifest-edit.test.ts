import { chmodSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, symlinkSync, writeFileSync, lstatSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { setInManifest, withProperty } from '../lib/manifest-edit.ts';

describe('setting a property leaves the rest of the text alone', () => {
  test.each([
    ['{ "base": "b", "gamma": 0.4, "more": [1,2] }', '{ "base": "b", "gamma": 0.25, "more": [1,2] }'],
    ['{"gamma":4e-1}', '{"gamma":0.25}'],
    ['{\r\n\t"base" : "b",\r\n\t"gamma"  :  null\r\n}\r\n', '{\r\n\t"base" : "b",\r\n\t"gamma"  :  0.25\r\n}\r\n'],
    ['{ "gamma": { "start": 0.4, "rate": 0.1 }, "a": 1 }', '{ "gamma": 0.25, "a": 1 }'],
    // What only looks like it: in a text, and inside another value.
    [
      '{ "note": "\\"gamma\\": 0.4", "in": { "gamma": 0.4 }, "gamma": 0.4 }',
      '{ "note": "\\"gamma\\": 0.4", "in": { "gamma": 0.4 }, "gamma": 0.25 }',
    ],
    // Of two, JSON takes the last.
    ['{ "gamma": 1, "gamma": 2 }', '{ "gamma": 1, "gamma": 0.25 }'],
  ])('%j', (text, wanted) => {
    expect(withProperty(text, 'gamma', 0.25)).toBe(wanted);
  });

  test.each([
    ['{ "base": "b" }', '{ "base": "b", "gamma": 0.25 }'],
    ['{\n  "base": "b",\n  "in": {\n    "gamma": 1\n  }\n}\n', '{\n  "base": "b",\n  "in": {\n    "gamma": 1\n  },\n  "gamma": 0.25\n}\n'],
    ['{\r\n\t"base": "b"\r\n}', '{\r\n\t"base": "b",\r\n\t"gamma": 0.25\r\n}'],
    ['{}', '{ "gamma": 0.25}'],
  ])('adds it at the end as the others stand: %j', (text, wanted) => {
    expect(withProperty(text, 'gamma', 0.25)).toBe(wanted);
  });

  test('an object goes in as a number does', () => {
    expect(withProperty('{ "gamma": 0.4 }', 'gamma', { start: 0.3 })).toBe('{ "gamma": {"start":0.3} }');
  });

  test('what is no JSON is not touched', () => {
    expect(() => withProperty('{ "gamma": ', 'gamma', 1)).toThrow(SyntaxError);
  });
});

describe('in a file', () => {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'nudging-manifest-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  const file = path.join(folder, 'pair.json');

  test('keeps its permissions and links, and leaves nothing beside it', async () => {
    writeFileSync(file, '{ "gamma": 1 }\n');
    chmodSync(file, 0o640);
    const link = path.join(folder, 'link.json');
    symlinkSync(file, link);
    await setInManifest(link, 'gamma', 0.3);
    expect(readFileSync(file, 'utf8')).toBe('{ "gamma": 0.3 }\n');
    expect(statSync(file).mode & 0o777).toBe(0o640);
    expect(lstatSync(link).isSymbolicLink()).toBe(true);
    expect(readdirSync(folder).sort()).toEqual(['link.json', 'pair.json']);
  });

  test('that cannot be read stays as it is', async () => {
    writeFileSync(file, '{ "gamma": ');
    await expect(setInManifest(file, 'gamma', 0.3)).rejects.toThrow(SyntaxError);
    expect(readFileSync(file, 'utf8')).toBe('{ "gamma": ');
    await expect(setInManifest(path.join(folder, 'none.json'), 'gamma', 0.3)).rejects.toThrow(/ENOENT/);
  });
});
