import { howToBuild } from './build-command.ts';

/** The part of Node's `process.permission` that is of interest; missing without the permission model. */
interface Permission {
  has(scope: string, reference?: string): boolean;
}

/** What the remedy depends on; replaced in tests. */
export interface Circumstances {
  /** The file that NUDGING_BINARY names, as an absolute path. */
  named: string | undefined;
  permission: Permission | undefined;
  packageRoot: string;
}

/**
 * Of the libraries that an addon with CUDA in it needs: what installs them, and how they are found. Only the driver is not needed to load
 * it.
 */
const cudaLibrary = /\blib(?:cudart|cublas|cublasLt)\.so[.\d]*/;

/** What to do about a shared library that the addon needs and the system's loader did not find; nothing if that is not the reason. */
function missingLibrary(cause: unknown): string | undefined {
  const message = cause instanceof Error ? (cause.message.split('\n')[0] ?? '') : '';
  const library = /([\w.+-]+\.so[.\d]*): cannot open shared object file/.exec(message)?.[1];
  if (library === undefined) return undefined;
  if (!cudaLibrary.test(library)) return `install the package of your system that has ${library}, or add its folder to LD_LIBRARY_PATH`;
  const orItsFolder = `or add the folder that has ${library} to LD_LIBRARY_PATH before Node.js starts (docs/gpu.md)`;
  return `install the CUDA runtime libraries of the toolkit that it was built with, ${orItsFolder}`;
}

/** What to do about an addon that could not be loaded, as a request. */
export function remedyFor(cause: unknown, { named, permission, packageRoot }: Circumstances): string {
  const code = (cause as { code?: unknown } | null)?.code;
  const file = named ?? packageRoot;
  // The permission model names what it keeps away only if it is asked.
  const unreadable = code === 'ERR_ACCESS_DENIED' || permission?.has('fs.read', file) === false;
  if (unreadable) return `Node.js may not read it: add --allow-fs-read=${file}`;
  if (code === 'ERR_DLOPEN_DISABLED') {
    return permission
      ? "Node.js's permission model forbids native addons: add --allow-addons"
      : 'Node.js was told to load no native addons: leave out --no-addons (on the command line or in NODE_OPTIONS)';
  }
  const library = missingLibrary(cause);
  if (library !== undefined) return library;
  if (named !== undefined) return `check NUDGING_BINARY (${named})`;
  return howToBuild();
}
