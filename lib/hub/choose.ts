import { NudgingError } from '../errors.ts';
import { nearest } from '../nearest.ts';
import type { HubName } from './name.ts';

/** What is taken where a name says neither file nor quantisation; else the first model. llama.cpp does the same. */
const preferred = ['Q4_K_M', 'Q8_0'];

/** GGUF files that lie beside models and are none: image encoders, importance matrices, heads for speculation. */
const notModels = ['mmproj', 'imatrix', 'mtp-', 'eagle3-', 'dflash-', 'dspark-'];

interface Part {
  /** The path without what says which part it is. */
  whole: string;
  index: number;
  count: number;
}

/** Which part of a split model a file is, if it is one. */
export function partOf(path: string): Part | undefined {
  const [, whole = '', index = '', count = ''] = /^(.+)-(\d{5})-of-(\d{5})\.gguf$/.exec(path) ?? [];
  return whole === '' ? undefined : { whole, index: Number(index), count: Number(count) };
}

export function isModel(path: string): boolean {
  const name = path.slice(path.lastIndexOf('/') + 1);
  return name.endsWith('.gguf') && !notModels.some((part) => name.includes(part));
}

/** The files that a name means among these, all parts of a split model in order; undefined if it means none. */
export function chosen<T extends { path: string }>(files: readonly T[], { file, quant }: HubName): T[] | undefined {
  const first =
    file === undefined
      ? byQuant(
          files.filter(({ path }) => isModel(path) && (partOf(path)?.index ?? 1) === 1),
          quant,
        )
      : files.find(({ path }) => path === file);
  return first && withParts(files, first);
}

function byQuant<T extends { path: string }>(models: readonly T[], quant: string | undefined): T | undefined {
  for (const tag of quant === undefined ? preferred : [quant]) {
    const found = models.find(({ path }) => [`${tag}.`, `${tag}-`].some((text) => path.toLowerCase().includes(text.toLowerCase())));
    if (found) return found;
  }
  return quant === undefined ? models[0] : undefined;
}

/** Nothing where parts are missing. */
function withParts<T extends { path: string }>(files: readonly T[], one: T): T[] | undefined {
  const part = partOf(one.path);
  if (!part) return [one];
  const parts = files
    .filter(({ path }) => {
      const other = partOf(path);
      return other?.whole === part.whole && other.count === part.count;
    })
    .sort((a, b) => (a.path < b.path ? -1 : 1));
  return parts.length === part.count ? parts : undefined;
}

/** The error for a repository that has nothing of the kind, with what it has. */
export function noneChosen(files: readonly { path: string }[], { text, repo, file, quant }: HubName): NudgingError {
  const error = (message: string) => new NudgingError('ERR_HUB_NOT_FOUND', message, { value: text });
  const models = files.map(({ path }) => path).filter(isModel);
  if (models.length === 0) {
    const remedy = 'look for one with GGUF in its name, which others have often made of the same model';
    return error(`${repo} has no GGUF files: ${remedy}`);
  }
  const wanted = file ?? quant ?? '';
  const named = models.find((path) => (file === undefined ? path.toLowerCase().includes(wanted.toLowerCase()) : path === file));
  if (named !== undefined && partOf(named)) return error(`${repo} lacks parts of ${named}: name another file of it`);
  const meant = nearest(wanted, file === undefined ? tags(models) : models);
  const shown = models.slice(0, 8).map((path) => `hf:${repo}/${path}`);
  const list = `it has ${shown.join(', ')}${models.length > shown.length ? `, and ${models.length - shown.length} more` : ''}`;
  return error(`${repo} has no model ${wanted}: ${meant === undefined ? '' : `did you mean ${meant}? `}${list}`);
}

/** What files call their quantisations. */
function tags(paths: readonly string[]): string[] {
  return [...new Set(paths.flatMap((path) => /[-.]([A-Za-z0-9_]+)(?:-\d{5}-of-\d{5})?\.gguf$/.exec(path)?.[1] ?? []))];
}
