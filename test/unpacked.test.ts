import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { modelFiles } from '../lib/hub/load.ts';
import { unpacked } from '../lib/unpacked.ts';

const scratch = mkdtempSync(path.join(os.tmpdir(), 'nudging-unpacked-'));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

/** Makes a file beside the archive. @returns its path as a program in the archive has it */
function besideArchive(name: string): string {
  const file = path.join(scratch, 'app.asar.unpacked', name);
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, '');
  return path.join(scratch, 'app.asar', name);
}

test('a file beside an archive is opened where it lies', () => {
  const inside = besideArchive('models/base.gguf');
  expect(unpacked(inside)).toBe(path.join(scratch, 'app.asar.unpacked/models/base.gguf'));
  expect(unpacked('C:\\app.asar\\a.node', (file) => file === 'C:\\app.asar.unpacked\\a.node')).toBe('C:\\app.asar.unpacked\\a.node');
});

test('every other path stays as it is', () => {
  const all = () => true;
  for (const file of ['/models/base.gguf', '/models/base.asar', '/app.asar.unpacked/base.gguf', '/app.asarium/base.gguf'])
    expect(unpacked(file, all)).toBe(file);
  // Errors name what somebody wrote.
  const gone = path.join(scratch, 'app.asar/gone.gguf');
  expect(unpacked(gone)).toBe(gone);
});

test('models, however they are named', async () => {
  const [base, aligned, other] = ['base', 'aligned', 'other'].map((name) => besideArchive(`${name}.gguf`));
  const outside = (name: string) => path.join(scratch, `app.asar.unpacked/${name}.gguf`);
  expect(await modelFiles({ base: base as string, aligned: aligned as string, other: other as string }, {})).toEqual({
    base: outside('base'),
    aligned: outside('aligned'),
    other: outside('other'),
  });
});
