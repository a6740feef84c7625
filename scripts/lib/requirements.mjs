import { accessSync, constants, statSync } from 'node:fs';
import path from 'node:path';
import { BuildError } from './errors.mjs';
import { run } from './process.mjs';

const oldestNode = [20, 19];
const oldestCMake = [3, 21];
// The first with cooperative matrices, without which llama.cpp's shaders are not compiled. Debian 12 has 2023.2.
const oldestShaderc = [2023, 5];
// The first releases that compile C++20 coroutines and concepts as we use them.
const oldestCompiler = { gcc: 11, clang: 14 };

/**
 * @param {string} name
 * @param {NodeJS.ProcessEnv} [env]
 * @returns {string | undefined}
 */
export function findProgram(name, env = process.env) {
  const names = process.platform === 'win32' ? [`${name}.exe`, name] : [name];
  const folders = path.isAbsolute(name) ? [''] : (env.PATH ?? env.Path ?? '').split(path.delimiter).filter(Boolean);
  for (const folder of folders) {
    for (const file of names.map((each) => path.join(folder, each))) {
      try {
        accessSync(file, constants.X_OK);
        if (statSync(file).isFile()) return file;
      } catch {
        // look on
      }
    }
  }
  return undefined;
}

/** The compiler CMake will take: what CXX names, or the first of the usual ones. */
export function findCompilers(env = process.env) {
  const named = env.CXX?.trim().split(/\s+/)[0];
  const pairs = named
    ? [[env.CC?.trim().split(/\s+/)[0] ?? '', named]]
    : [
        ['gcc', 'g++'],
        ['clang', 'clang++'],
        ['cc', 'c++'],
      ];
  for (const [c = '', cxx = ''] of process.platform === 'darwin' && !named ? pairs.reverse() : pairs) {
    const found = findProgram(cxx, env);
    if (found) return { cxx: found, c: c ? findProgram(c, env) : undefined };
  }
  return undefined;
}

/** @param {readonly number[]} found @param {readonly number[]} oldest */
const isOlder = ([major = 0, minor = 0], [oldestMajor = 0, oldestMinor = 0]) =>
  major < oldestMajor || (major === oldestMajor && minor < oldestMinor);

/** @param {string} text */
const versionIn = (text) => (/(\d+)\.(\d+)/.exec(text)?.slice(1) ?? []).map(Number);

/**
 * Finds out what is missing before CMake does, which would say it in a page.
 * @param {{ variant: string, env?: NodeJS.ProcessEnv, node?: string }} options
 */
export async function checkRequirements({ variant, env = process.env, node = process.versions.node }) {
  if (isOlder(versionIn(node), oldestNode)) {
    throw new BuildError(`Node.js ${node} is too old: nudging needs ${oldestNode.join('.')} or newer.`);
  }
  const cmake = findProgram('cmake', env);
  if (!cmake) {
    throw new BuildError(`CMake ${oldestCMake.join('.')} or newer is needed to build nudging and was not found. ${remedy('cmake')}`);
  }
  const version = versionIn((await run(cmake, ['--version'], { env })).output);
  if (isOlder(version, oldestCMake)) {
    throw new BuildError(`CMake ${version.join('.')} is too old: ${oldestCMake.join('.')} or newer is needed. ${remedy('cmake')}`);
  }
  if (process.platform !== 'win32') await checkCompiler(env);
  if (variant === 'cuda' && !findProgram('nvcc', env) && !env.CUDACXX && !env.CUDA_PATH && !findProgram('/usr/local/cuda/bin/nvcc')) {
    throw new BuildError("the CUDA compiler nvcc was not found. Install NVIDIA's CUDA toolkit, or set CUDACXX to its nvcc.");
  }
  if (variant === 'vulkan') await checkShaderCompiler(env);
  if (variant === 'metal' && process.platform !== 'darwin') {
    throw new BuildError('the metal variant can only be built on macOS.');
  }
}

/** @param {NodeJS.ProcessEnv} env */
async function checkShaderCompiler(env) {
  // Where CMake looks, too.
  const glslc = findProgram('glslc', env.VULKAN_SDK ? { PATH: path.join(env.VULKAN_SDK, 'bin') } : env) ?? findProgram('glslc', env);
  const how = remedy('glslc libvulkan-dev spirv-headers', 'shaderc vulkan-headers vulkan-loader');
  if (!glslc) throw new BuildError(`the Vulkan shader compiler glslc was not found. ${how}`);
  const version = versionIn((await run(glslc, ['--version'], { env })).output);
  if (!isOlder(version, oldestShaderc)) return;
  const needed = `${oldestShaderc.join('.')} or newer is needed, and Vulkan's headers of its time`;
  throw new BuildError(`${glslc} (shaderc ${version.join('.')}) is too old: ${needed}. VULKAN_SDK names a folder that has them.`);
}

/** @param {NodeJS.ProcessEnv} env */
async function checkCompiler(env) {
  const found = findCompilers(env);
  if (!found) {
    const which = env.CXX
      ? `CXX names "${env.CXX}", which was not found.`
      : 'a C++20 compiler is needed to build nudging and none was found.';
    throw new BuildError(`${which} ${remedy('g++', undefined, 'xcode-select --install')}`);
  }
  const { output } = await run(found.cxx, ['-dM', '-E', '-x', 'c++', process.platform === 'win32' ? 'NUL' : '/dev/null'], { env });
  const macro = (/** @type {string} */ name) => Number(new RegExp(`#define ${name} (\\d+)`).exec(output)?.[1] ?? Number.NaN);
  const clang = macro('__clang_major__');
  const [kind, version] = Number.isNaN(clang) ? /** @type {const} */ (['gcc', macro('__GNUC__')]) : /** @type {const} */ (['clang', clang]);
  if (version < oldestCompiler[kind]) {
    throw new BuildError(
      `${found.cxx} (${kind} ${version}) is too old for C++20: ${kind} ${oldestCompiler[kind]} or newer is needed, named in CXX.`,
    );
  }
}

/** @param {string} debian @param {string} [brew] @param {string} [mac] */
function remedy(debian, brew = debian, mac = `brew install ${brew}`) {
  if (process.platform === 'darwin') return `Install it: \`${mac}\`.`;
  if (process.platform === 'win32') return 'Install it, for instance with Visual Studio 2022 (workload "Desktop development with C++").';
  return `Install it, on Debian or Ubuntu: \`apt-get install ${debian}\`.`;
}
