import { existsSync } from 'node:fs';
import { pathInPackage } from './here.ts';

/** What builds the addon where this package lies: npm rebuilds dependencies, and a checkout is none. */
export function buildCommand(): string {
  const isCheckout = existsSync(pathInPackage('lib') ?? '');
  return isCheckout ? 'npm run build:native' : 'npm rebuild nudging --foreground-scripts';
}
