import { existsSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { demoPair } from '../../embedded-pairs.ts';
import { readPair } from '../../pair.ts';
import type { LoadOptions } from '../../types.ts';
import { UsageError } from '../failure.ts';

/** A pair to be served, and the name by which it is asked for. */
export interface NamedPair {
  name: string;
  load: LoadOptions;
}

/**
 * The pairs that a command line names.
 *
 * @throws UsageError for two of one name; NudgingError for a manifest that is none
 */
export async function pairsOf(given: readonly string[], load: LoadOptions, modelName: string | undefined): Promise<NamedPair[]> {
  const two = load.base !== undefined || load.aligned !== undefined || load.reference !== undefined;
  if (two && given.length > 1) throw new UsageError('--base, --aligned and --reference are of one pair: give one --pair, or none');
  if (modelName !== undefined && !two) throw new UsageError('--model-name is for --base and --aligned: write --pair NAME=FILE');
  const pairs: NamedPair[] = [];
  if (load.base !== undefined && load.aligned !== undefined && given.length === 0) pairs.push({ name: modelName ?? 'nudging', load });
  else {
    for (const text of given.length === 0 ? [demoPair] : given) {
      const { name, pair } = await named(text);
      pairs.push({ name: modelName ?? name, load: { ...load, pair } });
    }
  }
  for (const { name } of pairs) {
    if (pairs.filter((pair) => pair.name === name).length > 1)
      throw new UsageError(`two pairs are called "${name}": write --pair NAME=FILE to tell them apart`);
  }
  return pairs;
}

async function named(text: string): Promise<{ name: string; pair: string }> {
  const [, name, file] = /^([\w.-]+)=(.+)$/.exec(text) ?? [];
  if (name !== undefined && file !== undefined && !existsSync(text)) return { name: modelName(name), pair: file };
  const { name: own } = await readPair(text);
  return { name: modelName(own ?? (basename(text) === 'pair.json' ? basename(dirname(text)) : basename(text, '.json'))), pair: text };
}

/** Names go into addresses and never say where a file is. */
function modelName(text: string): string {
  const name = text
    .trim()
    .replace(/[^\p{L}\p{N}._-]+/gu, '-')
    .replace(/^-+|-+$/g, '');
  return name === '' || name === '.' || name === '..' ? 'nudging' : name;
}
