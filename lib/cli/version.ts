import { readFileSync } from 'node:fs';
import { inPackage } from '../here.ts';

/** The package's own version. */
export function packageVersion(): string {
  const { version } = JSON.parse(readFileSync(inPackage('package.json'), 'utf8')) as { version: string };
  return version;
}
