import { untilAborted } from '../abort.ts';
import type { Models } from '../lanes.ts';
import { reject } from '../options.ts';
import type { AbortSignalLike, LaneName, ModelInfo, RemoteModel } from '../types.ts';
import { compare, connect } from './check.ts';
import { fileOf, isRemote } from './model.ts';
import type { ServerFacts } from './protocol.ts';
import type { Remotes } from './remotes.ts';

type Given = Record<LaneName, string | RemoteModel> & Record<string, string | RemoteModel>;

/** The files that have the models, or their vocabularies. */
export function filesOf(models: Given): Record<LaneName, string> & Record<string, string> {
  return Object.fromEntries(Object.entries(models).map(([lane, model]) => [lane, fileOf(model)])) as ReturnType<typeof filesOf>;
}

/** The lanes whose models are on servers. */
export function remoteLanes(models: Record<string, string | RemoteModel>): ReadonlySet<string> {
  return new Set(Object.keys(models).filter((lane) => isRemote(models[lane])));
}

/** What the servers say of themselves, by the names of the lanes. @throws NudgingError ERR_REMOTE_…; the signal's reason */
export async function connectAll(remotes: Remotes, signal: AbortSignalLike | undefined): Promise<ReadonlyMap<string, ServerFacts>> {
  return untilAborted(signal, async (aborted) => {
    return new Map(await Promise.all(remotes.lanes.map(async (lane) => [lane.name, await connect(lane, aborted)] as const)));
  });
}

/** Compares what is known here with what servers do. @throws as {@link connectAll} */
export async function compareAll(
  remotes: Remotes,
  servers: ReadonlyMap<string, ServerFacts>,
  models: Models,
  tokensHere: (text: string, lane: LaneName) => Promise<number[]>,
  signal: AbortSignalLike | undefined,
): Promise<void> {
  await untilAborted(signal, async (aborted) => {
    await Promise.all(
      remotes.lanes.map((lane) =>
        compare(
          lane,
          servers.get(lane.name) ?? {},
          models[lane.name]?.vocabulary ?? 0,
          (text) => tokensHere(text, lane.name as LaneName),
          aborted,
        ),
      ),
    );
  });
}

/** How long a context may be: what was asked for, or all that the server takes; 0 where it does not say. */
export function serverLength(wanted: number | 'auto' | undefined, { context = 0 }: ServerFacts): number {
  if (wanted === undefined || wanted === 'auto') return context;
  if (context > 0 && wanted > context) reject('context', wanted, `at most ${context}, which is what the server takes`);
  return wanted;
}

/** Adds to what is known of a model where it is. */
export function describeServer(info: ModelInfo | undefined, { url, api, model }: RemoteModel): void {
  if (info) info.remote = { url, api, ...(model === undefined ? {} : { model }) };
}
