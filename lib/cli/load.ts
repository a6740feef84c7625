import { Nudging } from '../engine.ts';
import { modelFiles } from '../hub/load.ts';
import { isHubName } from '../hub/name.ts';
import { withPair } from '../pair.ts';
import { remoteLanes } from '../remote/loading.ts';
import { fileOf, withFile } from '../remote/model.ts';
import type { LoadOptions, ModelInfo } from '../types.ts';
import { DownloadBars } from './download-bars.ts';
import { bar, percent, rate, StatusLine } from './terminal.ts';

/** Loading that is done sooner than this needs no progress line. */
const quietMs = 500;

/** Loads the models, with a progress line on a terminal if that takes long. */
export async function load(options: LoadOptions, signal: AbortSignal, verbose: boolean): Promise<Nudging> {
  const status = new StatusLine(process.stderr);
  const started = performance.now();
  const bars = new DownloadBars(process.stderr);
  const onProgress: NonNullable<LoadOptions['onProgress']> = (progress) => {
    if (progress.kind === 'download') return bars.show(progress);
    bars.end();
    const { lane, fraction } = progress;
    if (performance.now() - started > quietMs) status.show(`loading the ${lane} model ${bar(fraction)} ${percent(fraction)}`);
  };
  let nudging: Nudging;
  try {
    nudging = await Nudging.load({ ...options, onProgress, signal });
  } finally {
    bars.end();
    status.clear();
  }
  if (verbose) {
    for (const [lane, model] of Object.entries(nudging.models)) console.error(modelLine(lane, model));
    console.error(`loaded in ${rate((performance.now() - started) / 1000)} s`);
  }
  return nudging;
}

/**
 * The same options with paths in place of names of models on the hub, which are downloaded if need be: what answers were made with is known
 * by files.
 */
export async function withFiles(options: LoadOptions, signal: AbortSignal): Promise<LoadOptions> {
  const { base, aligned, reference } = await withPair(options);
  if (![fileOf(base), fileOf(aligned), reference ?? ''].some(isHubName)) return options;
  const bars = new DownloadBars(process.stderr);
  try {
    const onProgress: LoadOptions['onProgress'] = (progress) => progress.kind === 'download' && bars.show(progress);
    const named = { base: fileOf(base), aligned: fileOf(aligned), ...(reference === undefined ? {} : { reference }) };
    const files = await modelFiles(named, { onProgress, signal }, remoteLanes({ base, aligned }));
    return { ...options, ...files, base: withFile(base, files.base), aligned: withFile(aligned, files.aligned) };
  } finally {
    bars.end();
  }
}

function modelLine(
  lane: string,
  { path, description, parameters, bytes, context, devices, deviceTop1, memory, remote }: ModelInfo,
): string {
  if (remote) return `${lane}: at ${remote.url} (${remote.api}; context ${context} tokens; tokenizer ${path})`;
  const mib = (size: number) => `${(size / 2 ** 20).toFixed(1)} MiB`;
  const is = `${description}, ${(parameters / 1e6).toFixed(1)} M parameters, ${mib(bytes)}, context ${context} tokens`;
  const takes = `${mib(memory.weights + memory.cache + memory.compute)}, ${mib(memory.mapped)} of it pages of the file`;
  const layers = Object.entries(devices).map(([name, some]) => `${some} layers on ${name}`);
  if (layers.length > 0) layers.push(`top-1 by the ${deviceTop1 ? 'GPU' : 'host'}`);
  return `${lane}: ${path} (${[is, `takes ${takes}`, ...(layers.length > 0 ? [layers.join(', ')] : [])].join('; ')})`;
}
