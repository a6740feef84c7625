#!/usr/bin/env node
// `npm run test:peer`: installs the peer the first time (the only step that needs a network), then compares answers.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const help = `usage: npm run test:peer -- [--rows N] [--pair pair.json|pair-cross.json]

Answers the demo pair's evaluation questions with nudging, and with a second implementation of its rules over node-llama-cpp.
Both must say the same, up to decisions that are too close to call.
`;

const folder = path.dirname(fileURLToPath(import.meta.url));
/** node-llama-cpp's binaries for the CPU; the ones for GPUs are hundreds of megabytes that nobody here needs. */
const binaries = {
  'linux-x64': 'linux-x64',
  'linux-arm64': 'linux-arm64',
  'darwin-arm64': 'mac-arm64-metal',
  'darwin-x64': 'mac-x64',
  'win32-x64': 'win-x64',
  'win32-arm64': 'win-arm64',
};

function read() {
  try {
    return parseArgs({ options: { rows: { type: 'string' }, pair: { type: 'string' }, help: { type: 'boolean', short: 'h' } } }).values;
  } catch (error) {
    console.error(`${/** @type {Error} */ (error).message}\n\n${help}`);
    process.exit(2);
  }
}

/** @param {string} command @param {string[]} args @param {Record<string, string>} [env] */
function run(command, args, env = {}) {
  const { status, error } = spawnSync(command, args, {
    cwd: folder,
    stdio: 'inherit',
    env: { ...process.env, ...env },
    shell: process.platform === 'win32' && command === 'npm',
  });
  if (error) throw error;
  if (status !== 0) process.exit(status ?? 1);
}

function install() {
  const { dependencies } = JSON.parse(readFileSync(path.join(folder, 'package.json'), 'utf8'));
  const platform = /** @type {keyof typeof binaries} */ (`${process.platform}-${process.arch}`);
  const binary = binaries[platform];
  if (!binary) throw new Error(`node-llama-cpp has no binary for ${platform}`);
  if (existsSync(path.join(folder, 'node_modules/@node-llama-cpp', binary)) && existsSync(path.join(folder, 'node_modules/node-llama-cpp')))
    return;
  // Without its optional packages node-llama-cpp brings no binary at all; the one that is wanted is named. Its install script would build
  // one.
  const flags = ['--no-save', '--no-package-lock', '--omit=optional', '--ignore-scripts', '--no-audit', '--no-fund'];
  run('npm', ['install', ...flags, `@node-llama-cpp/${binary}@${dependencies['node-llama-cpp']}`]);
}

const values = read();
if (values.help) {
  process.stdout.write(help);
} else {
  install();
  const vitest = path.join(path.dirname(createRequire(import.meta.url).resolve('vitest/package.json')), 'vitest.mjs');
  run(process.execPath, [vitest, 'run', '--config', path.join(folder, 'vitest.config.mjs')], {
    ...(values.rows ? { PEER_ROWS: values.rows } : {}),
    ...(values.pair ? { PEER_PAIR: values.pair } : {}),
  });
}
