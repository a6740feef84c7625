import { randomUUID } from 'node:crypto';
import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { NudgingError } from '../errors.ts';
import { HeaderError } from '../gguf/header.ts';
import { withoutWeights } from '../gguf/without-weights.ts';
import { sizeOf } from './cache.ts';
import { onDisk } from './disk.ts';
import { lookUp } from './look-up.ts';
import type { HubName } from './name.ts';
import type { HubSettings } from './settings.ts';

/**
 * A file with the vocabulary of a model on the hub, whose weights are elsewhere: the model itself where the cache has it, otherwise its
 * header alone, which is fetched once (some megabytes, whatever the model's size) and kept beside the cache.
 *
 * @throws NudgingError ERR_HUB_…, ERR_MODEL_INVALID; the signal's reason
 */
export async function vocabularyFile(name: HubName, settings: HubSettings, signal?: AbortSignal): Promise<string> {
  const { repo, revision, file, quant } = name;
  const path = join(
    settings.assets,
    'nudging',
    'vocabularies',
    repo.replace('/', '--'),
    // One folder, whatever it is called: others are below it.
    encodeURIComponent(revision),
    ...(file === undefined ? ['types', `${quant ?? 'any'}.gguf`] : ['files', ...file.split('/')]),
  );
  if ((await sizeOf(path)) !== undefined) return path;
  const found = await lookUp(name, settings, signal);
  if ('path' in found) return found.path;
  const [first] = found.files;
  if (!first) throw new NudgingError('ERR_INTERNAL', `${name.text} has no file`);
  let bytes: Uint8Array;
  try {
    bytes = await withoutWeights(first.bytes);
  } catch (error) {
    if (!(error instanceof HeaderError)) throw error;
    throw new NudgingError('ERR_MODEL_INVALID', `"${name.text}" ${error.message}`, { value: name.text, cause: error });
  }
  await keep(path, bytes).catch(onDisk(settings.assets, 'HF_ASSETS_CACHE'));
  return path;
}

/** Aside first: whoever finds it has all of it. */
async function keep(path: string, bytes: Uint8Array): Promise<void> {
  const incoming = `${path}.${randomUUID()}`;
  await mkdir(dirname(path), { recursive: true });
  try {
    await writeFile(incoming, bytes);
    await rename(incoming, path);
  } finally {
    await rm(incoming, { force: true });
  }
}
