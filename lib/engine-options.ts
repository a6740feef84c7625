import { availableCores } from '../scripts/lib/cores.mjs';
import { hostMemory } from './host-memory.ts';
import { allowedBuffers, buffersFromEnvironment, cpuBufferNames } from './kernels.ts';
import type { NativeEngineOptions } from './native.ts';
import { cpuBuffersRule, isObject, reject } from './options.ts';
import { placementOf, type PlacementOptions } from './placement.ts';
import { serverLength } from './remote/loading.ts';
import type { ServerFacts } from './remote/protocol.ts';
import { defaultRpcTimeout } from './rpc/endpoints.ts';
import type { LaneName, LoadOptions } from './types.ts';

/** Options about one model each: for all of them, or by their names. */
type LaneOptions = Pick<LoadOptions, 'gpuLayers' | 'context' | 'kvCache' | 'flashAttention' | keyof PlacementOptions>;

/** What {@link LoadOptions} say about memory, devices and threads. */
export type MachineOptions = LaneOptions &
  Pick<
    LoadOptions,
    'threads' | 'parallel' | 'batch' | 'overlap' | 'deterministic' | 'deviceTop1' | 'padPasses' | 'mmap' | 'rpcServers' | 'rpcTimeout'
  >;

/** ggml's names of extra CPU buffers. */
export interface CpuBuffers {
  /** Nothing: all. */
  allowed: string[] | undefined;
  /** Those of them that must not be used here. */
  harmful: string[];
}

/**
 * Which extra CPU buffers may be used: by the program, else the environment, which is this machine's, else the pair, which is made for any.
 *
 * @throws NudgingError ERR_INVALID_OPTION: names in the environment that are none
 */
export function buffersFor(program: LoadOptions['cpuBuffers'], pair: LoadOptions['cpuBuffers']): CpuBuffers['allowed'] {
  const buffers = program ?? buffersFromEnvironment() ?? pair ?? 'all';
  if (!cpuBuffersRule.check(buffers))
    reject(
      'NUDGING_CPU_BUFFERS',
      process.env['NUDGING_CPU_BUFFERS'],
      `all, plain, or some of ${cpuBufferNames.join(', ')} with commas between them`,
    );
  return allowedBuffers(buffers);
}

/**
 * The engine's options, as the native side takes them.
 *
 * @param files the models, or the vocabularies of those that servers have, by the names of their lanes
 * @param servers what is known of the servers, by the same names
 * @throws NudgingError ERR_INVALID_OPTION: options that exclude each other
 */
export function engineOptions(
  given: MachineOptions,
  files: Readonly<Record<string, string>>,
  servers: ReadonlyMap<string, ServerFacts>,
  { allowed, harmful }: CpuBuffers,
): NativeEngineOptions {
  const { threads, parallel, batch, overlap, deterministic, deviceTop1, padPasses, mmap, rpcServers, rpcTimeout } = given;
  const options: NativeEngineOptions = {
    lanes: Object.entries(files).map(([name, path]) => laneOptions(given, name, path, servers.get(name))),
    threads: threads ?? 0,
    // Unlike the number that C++ can ask for, this one respects CPU affinity and the quotas of containers.
    cores: availableCores(),
    parallel: parallel === undefined || parallel === 'auto' ? 0 : parallel,
    batch: batch ?? 512,
    overlap: overlap === undefined ? -1 : Number(overlap),
    deterministic: deterministic === undefined ? -1 : Number(deterministic),
    deviceTop1: deviceTop1 === undefined ? -1 : Number(deviceTop1),
    padPasses: padPasses ?? false,
    hostMemory: hostMemory(),
    cpuBuffers: allowed,
    mmap: mmap ?? true,
    harmfulCpuBuffers: harmful,
    rpcServers: [...(rpcServers ?? [])],
    rpcTimeout: rpcTimeout ?? defaultRpcTimeout,
  };
  if (options.batch < options.parallel)
    reject('batch', options.batch, `at least \`parallel\` (${options.parallel}): every request may need a place in the same decode call`);
  return options;
}

function laneOptions(
  given: LaneOptions,
  name: string,
  path: string,
  server: ServerFacts | undefined,
): NativeEngineOptions['lanes'][number] {
  const own = <T>(value: T | Partial<Record<LaneName, T>> | undefined): T | undefined =>
    isObject(value) ? (value as Partial<Record<LaneName, T>>)[name as LaneName] : value;
  const length = server ? serverLength(own(given.context), server) : (own(given.context) ?? 0);
  const layers = own(given.gpuLayers) ?? -1;
  const kvCache = own(given.kvCache) ?? 'f16';
  const attention = own(given.flashAttention) ?? 'auto';
  if (attention === false && /^q\d/.test(kvCache)) reject('flashAttention', false, `true or "auto" for a quantised KV cache (${kvCache})`);
  const placement = placementOf({
    devices: own(given.devices),
    splitMode: own(given.splitMode),
    tensorSplit: own(given.tensorSplit),
    mainGpu: own(given.mainGpu),
    cpuMoe: own(given.cpuMoe),
    overrideTensors: own(given.overrideTensors),
  });
  if (placement.splitMode === 'tensor' && attention === false) reject('flashAttention', false, 'true or "auto" with `splitMode: "tensor"`');
  return {
    name,
    path,
    gpuLayers: layers === 'auto' ? -2 : layers,
    context: length === 'auto' ? -1 : length,
    kvCache,
    flashAttention: attention === 'auto' ? -1 : Number(attention),
    placement,
    ...(server ? { remote: true } : {}),
  };
}
