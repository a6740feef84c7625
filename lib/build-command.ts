import { existsSync } from 'node:fs';
import path from 'node:path';
import { pathInPackage } from './here.ts';

const packageRoot = pathInPackage('') ?? '';

/** Who installed a package, as far as its place tells. */
type Installer = 'checkout' | 'npm' | 'pnpm' | 'yarn' | 'bun';

const commands: Record<Installer, { build: string; allow?: string }> = {
  checkout: { build: 'npm run build:native' },
  npm: { build: 'npm rebuild nudging --foreground-scripts', allow: 'npm install-scripts approve nudging' },
  pnpm: { build: 'pnpm rebuild nudging', allow: 'pnpm approve-builds' },
  yarn: { build: 'yarn rebuild nudging' },
  bun: { build: 'bun install --force', allow: 'bun pm trust nudging' },
};

/** What builds the addon where this package lies: package managers rebuild dependencies, and a checkout is none. */
export function buildCommand(root = packageRoot): string {
  return commands[installerOf(root)].build;
}

/**
 * How to get an addon that is missing or cannot be loaded, as a request. Package managers that run no script of a package unless told to
 * leave it without one, and say so in a line that is easily missed.
 */
export function howToBuild(root = packageRoot): string {
  const { build, allow } = commands[installerOf(root)];
  const blocked = allow === undefined ? '' : `; where install scripts are blocked, allow this package's first: "${allow}"`;
  return `build it with "${build}" (needs a C++20 compiler and CMake 3.21 or newer)${blocked}`;
}

function installerOf(root: string): Installer {
  if (existsSync(path.join(root, 'lib'))) return 'checkout';
  const folders = root.split(/[\\/]/);
  if (folders.includes('.pnpm')) return 'pnpm';
  if (folders.includes('.yarn')) return 'yarn';
  // What lies beside the outermost node_modules is what the project was installed with.
  const project = folders.slice(0, Math.max(folders.indexOf('node_modules'), 0)).join(path.sep);
  const has = (name: string) => project !== '' && existsSync(path.join(project, name));
  if (has('bun.lock') || has('bun.lockb')) return 'bun';
  if (has('pnpm-lock.yaml')) return 'pnpm';
  if (has('yarn.lock')) return 'yarn';
  return 'npm';
}
