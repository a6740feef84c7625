// Packages with binaries for GPUs. zig is no compiler that nvcc works with, so the system's own is taken: an old system makes a binary for
// old systems, and the check for glibc's version says whether it did (.github/workflows/release.yml names one).
import { BuildError } from './errors.mjs';

/**
 * @typedef {object} GpuTarget
 * @property {string} name     of its package, behind `@nudging/`
 * @property {'cuda' | 'vulkan'} variant  as `npm run build` has it
 * @property {'linux'} os      the three as package.json and npm have them
 * @property {'x64'} cpu
 * @property {'glibc'} libc
 * @property {readonly string[]} levels  of CPU: whoever has such a GPU has no older one
 * @property {string} [architectures] of CUDA, as CMake has them
 * @property {RegExp} libraries      that must be there when it is loaded, beside the C library's
 * @property {Record<string, string>} cmake
 */

/** @type {GpuTarget[]} */
export const gpuTargets = [
  {
    name: 'linux-x64-cuda',
    variant: 'cuda',
    os: 'linux',
    cpu: 'x64',
    libc: 'glibc',
    levels: ['v3'],
    // From Turing on, what nvcc 13 can do. Code for the GPUs of data centres and of today; the driver compiles the rest once, when it is
    // first loaded, because code for every one would be twice as large. Of those, 89 must be one: llama.cpp asks the GPU how large batches
    // of experts may be, and the kernel what it was compiled for (get_mmvq_mmid_max_batch). 86 has nothing that 80 has not.
    architectures: '75-virtual;80-virtual;89-virtual;90;120-real',
    libraries: /^libcublas(?:Lt)?\.so\.\d+$/,
    cmake: { NUDGING_PUBLISHED: 'ON' },
  },
  {
    name: 'linux-x64-vulkan',
    variant: 'vulkan',
    os: 'linux',
    cpu: 'x64',
    libc: 'glibc',
    levels: ['v3'],
    libraries: /^libvulkan\.so\.1$/,
    // It is the system's, wherever the machine that builds has it.
    cmake: { CMAKE_SKIP_BUILD_RPATH: 'ON' },
  },
];

/** @param {string} name @returns {GpuTarget | undefined} */
export const findGpuTarget = (name) => gpuTargets.find((target) => target.name === name);

/** @param {string} architectures as CMake has them; nvcc's spelling is easily mistaken for it */
export function checkArchitectures(architectures) {
  const wrong = architectures.split(';').find((each) => !/^\d{2,3}[af]?(?:-real|-virtual)?$/.test(each));
  if (wrong !== undefined)
    throw new BuildError(`"${wrong}" is no architecture: 90, 90-real (code alone) or 90-virtual (for the driver to compile)`);
}
