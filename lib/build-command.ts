import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** What builds the addon where this package lies: npm rebuilds dependencies, and a checkout is none. */
export function buildCommand(): string {
  const isCheckout = existsSync(fileURLToPath(new URL('../lib', import.meta.url)));
  return isCheckout ? 'npm run build:native' : 'npm rebuild nudging --foreground-scripts';
}
