// Programs in a file system of their own, in which only what is named is there.
import { findProgram } from '../requirements.mjs';
import { Unavailable } from '../pip.mjs';
import { run } from '../process.mjs';

/**
 * @param {string} root a folder that becomes `/`, and is not written to
 * @param {Record<string, string>} places folders of this machine by where they are seen
 * @param {readonly string[]} command
 * @param {{ writable?: readonly string[], cwd?: string }} [options] `writable`: of the places
 */
export function runInRoot(root, places, command, { writable = [], cwd = '/' } = {}) {
  const bubblewrap = needs('bwrap', 'bubblewrap');
  const binds = Object.entries(places).flatMap(([seen, folder]) => [writable.includes(seen) ? '--bind' : '--ro-bind', folder, seen]);
  const around = ['--ro-bind', root, '/', '--proc', '/proc', '--dev', '/dev', '--tmpfs', '/tmp', ...binds];
  // Nothing of this machine's environment, and no network.
  const env = ['--clearenv', '--setenv', 'PATH', '/usr/bin:/bin', '--setenv', 'HOME', '/tmp'];
  return run(bubblewrap, [...around, ...env, '--unshare-net', '--die-with-parent', '--chdir', cwd, ...command]);
}

/** @param {string} program @param {string} [debian] the package that has it */
export function needs(program, debian = program) {
  const found = findProgram(program);
  if (!found) throw new Unavailable(`${program} was not found: on Debian, apt-get install ${debian}`);
  return found;
}
