/** What the `index.cjs` of a package with binaries says (scripts/lib/packages/platform.mjs writes it). Paths are absolute. */
export interface BinaryPackage {
  version: string;
  /** By the level of CPU, or `any` for a package with a single one. */
  binaries: Record<string, string>;
  /** The addon that says which levels this CPU can run; missing where there are none to choose from. */
  levels?: string;
}

/**
 * The packages that there may be, each by a name in plain sight: bundlers and tracers of files follow nothing else. They are published
 * together with this one, and are optional dependencies of it, except those for GPUs.
 */
const packages: Record<string, (require: NodeJS.Require) => unknown> = {
  'linux-x64': (require) => require('@nudging/linux-x64'),
  'linux-arm64': (require) => require('@nudging/linux-arm64'),
  'linuxmusl-x64': (require) => require('@nudging/linuxmusl-x64'),
  'linuxmusl-arm64': (require) => require('@nudging/linuxmusl-arm64'),
  'darwin-arm64': (require) => require('@nudging/darwin-arm64'),
  'win32-x64': (require) => require('@nudging/win32-x64'),
};

/** What a GPU's package needs of the machine: a driver of NVIDIA's, or one for any GPU. */
export type Driver = 'nvidia' | 'any';

interface GpuPackage {
  name: string;
  driver: Driver;
  load: (require: NodeJS.Require) => unknown;
}

/** For GPUs, by platform, the first choice first. Nobody gets them who does not name them. */
const gpuPackagesOf: Record<string, readonly GpuPackage[]> = {
  'linux-x64': [
    { name: '@nudging/linux-x64-cuda', driver: 'nvidia', load: (require) => require('@nudging/linux-x64-cuda') },
    { name: '@nudging/linux-x64-vulkan', driver: 'any', load: (require) => require('@nudging/linux-x64-vulkan') },
  ],
};

/** A package that is there, and its name. */
export interface Found extends BinaryPackage {
  name: string;
}

/** The name of a platform's package; nothing where there is none. */
export function packageFor(platform: string): string | undefined {
  return Object.hasOwn(packages, platform) ? `@nudging/${platform}` : undefined;
}

/** The platform's package; nothing where it is not installed. */
export function cpuPackage(platform: string, require: NodeJS.Require): Found | undefined {
  const name = packageFor(platform);
  return name === undefined ? undefined : found(name, packages[platform] as (require: NodeJS.Require) => unknown, require);
}

/** The packages for this platform's GPUs that are installed, and for which there is a driver. */
export function gpuPackages(platform: string, require: NodeJS.Require, hasDriver: (driver: Driver) => boolean): Found[] {
  const candidates = (gpuPackagesOf[platform] ?? []).filter(({ driver }) => hasDriver(driver));
  return candidates.map(({ name, load }) => found(name, load, require)).filter((each) => each !== undefined);
}

/** Names of those that are installed, whether or not there is a driver and whether or not they are whole. */
export function installedGpuPackages(platform: string, require: NodeJS.Require): string[] {
  const names = (gpuPackagesOf[platform] ?? []).map(({ name }) => name);
  return names.filter((name) => {
    try {
      return require.resolve(name) !== '';
    } catch {
      return false;
    }
  });
}

function found(name: string, load: (require: NodeJS.Require) => unknown, require: NodeJS.Require): Found | undefined {
  try {
    return { name, ...(load(require) as BinaryPackage) };
  } catch (error) {
    // Only "there is no such package": one that is broken says so.
    const { code, message } = error as { code?: unknown; message?: unknown };
    if (code === 'MODULE_NOT_FOUND' && typeof message === 'string' && message.includes(`'${name}'`)) return undefined;
    // Deno's and Yarn's words for the same.
    if (code === 'ERR_MODULE_NOT_FOUND' || code === 'QUALIFIED_PATH_RESOLUTION_FAILED' || code === 'UNDECLARED_DEPENDENCY')
      return undefined;
    throw error;
  }
}
