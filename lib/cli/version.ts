import { readFileSync } from 'node:fs';
import { inPackage } from '../here.ts';
import { loadNative } from '../native.ts';

/** The package's own version. */
export function packageVersion(): string {
  const { version } = JSON.parse(readFileSync(inPackage('package.json'), 'utf8')) as { version: string };
  return version;
}

/** The line of --version. */
export function versionText(): string {
  let engine: string;
  try {
    engine = `llama.cpp ${loadNative().llamaVersion}`;
  } catch {
    engine = 'its native addon is not built';
  }
  return `nudging ${packageVersion()} (${engine})\n`;
}
