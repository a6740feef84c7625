import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { NudgingError } from './errors.ts';

/**
 * The file of this module, in lib/ or in dist/; nothing where a bundler left no such thing. Only the plain expression is read: bundlers
 * take `new URL(…, import.meta.url)` for a file to be copied, and esbuild and ncc leave `undefined` for it in CommonJS.
 */
const here: string | undefined = import.meta.url;

/** The path of a file of this package, from its root; nothing where this module does not know where it is. Touches no file. */
export function pathInPackage(name: string): string | undefined {
  try {
    return join(fileURLToPath(here as string), '..', '..', name);
  } catch {
    return undefined;
  }
}

/**
 * The same, where the package must be whole: its addon, its own programs and the demo pair lie beside its code, and a bundle takes none of
 * them along.
 *
 * @throws NudgingError ERR_NATIVE_LOAD
 */
export function inPackage(name: string): string {
  const path = pathInPackage(name);
  if (path === undefined || !isWhole()) throw bundled();
  return path;
}

function bundled(): NudgingError {
  const remedy = 'mark the package "nudging" as external in your bundler, and install it beside the bundle';
  return new NudgingError(
    'ERR_NATIVE_LOAD',
    `nudging was bundled, and its native addon cannot be: ${remedy} (docs/bundlers.md has the lines)`,
  );
}

let whole: boolean | undefined;

/** Whether this module lies in its package. */
function isWhole(): boolean {
  whole ??= nameOfPackage() === 'nudging';
  return whole;
}

function nameOfPackage(): string | undefined {
  try {
    const { name } = JSON.parse(readFileSync(pathInPackage('package.json') ?? '', 'utf8')) as { name?: string };
    return name;
  } catch {
    return undefined;
  }
}

let packages: NodeJS.Require | undefined;

/** Loads what this package depends on, and addons. @throws NudgingError ERR_NATIVE_LOAD where the package is bundled */
export function requireHere(): NodeJS.Require {
  // webpack puts `undefined` in place of the call. What it bundles would go on working where it was built, and nowhere else.
  packages ??= createRequire(inPackage('package.json')) as NodeJS.Require | undefined;
  if (!packages) throw bundled();
  return packages;
}
