import type { NativePlacement } from './native.ts';
import { reject } from './options.ts';
import { faultOf } from './tensor-overrides.ts';
import type { LoadOptions, SplitMode, TensorOverride } from './types.ts';

/** Where one model is to be, as its options say it. */
export interface PlacementOptions {
  devices?: readonly string[] | undefined;
  splitMode?: SplitMode | undefined;
  tensorSplit?: readonly number[] | undefined;
  mainGpu?: number | undefined;
  cpuMoe?: boolean | number | undefined;
  overrideTensors?: readonly TensorOverride[] | undefined;
}

/** The options that say it. */
export const placementOptions = [
  'devices',
  'splitMode',
  'tensorSplit',
  'mainGpu',
  'cpuMoe',
  'overrideTensors',
] as const satisfies (keyof LoadOptions)[];

/**
 * What the native engine is told of a model's place. What only it can know (which devices there are, and what they can do) it checks
 * itself.
 *
 * @throws NudgingError ERR_INVALID_OPTION: options that exclude each other; a pattern that could take long
 */
export function placementOf({ devices, splitMode, tensorSplit, mainGpu, cpuMoe, overrideTensors }: PlacementOptions): NativePlacement {
  if (mainGpu !== undefined && splitMode !== undefined && splitMode !== 'none')
    reject('mainGpu', mainGpu, `left out with \`splitMode: "${splitMode}"\`: it is the one GPU that has the whole model`);
  if (tensorSplit !== undefined && (splitMode === 'none' || mainGpu !== undefined))
    reject('tensorSplit', tensorSplit, 'left out where one GPU has the whole model (`mainGpu`, `splitMode: "none"`)');
  const fault = faultOf(overrideTensors ?? []);
  if (fault) reject('overrideTensors', fault.value, fault.expected);
  return {
    ...(devices === undefined ? {} : { devices: [...devices] }),
    ...(splitMode === undefined ? {} : { splitMode }),
    ...(tensorSplit === undefined ? {} : { tensorSplit: [...tensorSplit] }),
    ...(mainGpu === undefined ? {} : { mainGpu }),
    cpuMoe: typeof cpuMoe === 'number' ? cpuMoe : cpuMoe ? -1 : 0,
    overrideTensors: (overrideTensors ?? []).map(({ pattern, device }) => ({ pattern, device })),
  };
}
