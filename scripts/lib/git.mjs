import os from 'node:os';
import path from 'node:path';
import { BuildError } from './errors.mjs';
import { run } from './process.mjs';

/**
 * Runs git in a folder as if nothing surrounded it.
 * @param {string} cwd
 * @param {readonly string[]} args
 * @returns {Promise<{ code: number, output: string }>}
 */
export async function tryGit(cwd, ...args) {
  // A hook or a surrounding repository must not redirect these commands; a user's settings must not change file contents.
  const env = Object.fromEntries(Object.entries(process.env).filter(([key]) => !key.startsWith('GIT_')));
  const fixed = ['-c', 'core.autocrlf=false', '-c', 'core.longpaths=true', '-c', 'advice.detachedHead=false'];
  const result = await run('git', [...fixed, ...args], {
    cwd,
    env: { ...env, GIT_CONFIG_NOSYSTEM: '1', GIT_CONFIG_GLOBAL: os.devNull, GIT_CEILING_DIRECTORIES: path.dirname(cwd) },
  });
  if (result.code === 127) {
    throw new BuildError(
      'git is needed to unpack and to patch the llama.cpp source. Install it: `apt-get install git` or `brew install git`.',
    );
  }
  return result;
}

/** @param {string} cwd @param {readonly string[]} args */
export async function git(cwd, ...args) {
  const { code, output } = await tryGit(cwd, ...args);
  if (code !== 0) throw new BuildError(`git ${args[0]} failed while unpacking llama.cpp: ${output.trim()}`);
  return output;
}
