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

function runsOnMusl(): boolean {
  try {
    return mapsMusl(readFileSync('/proc/self/maps', 'utf8'));
  } catch {
    return false;
  }
}

/**
 * Whether a process is one of musl, by what Linux says it has mapped (`/proc/self/maps`). musl's loader is its C library, and is mapped as
 * `ld-musl-x86_64.so.1` (Alpine), or as the `libc.so` that this is a link to (Void, Debian's package of it). glibc's is `libc.so.6`.
 */
export function mapsMusl(maps: string): boolean {
  return /\/(?:ld-musl-[^/\n]+|libc\.so)$/m.test(maps);
}
