import { dirname, resolve } from 'node:path';
import { NudgingError } from './errors.ts';
import { pathInPackage } from './here.ts';
import { check, flag, generateRules, isObject, nonEmptyText, text } from './options.ts';
import { NotAFileError, readTextFile } from './text-file.ts';
import type { GenerateOptions, LoadOptions } from './types.ts';

/** A pair of models that belong together, as its manifest (pair.json) describes it. Paths are relative to the manifest. */
export interface Pair extends Pick<GenerateOptions, 'gamma' | 'lookahead' | 'maxTokens' | 'stop' | 'system' | 'basePrompt' | 'alignedPrompt' | 'repeatLimit'>, Pick<LoadOptions, 'deterministic'> {
  name?: string;
  description?: string;
  /** Path of the base model's GGUF file. */
  base: string;
  /** Path of the aligned model's GGUF file. */
  aligned: string;
}

const demoManifest = 'models/demo/pair.json';

/** The manifest of the pair that comes with the package. Where the package is bundled it leads nowhere, and loading says so. */
export const demoPair = pathInPackage(demoManifest) ?? demoManifest;

const { gamma, lookahead, maxTokens, stop, system, alignedPrompt, repeatLimit } = generateRules;
const rules = { name: text, description: text, base: nonEmptyText, aligned: nonEmptyText, basePrompt: nonEmptyText, gamma, lookahead, maxTokens, stop, system, alignedPrompt, repeatLimit, deterministic: flag } as typeof generateRules;

/**
 * Reads a manifest and makes its paths absolute.
 *
 * @throws NudgingError ERR_PAIR_INVALID: not there, no JSON, an unknown or wrong property
 */
export async function readPair(path: string): Promise<Pair> {
  let manifest: unknown;
  try {
    manifest = JSON.parse(await readTextFile(path));
  } catch (cause) {
    const reason = whyUnread(cause as Error);
    throw new NudgingError('ERR_PAIR_INVALID', `the pair's manifest "${path}" ${reason}: pass the path of a pair.json`, { option: 'pair', value: path, cause });
  }
  try {
    check(manifest, rules, 'manifest');
    if (!isObject(manifest) || manifest['base'] === undefined || manifest['aligned'] === undefined) {
      throw new NudgingError('ERR_PAIR_INVALID', '`base` and `aligned` must name GGUF files');
    }
  } catch (cause) {
    throw new NudgingError('ERR_PAIR_INVALID', `the pair's manifest "${path}" is wrong: ${(cause as Error).message}`, { option: 'pair', value: path, cause });
  }
  const pair = manifest as unknown as Pair;
  const folder = dirname(path);
  return { ...pair, base: resolve(folder, pair.base), aligned: resolve(folder, pair.aligned) };
}

function whyUnread(cause: NodeJS.ErrnoException): string {
  if (cause instanceof NotAFileError) return cause.message;
  if (cause instanceof SyntaxError) return `is no JSON (${cause.message})`;
  return cause.code === 'ENOENT' ? 'does not exist' : `cannot be read (${cause.message})`;
}

/**
 * The pair that these options mean: two models, or what a manifest says (the demo pair's if none is named); a model given beside it wins.
 *
 * @throws NudgingError ERR_PAIR_INVALID
 */
export async function pairOf({ pair, base, aligned }: Pick<LoadOptions, 'pair' | 'base' | 'aligned'>): Promise<Pair> {
  if (pair === undefined && base !== undefined && aligned !== undefined) return { base, aligned };
  const manifest = await readPair(pair ?? demoPair);
  return { ...manifest, base: base ?? manifest.base, aligned: aligned ?? manifest.aligned };
}
