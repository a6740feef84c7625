import { dirname, resolve } from 'node:path';
import { demoPackage, demoPair, embeddedPair, embeddedPairs } from './embedded-pairs.ts';
import { NudgingError } from './errors.ts';
import { isHubName } from './hub/name.ts';
import { check, defined, isObject, loadRules, nonEmptyText, reject, text, type Rule } from './options.ts';
import { nearest } from './nearest.ts';
import { placementOptions } from './placement.ts';
import { presetNamed, presetNames } from './presets.ts';
import { templateVariables } from './template-options.ts';
import { NotAFileError, readTextFile } from './text-file.ts';
import { fileOf, withFile } from './remote/model.ts';
import type { LaneName, LoadOptions, RemoteModel } from './types.ts';

/** Options of the program that asks, which say nothing about a pair: its manifest cannot set them. */
const programOptions = [
  'pair',
  'otherModels',
  'mode',
  'compat',
  'trace',
  'signals',
  'timeout',
  'prefill',
  'fit',
  'highWaterMark',
  'signal',
  'maxQueue',
  'isolate',
  'onProgress',
  'onWarning',
] as const satisfies (keyof LoadOptions)[];
type ProgramOption = (typeof programOptions)[number];

/**
 * A pair of models that belong together, as its manifest (pair.json) describes it: the files, whose paths are relative to the manifest, and
 * the settings that hold for them unless an option says otherwise.
 */
export interface Pair extends Omit<LoadOptions, ProgramOption | 'basePrompt'> {
  name?: string;
  description?: string;
  /** Path of the base model's GGUF file, or its name on the hub, or a model that a server has. */
  base: string | RemoteModel;
  /** The aligned model, likewise. */
  aligned: string | RemoteModel;
  /** Functions cannot be written down. */
  basePrompt?: string;
}

/** What a manifest may hold; schema/pair.schema.json says the same to editors. `$schema` is theirs. */
export const manifestRules: Record<string, Rule> = {
  ...Object.fromEntries(Object.entries(loadRules).filter(([name]) => !isProgramOption(name))),
  basePrompt: nonEmptyText,
  name: text,
  description: text,
  $schema: text,
};

function isProgramOption(name: string): name is ProgramOption {
  return (programOptions as readonly string[]).includes(name);
}

/**
 * Reads a manifest and makes its paths absolute; names of models on the hub stay as they are. Where there is no such file, the name of an
 * embedded pair or of a preset is as good (docs/models.md).
 *
 * @throws NudgingError ERR_PAIR_INVALID: not there, no JSON, an unknown or wrong property; ERR_INVALID_OPTION: no text
 */
export async function readPair(path: string): Promise<Pair> {
  if (typeof path !== 'string' || path === '') reject('pair', path, nonEmptyText.expected);
  let manifest: unknown;
  try {
    manifest = JSON.parse(await readTextFile(path));
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') {
      if (embeddedPairs.includes(path)) return readPair(embeddedPair(path));
      const preset = await presetNamed(path);
      if (preset) return { name: preset.name, description: preset.description, ...preset.pair };
    }
    const reason = whyUnread(cause as Error);
    const isMissing = (cause as NodeJS.ErrnoException).code === 'ENOENT';
    throw new NudgingError('ERR_PAIR_INVALID', `the pair's manifest "${path}" ${reason}: ${await remedyFor(path, isMissing)}`, {
      option: 'pair',
      value: path,
      cause,
    });
  }
  try {
    if (isObject(manifest)) for (const name of Object.keys(manifest)) refuseProgramOption(name);
    check(manifest, manifestRules, 'manifest');
    if (!isObject(manifest) || manifest['base'] === undefined || manifest['aligned'] === undefined) {
      throw new NudgingError('ERR_PAIR_INVALID', '`base` and `aligned` must name GGUF files');
    }
    const { templateOptions } = manifest as Partial<Pair>;
    if (templateOptions !== undefined) templateVariables(templateOptions);
  } catch (cause) {
    throw new NudgingError('ERR_PAIR_INVALID', `the pair's manifest "${path}" is wrong: ${(cause as Error).message}`, {
      option: 'pair',
      value: path,
      cause,
    });
  }
  const { $schema, ...pair } = manifest as unknown as Pair & { $schema?: string };
  const inFolder = (model: string) => (isHubName(model) ? model : resolve(dirname(path), model));
  const reference = pair.reference === undefined ? {} : { reference: inFolder(pair.reference) };
  const ofModel = (model: string | RemoteModel) => withFile(model, inFolder(fileOf(model)));
  return { ...pair, base: ofModel(pair.base), aligned: ofModel(pair.aligned), ...reference };
}

function refuseProgramOption(name: string): void {
  if (!isProgramOption(name)) return;
  const remedy = 'pass it to Nudging.load or on the command line';
  throw new NudgingError('ERR_INVALID_OPTION', `\`${name}\` is for the program that loads the pair: ${remedy}`);
}

/** What is no path may be meant as a preset. */
async function remedyFor(path: string, isMissing: boolean): Promise<string> {
  const file = 'pass the path of a pair.json';
  if (isMissing && embeddedPairs.some((name) => path === embeddedPair(name)))
    return `the embedded pairs are a package of their own: install ${demoPackage}, or ${file}`;
  if (!isMissing || !/^[\w.-]+$/.test(path) || path.endsWith('.json')) return file;
  const meant = nearest(path.toLowerCase(), [...embeddedPairs, ...(await presetNames())]);
  return meant === undefined ? `${file}, or a name that nudging pairs lists` : `did you mean the pair ${meant}? Else ${file}`;
}

function whyUnread(cause: NodeJS.ErrnoException): string {
  if (cause instanceof NotAFileError) return cause.message;
  if (cause instanceof SyntaxError) return `is no JSON (${cause.message})`;
  if (cause.code === 'EISDIR') return 'is a directory';
  return cause.code === 'ENOENT' ? 'does not exist' : `cannot be read (${cause.message})`;
}

/**
 * The pair that these options mean: two models, or what a manifest says (the demo pair's if none is named); a model given beside it wins.
 */
async function pairOf({ pair, base, aligned }: LoadOptions): Promise<Pair> {
  if (pair === undefined && base !== undefined && aligned !== undefined) return { base, aligned };
  const manifest = await readPair(pair ?? demoPair);
  return { ...manifest, base: base ?? manifest.base, aligned: aligned ?? manifest.aligned };
}

/** Settings that may have a value for each model. */
const laneSettings = ['gpuLayers', 'context', 'kvCache', 'flashAttention', ...placementOptions] as const satisfies (keyof LoadOptions)[];

/**
 * What holds with these options: an option, else the pair's setting. Where an option says something of one model only, the pair's holds for
 * the other.
 *
 * @throws NudgingError ERR_PAIR_INVALID
 */
export async function withPair(options: LoadOptions): Promise<LoadOptions & Pick<Pair, 'base' | 'aligned'>> {
  const { name, description, ...pair } = await pairOf(options);
  const lanes = laneSettings.map((setting) => [setting, byLane(options[setting], pair[setting])] as const);
  return { ...pair, ...defined(options), ...defined(Object.fromEntries(lanes)), base: pair.base, aligned: pair.aligned };
}

function byLane<T>(own: T | Partial<Record<LaneName, T>> | undefined, pairs: T | Partial<Record<LaneName, T>> | undefined): unknown {
  if (own === undefined) return pairs;
  if (!isObject(own) || pairs === undefined) return own;
  return { ...(isObject(pairs) ? pairs : { base: pairs, aligned: pairs }), ...defined(own) };
}
