// The systems that binaries are published for, and the compiler for them.
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { BuildError } from './errors.mjs';
import { inRoot } from './paths.mjs';
import { pipTool } from './pip-tool.mjs';

/**
 * @typedef {object} Target
 * @property {string} name      of its package, behind `@nudging/`
 * @property {string} triple    as zig names it, with the oldest version of glibc
 * @property {'linux'} os       the three as package.json and npm have them
 * @property {'x64' | 'arm64'} cpu
 * @property {'glibc' | 'musl'} libc
 * @property {readonly string[]} levels of CPU, the oldest first: cmake/levels.cmake
 * @property {Record<string, string>} cmake
 */

const x64 = /** @type {const} */ (['v2', 'v3', 'icelake', 'sapphirerapids']);
const arm64 = /** @type {const} */ (['dotprod', 'i8mm']);

/** @param {'x64' | 'arm64'} cpu @param {'glibc' | 'musl'} libc @returns {Target} */
function linux(cpu, libc) {
  const machine = cpu === 'x64' ? 'x86_64' : 'aarch64';
  return {
    name: `${libc === 'musl' ? 'linuxmusl' : 'linux'}-${cpu}`,
    // The floor of Node.js's own binaries.
    triple: `${machine}-linux-${libc === 'musl' ? 'musl' : 'gnu.2.28'}`,
    os: 'linux',
    cpu,
    libc,
    levels: cpu === 'x64' ? x64 : arm64,
    // Without precompiled headers ccache knows a file again when the next level is built, which differs in a few files only.
    cmake: { CMAKE_SYSTEM_NAME: 'Linux', CMAKE_SYSTEM_PROCESSOR: machine, CMAKE_DISABLE_PRECOMPILE_HEADERS: 'ON' },
  };
}

/** Those that are built on Linux, whatever the machine. Windows and macOS build on themselves: .github/workflows/release.yml. */
export const targets = [linux('x64', 'glibc'), linux('arm64', 'glibc'), linux('x64', 'musl'), linux('arm64', 'musl')];

/** @param {string} name @returns {Target} */
export function findTarget(name) {
  const found = targets.find((target) => target.name === name);
  if (!found) throw new BuildError(`unknown target "${name}"; known are ${targets.map((target) => target.name).join(', ')}.`);
  return found;
}

/** With the C libraries of all targets, old and new, in one wheel; libc++ becomes part of what it links. */
export const zig = {
  name: 'ziglang',
  version: '0.17.1',
  // For Linux on x86-64, the machine that releases are made on.
  sha256: ['ea6cc5d87b033cf0aedfbc8f9549a908cae6c50ac31f1698188fa48a74524b54'],
};

/**
 * CC and CXX for a target, as an environment to add. CMake calls a compiler by one name, so each is a small shell script, which leaves out
 * what zig does not know.
 * @param {Target} target
 * @returns {Promise<NodeJS.ProcessEnv>}
 */
export async function compilersFor(target) {
  const program = path.join(await pipTool('zig', zig), 'ziglang/zig');
  const folder = inRoot('.native/zig', target.name);
  mkdirSync(folder, { recursive: true });
  const wrapper = (/** @type {string} */ file, /** @type {string} */ command) => {
    const script = path.join(folder, file);
    writeFileSync(script, command);
    chmodSync(script, 0o755);
    return script;
  };
  const compile = (/** @type {'cc' | 'c++'} */ language) => `#!/bin/sh
for argument do
  shift
  case $argument in
    # Its names of ARM's extensions are LLVM's.
    -march=armv8.2-a+dotprod) set -- "$@" -mcpu=generic+v8_2a+dotprod ;;
    -march=armv8.6-a+dotprod+fp16+i8mm+nosve) set -- "$@" -mcpu=generic+v8_6a+dotprod+fullfp16+i8mm ;;
    *) set -- "$@" "$argument" ;;
  esac
done
exec "${program}" ${language} -target ${target.triple} "$@"
`;
  const tool = (/** @type {string} */ name) => wrapper(name, `#!/bin/sh\nexec "${program}" ${name} "$@"\n`);
  return {
    CC: wrapper('cc', compile('cc')),
    CXX: wrapper('c++', compile('c++')),
    NUDGING_AR: tool('ar'),
    NUDGING_RANLIB: tool('ranlib'),
    ZIG_GLOBAL_CACHE_DIR: inRoot('.native/zig/cache'),
    ZIG_LOCAL_CACHE_DIR: inRoot('.native/zig/cache'),
    CCACHE_COMPILERTYPE: 'clang',
  };
}
