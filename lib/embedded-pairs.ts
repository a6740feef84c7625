import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { pathInPackage } from './here.ts';

/** The package that has the embedded pairs, an optional dependency; a checkout has them in models/. */
export const demoPackage = '@nudging/demo';

/** Pairs that are called by their names alone: models/NAME of a checkout, NAME/ of the package. */
export const embeddedPairs: readonly string[] = ['demo', 'harbor'];

/** The manifest of the demonstration pair. Where its package is not installed it leads nowhere, and loading says so. */
export const demoPair = embeddedPair('demo');

/**
 * The manifest of an embedded pair. Where their package is not installed, or this one is bundled, it leads nowhere.
 *
 * @param name one of embeddedPairs
 */
export function embeddedPair(name: string): string {
  const manifest = `models/${name}/pair.json`;
  const here = pathInPackage(manifest);
  if (here === undefined || existsSync(here)) return here ?? manifest;
  try {
    const require = createRequire(here);
    return require.resolve(`${demoPackage}/${name}/pair.json`);
  } catch {
    return here;
  }
}
