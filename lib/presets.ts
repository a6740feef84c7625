import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathInPackage } from './here.ts';
import type { Pair } from './pair.ts';
import type { LaneName } from './types.ts';

/** What is known of one model of a preset. Sizes are rounded to three digits. */
export interface PresetModel {
  parameters: number;
  /** Of its files. */
  bytes: number;
  /** Bytes of an f16 KV cache for each token of context; of models with a sliding window, as if they had none. */
  cacheBytesPerToken: number;
  license: string;
  /** Where it is described. */
  page: string;
  /** Nobody has seen for this project that the repository has such a file: it may have another name. */
  unverified?: true;
}

/** A pair of models that are known to belong together, by name: models/presets/NAME.json. */
export interface Preset {
  name: string;
  description: string;
  /** What its manifest would be. */
  pair: Pair;
  models: Record<LaneName, PresetModel>;
  /** Where γ is from, if the pair sets one. */
  gammaFrom?: string;
  /** What was measured with this pair for this project: a sentence, or "not measured here". */
  measured: string;
}

const folder = 'models/presets';

/** The names of all presets; none where the package was bundled. */
export async function presetNames(): Promise<string[]> {
  const files = await readdir(pathInPackage(folder) ?? folder).catch(() => []);
  return files.flatMap((file) => /^([\w.-]+)\.json$/.exec(file)?.[1] ?? []).sort();
}

/** A preset, if there is one of this name. */
export async function presetNamed(name: string): Promise<Preset | undefined> {
  if (!(await presetNames()).includes(name)) return undefined;
  const { $schema, ...preset } = JSON.parse(await readFile(join(pathInPackage(folder) ?? folder, `${name}.json`), 'utf8')) as Preset & {
    $schema?: string;
  };
  return preset;
}

/** Tokens of context for which memory is estimated: what an engine takes unless it is told otherwise. */
export const usualContext = 4096;

/**
 * Bytes that a pair takes while it answers one question: weights, caches for {@link usualContext} tokens, and a tenth for what comes on
 * top.
 */
export function memoryOf({ models }: Preset): number {
  const lanes = [models.base, models.aligned];
  return Math.round(lanes.reduce((sum, { bytes, cacheBytesPerToken }) => sum + bytes + cacheBytesPerToken * usualContext, 0) * 1.1);
}
