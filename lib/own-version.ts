import { readFileSync } from 'node:fs';
import { inPackage } from './here.ts';

/** The version of this package. @throws NudgingError ERR_NATIVE_LOAD where it was bundled */
export function ownVersion(): string {
  const { version } = JSON.parse(readFileSync(inPackage('package.json'), 'utf8')) as { version: string };
  return version;
}
