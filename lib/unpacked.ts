import { existsSync } from 'node:fs';

/**
 * The file that the system opens for a path. Electron keeps an application in an archive (`app.asar`), and lets its own `fs` look into it;
 * llama.cpp and the loader of shared libraries cannot. What is no part of the archive lies beside it, in `app.asar.unpacked`, and has the
 * archive's name in its path all the same.
 */
export function unpacked(path: string, exists: (path: string) => boolean = existsSync): string {
  const outside = path.replace(/\.asar(?=[\\/])/, '.asar.unpacked');
  return outside !== path && exists(outside) ? outside : path;
}
