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

/**
 * npm as a script for a node: spawning `npm.cmd` would need a shell.
 * @returns {string | undefined} nothing if it is not where it belongs
 */
export function npmScript() {
  const nodeDir = path.dirname(process.execPath);
  const candidates = [
    process.env.npm_execpath ?? '',
    path.join(nodeDir, 'node_modules/npm/bin/npm-cli.js'),
    path.join(nodeDir, '../lib/node_modules/npm/bin/npm-cli.js'),
  ];
  return candidates.find((file) => path.basename(file) === 'npm-cli.js' && existsSync(file));
}

/** @param {string | undefined} node ours if missing */
function npmCommand(node) {
  const script = npmScript();
  return script ? { command: node ?? process.execPath, args: [script] } : { command: 'npm', args: [] };
}

/**
 * @param {readonly string[]} args
 * @param {object} options
 * @param {string} options.cwd
 * @param {string} [options.node] the node that runs npm and the scripts of packages; ours if missing
 */
export function npm(args, { cwd, node }) {
  const { command, args: first } = npmCommand(node);
  const env = cleanNpmEnv(process.env);
  // Scripts of packages take the first `node` there.
  if (node !== undefined) env.PATH = [path.dirname(node), env.PATH].join(path.delimiter);
  return run(command, [...first, ...args], { cwd, env });
}
