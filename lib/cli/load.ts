import { Nudging } from '../engine.ts';
import type { LoadOptions, ModelInfo } from '../types.ts';
import { bar, percent, rate, StatusLine } from './terminal.ts';

/** Loading that is done sooner than this needs no progress line. */
const quietMs = 500;

/** Loads the models, with a progress line on a terminal if that takes long. */
export async function load(options: LoadOptions, signal: AbortSignal, verbose: boolean): Promise<Nudging> {
  const status = new StatusLine(process.stderr);
  const started = performance.now();
  const onProgress: NonNullable<LoadOptions['onProgress']> = ({ lane, fraction }) => {
    if (performance.now() - started > quietMs) status.show(`loading the ${lane} model ${bar(fraction)} ${percent(fraction)}`);
  };
  let nudging: Nudging;
  try {
    nudging = await Nudging.load({ ...options, onProgress, signal });
  } finally {
    status.clear();
  }
  if (verbose) {
    for (const [lane, model] of Object.entries(nudging.models)) console.error(modelLine(lane, model));
    console.error(`loaded in ${rate((performance.now() - started) / 1000)} s`);
  }
  return nudging;
}

function modelLine(lane: string, { path, description, parameters, bytes, context, memory }: ModelInfo): string {
  const mib = (size: number) => `${(size / 2 ** 20).toFixed(1)} MiB`;
  const is = `${description}, ${(parameters / 1e6).toFixed(1)} M parameters, ${mib(bytes)}, context ${context} tokens`;
  const takes = `${mib(memory.weights + memory.cache + memory.compute)}, ${mib(memory.mapped)} of it pages of the file`;
  return `${lane}: ${path} (${is}; takes ${takes})`;
}
