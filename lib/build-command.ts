import { existsSync } from 'node:fs';
import path from 'node:path';
import { pathInPackage } from './here.ts';

const packageRoot = pathInPackage('') ?? '';

/** What builds the addon from source where this package lies. */
export function buildCommand(root = packageRoot): string {
  return existsSync(path.join(root, 'native')) ? 'npm run build:native' : 'npx nudging build';
}

/** How to get an addon that is missing or cannot be loaded, as a request. */
export function howToBuild(root = packageRoot): string {
  return `build it with "${buildCommand(root)}" (needs a C++20 compiler and CMake 3.21 or newer)`;
}
