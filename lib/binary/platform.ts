import { readFileSync } from 'node:fs';

/** What decides which binary runs. */
export interface Platform {
  os: NodeJS.Platform;
  arch: string;
  /** Whether the C library is musl (Alpine) and not glibc. */
  musl: boolean;
}

/** Where this process runs. */
export function thisPlatform(): Platform {
  return { os: process.platform, arch: process.arch, musl: process.platform === 'linux' && runsOnMusl() };
}

/** Its name in the names of packages: `linux-x64`, `linuxmusl-x64`, `darwin-arm64`. */
export function platformName({ os, arch, musl }: Platform): string {
  return `${os}${musl ? 'musl' : ''}-${arch}`;
}

/** The loader of shared libraries is mapped into every process that uses any. */
function runsOnMusl(): boolean {
  try {
    return /\/ld-musl-/.test(readFileSync('/proc/self/maps', 'utf8'));
  } catch {
    return false;
  }
}
