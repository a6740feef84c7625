import { randomBytes } from 'node:crypto';
import { open, realpath, rename, rm, stat } from 'node:fs/promises';
import { isDeepStrictEqual } from 'node:util';
import { readTextFile } from './text-file.ts';

/**
 * The text of a JSON object with one property set, and all else as its author wrote it: order, indentation, line ends.
 *
 * @param text of a JSON object
 * @throws SyntaxError if it is no JSON
 */
export function withProperty(text: string, name: string, value: unknown): string {
  const wanted = { ...(JSON.parse(text) as object), [name]: value };
  const written = JSON.stringify(value);
  const says = (candidate: string) => {
    try {
      return isDeepStrictEqual(JSON.parse(candidate), wanted);
    } catch {
      return false;
    }
  };
  // A text may hold what looks like the property in several places: the right one is that with which the object is as wanted.
  const key = JSON.stringify(name).replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
  const places = [...text.matchAll(new RegExp(`(${key}\\s*:\\s*)(\\{[^{}]*\\}|\\[[^[\\]]*\\]|"[^"]*"|[^\\s,{}[\\]"]+)`, 'g'))];
  const replaced = places.map(
    ({ index, 0: whole, 1: before = '' }) => text.slice(0, index) + before + written + text.slice(index + whole.length),
  );
  const end = text.lastIndexOf('}');
  const last = text.slice(0, end).trimEnd();
  const indent = /\r?\n[ \t]*(?=\S[^\n]*$)/.exec(last)?.[0] ?? ' ';
  const added = `${last}${last.endsWith('{') ? '' : ','}${indent}${JSON.stringify(name)}: ${written}${text.slice(last.length)}`;
  return [...replaced, added].find(says) ?? `${JSON.stringify(wanted, null, 2)}\n`;
}

/**
 * Sets one property of a manifest's file. Whoever reads it meanwhile finds the old text or the new one; a link stays a link, and the file
 * keeps its permissions.
 *
 * @throws what the file system says
 */
export async function setInManifest(path: string, name: string, value: unknown): Promise<void> {
  const file = await realpath(path);
  const text = withProperty(await readTextFile(file), name, value);
  const { mode } = await stat(file);
  // Beside it, because a rename does not cross disks.
  const incoming = `${file}.${randomBytes(6).toString('hex')}`;
  try {
    const handle = await open(incoming, 'wx', mode & 0o777);
    try {
      await handle.writeFile(text);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(incoming, file);
  } catch (error) {
    await rm(incoming, { force: true });
    throw error;
  }
}
