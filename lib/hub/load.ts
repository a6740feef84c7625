import { resolve } from 'node:path';
import { untilAborted } from '../abort.ts';
import type { LaneName, LoadOptions } from '../types.ts';
import { unpacked } from '../unpacked.ts';
import { isHubName, readHubName } from './name.ts';
import { pullAll } from './pull.ts';
import { hubSettings } from './settings.ts';
import { vocabularyFile } from './vocabulary.ts';

/** Lanes whose model has an option of its own, by the same name. */
const options: ReadonlySet<string> = new Set(['base', 'aligned', 'reference']);

/** Models by the names of their lanes, each a path or a name on the hub. */
type Models<T> = Record<LaneName, T> & Record<string, T>;

/**
 * The paths of models. Those with names that the cache does not have are downloaded, all together; otherwise nothing is asked over the
 * network, and the environment is not looked at.
 *
 * @param elsewhere the lanes of models whose weights are on a server, of which only the vocabulary is wanted
 * @throws as `pull`
 */
export async function modelFiles(
  models: Models<string>,
  { onProgress, signal }: Pick<LoadOptions, 'onProgress' | 'signal'>,
  elsewhere: ReadonlySet<string> = new Set(),
): Promise<Models<string>> {
  const vocabularies = await vocabularyFiles(models, elsewhere, signal);
  const named = Object.entries(models).filter(([lane, model]) => isHubName(model) && !elsewhere.has(lane));
  const names = named.map(([lane, model]) => readHubName(model, options.has(lane) ? lane : 'otherModels'));
  const lanes = new Map(named.map(([lane, model]) => [model, lane] as const).reverse());
  const pulled =
    names.length === 0
      ? []
      : await pullAll(names, await hubSettings(), {
          update: false,
          signal,
          onProgress: onProgress && ((progress) => onProgress({ ...progress, lane: lanes.get(progress.name) ?? progress.name })),
        });
  const paths = new Map([...vocabularies, ...named.map(([lane], index) => [lane, pulled[index]?.path ?? ''] as const)]);
  // As `resolve` leaves them: the engine reports the pair's paths as they were given.
  return Object.fromEntries(
    Object.entries(models).map(([lane, model]) => [
      lane,
      paths.get(lane) ?? unpacked(lane === 'base' || lane === 'aligned' ? model : resolve(model)),
    ]),
  ) as Models<string>;
}

async function vocabularyFiles(models: Models<string>, elsewhere: ReadonlySet<string>, signal: LoadOptions['signal']) {
  const named = Object.entries(models).filter(([lane, model]) => isHubName(model) && elsewhere.has(lane));
  if (named.length === 0) return [];
  const names = named.map(([lane, model]) => [lane, readHubName(model, lane)] as const);
  const settings = await hubSettings();
  return untilAborted(signal, (stopped) =>
    Promise.all(names.map(async ([lane, name]) => [lane, await vocabularyFile(name, settings, stopped)] as const)),
  );
}
