import { resolve } from 'node:path';
import type { LaneName, LoadOptions } from '../types.ts';
import { unpacked } from '../unpacked.ts';
import { isHubName, readHubName } from './name.ts';
import { pullAll } from './pull.ts';
import { hubSettings } from './settings.ts';

/** Lanes whose model has an option of its own, by the same name. */
const options: ReadonlySet<string> = new Set(['base', 'aligned', 'reference']);

/** Models by the names of their lanes, each a path or a name on the hub. */
type Models<T> = Record<LaneName, T> & Record<string, T>;

/**
 * The paths of models. Those with names that the cache does not have are downloaded, all together; otherwise nothing is asked over the
 * network, and the environment is not looked at.
 *
 * @throws as `pull`
 */
export async function modelFiles(
  models: Models<string>,
  { onProgress, signal }: Pick<LoadOptions, 'onProgress' | 'signal'>,
): Promise<Models<string>> {
  const named = Object.entries(models).filter(([, model]) => isHubName(model));
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
  const paths = new Map(named.map(([lane], index) => [lane, pulled[index]?.path ?? ''] as const));
  // As `resolve` leaves them: the engine reports the pair's paths as they were given.
  return Object.fromEntries(
    Object.entries(models).map(([lane, model]) => [
      lane,
      paths.get(lane) ?? unpacked(lane === 'base' || lane === 'aligned' ? model : resolve(model)),
    ]),
  ) as Models<string>;
}
