import { loadNative } from '../native.ts';
import { ownVersion } from '../own-version.ts';

/** The line of --version. */
export function versionText(): string {
  let engine: string;
  try {
    engine = `llama.cpp ${loadNative().llamaVersion}`;
  } catch {
    engine = 'its native addon is not built';
  }
  return `nudging ${ownVersion()} (${engine})\n`;
}
