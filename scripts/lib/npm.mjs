import { existsSync } from 'node:fs';
import path from 'node:path';
import { run } from './process.mjs';

// Settings of the npm command that is running us must not reach the one we start: `npm pack --dry-run` would make
// our download a dry run too, `--json` would change its output, `-w` would make it pack something else.
const settings = [
  'dry_run|json|pack_destination|workspaces?|include_workspace_root|global|location|prefix|local_prefix|loglevel|silent',
  'ignore_scripts|tag|package_lock_only|foreground_scripts|omit|include|production|only|progress',
];
const inherited = new RegExp(`^npm_(lifecycle|package|command|config_(${settings.join('|')})$)`, 'i');

/** @param {NodeJS.ProcessEnv} env */
export function cleanNpmEnv(env) {
  return Object.fromEntries(Object.entries(env).filter(([key]) => !inherited.test(key)));
}

/** npm as a script for our own node: spawning `npm.cmd` would need a shell. */
function npmCommand() {
  const nodeDir = path.dirname(process.execPath);
  const candidates = [
    process.env.npm_execpath ?? '',
    path.join(nodeDir, 'node_modules/npm/bin/npm-cli.js'),
    path.join(nodeDir, '../lib/node_modules/npm/bin/npm-cli.js'),
  ];
  const script = candidates.find((file) => path.basename(file) === 'npm-cli.js' && existsSync(file));
  return script ? { command: process.execPath, args: [script] } : { command: 'npm', args: [] };
}

/**
 * @param {readonly string[]} args
 * @param {{ cwd: string }} options
 */
export function npm(args, { cwd }) {
  const { command, args: first } = npmCommand();
  return run(command, [...first, ...args], { cwd, env: cleanNpmEnv(process.env) });
}
