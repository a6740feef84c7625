import os from 'node:os';
import path from 'node:path';

/**
 * Where what was fetched or made at some cost is kept, outside the tree, so that checkouts share it: NUDGING_CACHE_DIR, or `nudging` in the
 * user's cache folder.
 * @param {NodeJS.ProcessEnv} [env]
 */
export function cacheDir(env = process.env) {
  if (env.NUDGING_CACHE_DIR) return path.resolve(env.NUDGING_CACHE_DIR);
  // The XDG specification has relative paths ignored.
  if (env.XDG_CACHE_HOME && path.isAbsolute(env.XDG_CACHE_HOME)) return path.join(env.XDG_CACHE_HOME, 'nudging');
  if (process.platform === 'win32' && env.LOCALAPPDATA) return path.join(env.LOCALAPPDATA, 'nudging', 'cache');
  return path.join(os.homedir(), '.cache', 'nudging');
}
