import { BuildError } from './errors.mjs';
import { inRoot } from './paths.mjs';

export const variants = /** @type {const} */ (['cpu', 'cuda', 'vulkan', 'metal']);
const configs = {
  release: { buildType: 'Release', sanitize: 'none', flags: {} },
  debug: { buildType: 'Debug', sanitize: 'none', flags: {} },
  // -O1: at -O0 a model is too slow to test with, above it reports lose their lines.
  asan: { buildType: 'RelWithDebInfo', sanitize: 'address', flags: sanitizerFlags() },
  tsan: { buildType: 'RelWithDebInfo', sanitize: 'thread', flags: sanitizerFlags() },
};

function sanitizerFlags() {
  return { CMAKE_C_FLAGS_RELWITHDEBINFO: '-O1 -g1', CMAKE_CXX_FLAGS_RELWITHDEBINFO: '-O1 -g1' };
}

/**
 * @typedef {object} Plan everything that decides what a build makes
 * @property {string} name       names the tree: one tree a plan, because CMake keeps flags of an earlier one
 * @property {string} out
 * @property {string} buildType
 * @property {Record<string, string>} cmake
 * @property {boolean} isRelease whether the result is what an installed package loads
 * @property {Part[]} parts
 */

/** @typedef {'addon' | 'tests' | 'tools'} Part */

/**
 * @typedef {object} Wanted
 * @property {string} [variant]
 * @property {string} [config]
 * @property {string} [cudaArch]
 * @property {Part[]} [parts]
 * @property {string} [level]  of CPU (cmake/levels.cmake)
 * @property {{ name: string, cmake: Record<string, string> }} [target]  what a package is for; missing: this machine
 */

/**
 * @param {Wanted} wanted
 * @param {NodeJS.ProcessEnv} [env]
 * @returns {Plan}
 */
export function makePlan(wanted, env = process.env) {
  const variant = wanted.variant ?? env.NUDGING_VARIANT ?? (process.platform === 'darwin' ? 'metal' : 'cpu');
  const config = wanted.config ?? 'release';
  if (!variants.some((known) => known === variant)) {
    throw new BuildError(`unknown variant "${variant}"; known are ${variants.join(', ')}.`);
  }
  if (!Object.hasOwn(configs, config)) {
    throw new BuildError(`unknown config "${config}"; known are ${Object.keys(configs).join(', ')}.`);
  }
  const { buildType, sanitize, flags } = configs[/** @type {keyof typeof configs} */ (config)];
  const { level } = wanted;
  const portable = level !== undefined || env.NUDGING_NATIVE === 'OFF';
  const kind = level === undefined ? (portable ? '-portable' : '') : `-${wanted.target?.name ?? process.arch}-${level}`;
  const name = `${variant}-${config}${kind}`;
  return {
    name,
    out: inRoot('.native', name),
    buildType,
    isRelease: config === 'release' && wanted.target === undefined,
    parts: wanted.parts ?? ['addon'],
    cmake: {
      NUDGING_VARIANT: variant,
      NUDGING_SANITIZE: sanitize,
      NUDGING_NATIVE: portable ? 'OFF' : 'ON',
      ...flags,
      ...(level === undefined ? {} : { NUDGING_LEVEL: level }),
      ...wanted.target?.cmake,
      ...(wanted.cudaArch ? { CMAKE_CUDA_ARCHITECTURES: wanted.cudaArch } : {}),
    },
  };
}
