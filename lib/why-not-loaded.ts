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
  if (named !== undefined) return `check NUDGING_BINARY (${named})`;
  return howToBuild();
}
