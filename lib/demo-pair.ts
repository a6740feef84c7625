import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { pathInPackage } from './here.ts';

/** The package that has the demonstration pair, an optional dependency; a checkout has it in models/demo. */
export const demoPackage = '@nudging/demo';

/**
 * The manifest of the demonstration pair. Where its package is not installed, or this one is bundled, it leads nowhere, and loading says
 * so.
 */
export const demoPair = place();

function place(): string {
  const manifest = 'models/demo/pair.json';
  const here = pathInPackage(manifest);
  if (here === undefined || existsSync(here)) return here ?? manifest;
  try {
    const require = createRequire(here);
    return require.resolve('@nudging/demo/pair.json');
  } catch {
    return here;
  }
}
