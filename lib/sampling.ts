import { randomInt } from 'node:crypto';
import type { NativeSampling } from './native.ts';
import type { SamplingOptions } from './types.ts';

/** Greedy, and no filter. */
export const samplingDefaults = { temperature: 0, topK: 0, topP: 1, minP: 0 } as const satisfies SamplingOptions;

/** One more than the largest seed that is drawn: the widest range that `randomInt` has. */
const seeds = 2 ** 48 - 1;

/**
 * Every setting, for the native engine. Without a seed one is drawn, so that each answer is another one and can be repeated all the same.
 */
export function samplingOf(options: SamplingOptions): NativeSampling {
  const {
    temperature = samplingDefaults.temperature,
    topK = samplingDefaults.topK,
    topP = samplingDefaults.topP,
    minP = samplingDefaults.minP,
  } = options;
  const seed = temperature === 0 ? 0 : (options.seed ?? randomInt(seeds));
  return { temperature, topK, topP, minP, seed };
}
