import { algorithmMutants } from './algorithm.mjs';
import { bytesMutants } from './bytes.mjs';
import { endsMutants } from './ends.mjs';
import { gpuMutants } from './gpus.mjs';
import { guardMutants } from './guard.mjs';
import { lanesMutants } from './lanes.mjs';
import { mixtureMutants } from './mixtures.mjs';
import { promptsMutants } from './prompts.mjs';
import { remoteMutants } from './remote.mjs';
import { rpcMutants } from './rpc.mjs';
import { rulesMutants } from './rules.mjs';
import { samplingMutants } from './sampling.mjs';
import { trustMutants } from './trust.mjs';

/**
 * Deliberately wrong engines. Each changes one place of the native source; at least one test must notice.
 *
 * @typedef {object} Mutant
 * @property {string} name  what the wrong engine does
 * @property {string} file  below native/, or llama.cpp's folder
 * @property {string} from  text that occurs exactly once in the file, white space apart
 * @property {string} to
 * @property {string[]} [tests]  only these show it: the other Node tests are not run
 * @property {string} [native]  the engine test that shows it
 * @property {boolean} [vendored]  the file is one of llama.cpp's, patched: what is undone is a patch
 */

/** All of them, by subject. @type {Mutant[]} */
export const mutants = [
  ...algorithmMutants,
  ...endsMutants,
  ...rulesMutants,
  ...samplingMutants,
  ...lanesMutants,
  ...trustMutants,
  ...promptsMutants,
  ...bytesMutants,
  ...mixtureMutants,
  ...guardMutants,
  ...gpuMutants,
  ...remoteMutants,
  ...rpcMutants,
];
