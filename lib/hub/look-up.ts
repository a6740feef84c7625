import { HubClient } from './client.ts';
import type { HubName } from './name.ts';
import { planFor } from './plan.ts';
import { RemoteBytes } from './remote.ts';
import type { HubSettings } from './settings.ts';

/** Where a model is that the cache has, or the bytes of its files on the hub, the first part of a split model first. */
export type Found = { path: string } | { repo: string; revision: string; commit: string; files: { path: string; bytes: RemoteBytes }[] };

/** Finds a model by its name and downloads nothing. @throws NudgingError ERR_HUB_…; the signal's reason */
export async function lookUp(name: HubName, settings: HubSettings, signal?: AbortSignal): Promise<Found> {
  signal?.throwIfAborted();
  const client = new HubClient(settings, signal ?? new AbortController().signal);
  const { files, missing, wanted, commit } = await planFor(client, name, false);
  if (missing.length === 0) return { path: files[0]?.full ?? '' };
  const { repo, revision } = name;
  const remote = wanted.map((file) => ({ path: file.path, bytes: new RemoteBytes(client, name, commit, file) }));
  return { repo, revision, commit, files: remote };
}
