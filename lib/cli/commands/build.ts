import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { pathInPackage, requireHere } from '../../here.ts';
import { ownVersion } from '../../own-version.ts';
import { readFlags } from '../args.ts';
import { exitCodes, UsageError } from '../failure.ts';
import { print } from '../terminal.ts';
import type { Command } from './command.ts';

const variants = ['cuda', 'vulkan', 'metal'] as const;

export const build: Command = {
  name: 'build',
  summary: 'build the native addon from source, for this machine',
  usage: ['[flags]'],
  about: `For machines that no published binary is for, and for binaries with more in them: everything this CPU can do, CUDA, Vulkan. What \
it makes is used instead of the published binary from then on, by this installation alone. Needs a C++20 compiler (GCC 11, Clang 14 or \
newer) and CMake 3.21 or newer, takes minutes, and says what is missing.

The source is a package of its own, of the same version as this one:
  npm install @nudging/source
  npx nudging build`,
  groups: [
    {
      title: 'Where models run',
      flags: [
        { name: 'cuda', about: "NVIDIA's GPUs; needs the CUDA toolkit (docs/gpu.md)" },
        { name: 'vulkan', about: 'any GPU with Vulkan; needs its headers and glslc (shaderc 2023.5). Not tried on a GPU' },
        { name: 'metal', about: "Apple's GPUs: the default there. Not tried" },
        { name: 'cuda-arch', value: 'LIST', about: 'CUDA architectures, such as 90 or "86;90"', otherwise: 'those of this machine' },
        { name: 'portable', about: 'for other CPUs than this one, too: nothing that is newer than AVX2' },
      ],
    },
  ],
  notes: `CC and CXX name other compilers. The whole output of the compilers lies in .native/ beside the source.`,
  async run(argv, interrupt) {
    const { values, switches, words } = readFlags(this.groups, argv, this.name);
    if (words.length > 0) throw new UsageError(`build takes no words: leave out "${words[0]}"`);
    const chosen = variants.filter((variant) => switches.has(variant));
    if (chosen.length > 1) throw new UsageError(`a binary is for one kind of GPU: choose between --${chosen.join(' and --')}`);
    const arch = values['cuda-arch'] as string | undefined;
    if (arch !== undefined && chosen[0] !== 'cuda') throw new UsageError('--cuda-arch is for --cuda: add that');
    const args = [
      join(sourceFolder(), 'scripts/build.mjs'),
      ...(chosen[0] ? ['--variant', chosen[0]] : []),
      ...(arch === undefined ? [] : ['--cuda-arch', arch]),
    ];
    const env = { ...process.env, ...(switches.has('portable') ? { NUDGING_NATIVE: 'OFF' } : {}) };
    const code = await runNode(args, env, interrupt.signal);
    if (code === 0) print('It is used from now on; nudging doctor shows it.\n');
    return interrupt.exitCode ?? (code === 0 ? exitCodes.ok : exitCodes.failed);
  },
};

/** A checkout, or the package that has the source. @throws UsageError where there is neither */
function sourceFolder(): string {
  const here = pathInPackage('');
  if (here !== undefined && existsSync(join(here, 'native'))) return here;
  const version = ownVersion();
  const install = `npm install @nudging/source@${version}`;
  let manifest: string;
  try {
    manifest = requireHere().resolve('@nudging/source/package.json');
  } catch {
    throw new UsageError(`the source is not here, which is a package of its own: "${install}" brings it`);
  }
  const found = (requireHere()(manifest) as { version: string }).version;
  if (found !== version) throw new UsageError(`@nudging/source is of version ${found}, and nudging of ${version}: "${install}"`);
  return dirname(manifest);
}

function runNode(args: string[], env: NodeJS.ProcessEnv, signal: AbortSignal): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, args, { env, stdio: 'inherit' });
    // On a terminal Ctrl-C reaches it by itself; a signal to this process alone does not.
    signal.addEventListener('abort', () => child.kill('SIGTERM'), { once: true });
    child.once('error', reject);
    child.once('close', (code) => resolve(code ?? 1));
  });
}
