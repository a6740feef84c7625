import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { howToBuild } from '../build-command.ts';
import { NudgingError } from '../errors.ts';
import { inPackage } from '../here.ts';
import { ownVersion } from '../own-version.ts';
import { unpacked } from '../unpacked.ts';
import type { Binary } from './binary.ts';
import { chooseLevel } from './level.ts';
import { cpuPackage, gpuPackages, packageFor, type Driver, type Found } from './packages.ts';
import { platformName, thisPlatform, type Platform } from './platform.ts';

/** What the choice depends on; replaced in tests. */
export interface Surroundings {
  env: NodeJS.ProcessEnv;
  platform: Platform;
  require: NodeJS.Require;
  exists: (path: string) => boolean;
  /** Whether a driver for GPUs runs here: NVIDIA's, or any. */
  hasDriver: (driver: Driver) => boolean;
  /** Files of this package that may have been built. */
  built: readonly string[];
  version: string;
  /** Whether this is no installed package, but the project itself. */
  isCheckout: boolean;
}

/** Those of this process. @throws NudgingError ERR_NATIVE_LOAD where this package was bundled */
export function surroundings(require: NodeJS.Require): Surroundings {
  return {
    env: process.env,
    platform: thisPlatform(),
    require,
    exists: existsSync,
    hasDriver,
    built: [inPackage('build/Release/nudging.node')],
    version: ownVersion(),
    isCheckout: existsSync(inPackage('native')),
  };
}

/**
 * The binaries that may be loaded, the first choice first: the one that NUDGING_BINARY names and no other; one that was built here; that of
 * the installed GPU packages, where a driver runs; that of this platform's package for this CPU. A further one is for when its predecessor
 * cannot be loaded, as when a library for its GPU is missing.
 *
 * @throws NudgingError ERR_NATIVE_LOAD where there is none, with what to install
 */
export function findBinaries(around: Surroundings): Binary[] {
  const { env, platform, require, exists, built } = around;
  const named = env['NUDGING_BINARY'];
  if (named) return [{ path: resolve(named), from: 'NUDGING_BINARY' }];
  const here = [...built, ...builtFromSourcePackage(around)].find((path) => exists(path));
  if (here !== undefined) return [{ path: here, from: 'build' }];

  const name = platformName(platform);
  const forGpus = gpuPackages(name, require, (driver) => Boolean(env['NUDGING_GPU']) || around.hasDriver(driver));
  const cpu = cpuPackage(name, require);
  const found = [...forGpus, cpu].filter((each) => each !== undefined);
  if (found.length === 0) throw new NudgingError('ERR_NATIVE_LOAD', nothingFound(around));
  return found.map((each) => {
    const binary = choose(each, around);
    return { ...binary, path: unpacked(binary.path, exists) };
  });
}

function choose(found: Found, { env, require, version, exists }: Surroundings): Binary {
  if (found.version !== version)
    throw new NudgingError(
      'ERR_NATIVE_LOAD',
      `${found.name} is of version ${found.version}, and nudging of ${version}: install ${found.name}@${version}`,
    );
  const { name } = found;
  if (found.levels === undefined) return { path: found.binaries['any'] as string, from: name };
  const scores = require(unpacked(found.levels, exists)) as Record<string, number>;
  return { ...chooseLevel(found, scores, env['NUDGING_CPU']), from: name };
}

/** What `npx nudging build` makes where the source is a package of its own. */
function builtFromSourcePackage({ require, version }: Surroundings): string[] {
  try {
    const manifest = require('@nudging/source/package.json') as { version: string };
    if (manifest.version !== version) return [];
    return [resolve(require.resolve('@nudging/source/package.json'), '../build/Release/nudging.node')];
  } catch {
    return [];
  }
}

function nothingFound({ platform, version, isCheckout }: Surroundings): string {
  const name = platformName(platform);
  const libc = platform.os === 'linux' ? ` (${platform.musl ? 'musl' : 'glibc'})` : '';
  if (isCheckout) return `the native addon for ${name}${libc} is not there: ${howToBuild()}`;
  const wanted = packageFor(name);
  const build = 'build it from source with "npx nudging build"';
  if (wanted === undefined) return `there is no published binary for ${name}${libc}: ${build}`;
  return (
    `the native addon for ${name}${libc} is not installed: install ${wanted}@${version}, or ${build}. It is an optional dependency, ` +
    'which package managers leave out with --omit=optional or --no-optional, and where the lock file was made on another system: remove ' +
    'node_modules and the lock file, and install again'
  );
}

/** On Linux, for which there are such packages. The last one of NVIDIA's is that of Windows' Linux. */
const nvidia = ['/proc/driver/nvidia/version', '/dev/dxg'];
const driverFiles: Record<Driver, readonly string[]> = { nvidia, any: [...nvidia, '/dev/dri/renderD128'] };

function hasDriver(driver: Driver): boolean {
  return driverFiles[driver].some((file) => {
    try {
      return existsSync(file);
    } catch {
      // Deno asks for more rights to look there.
      return false;
    }
  });
}
