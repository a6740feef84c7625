#!/usr/bin/env node
// `npm run test:deployed`: the packed packages as they run at somebody's who does more with them than `npm install`.
import { existsSync, mkdirSync, mkdtempSync, realpathSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { besideNodeLlamaCpp } from './lib/deployed/beside-node-llama-cpp.mjs';
import { inElectronArchive } from './lib/deployed/electron.mjs';
import { inMuslRoot } from './lib/deployed/musl.mjs';
import { asSingleExecutable } from './lib/deployed/single-executable.mjs';
import { inSlimRoot } from './lib/deployed/slim.mjs';
import { asTraced } from './lib/deployed/traced.mjs';
import { BuildError, runMain } from './lib/errors.mjs';
import { megabytes, tarballsIn } from './lib/install-project.mjs';
import { inRoot } from './lib/paths.mjs';
import { Unavailable } from './lib/pip.mjs';
import { fetchRuntime } from './lib/runtimes.mjs';

/** @type {Record<string, import('./lib/deployed/situation.mjs').Situation>} */
const situations = {
  slim: inSlimRoot,
  musl: inMuslRoot,
  electron: inElectronArchive,
  traced: asTraced,
  executable: asSingleExecutable,
  'node-llama-cpp': besideNodeLlamaCpp,
};

const help = `usage: npm run test:deployed [-- options]

Installs tarballs of npm run pack:all, deploys them in several ways, and asks there:

  slim            a Debian 11 without a compiler: needs bubblewrap and debootstrap
  musl            a system whose C library is musl, as Alpine's: needs bubblewrap, musl 1.2.4 and the package linuxmusl-x64
  electron        an archive of Electron's, read as Electron reads it, without Electron
  traced          the files that @vercel/nft finds, as in Next.js' standalone output
  executable      a single executable of Node.js
  node-llama-cpp  beside that in one process

  --packages DIR  default: packages/
  --only LIST     some of them
`;

await runMain(async () => {
  const { values } = parseArgs({
    options: {
      packages: { type: 'string', default: inRoot('packages') },
      only: { type: 'string', default: Object.keys(situations).join(',') },
      help: { type: 'boolean', short: 'h' },
    },
  });
  if (values.help) return void process.stdout.write(help);
  const names = values.only.split(',');
  const unknown = names.find((name) => !Object.hasOwn(situations, name));
  if (unknown !== undefined) throw new BuildError(`unknown situation "${unknown}"; known are ${Object.keys(situations).join(', ')}`);
  const packages = path.resolve(values.packages);
  if (!existsSync(packages)) throw new BuildError(`${packages} is not there: npm run pack:all makes it`);
  // They name another addon than the one that is to be tried.
  for (const name of ['NUDGING_BINARY', 'NUDGING_CPU', 'NUDGING_GPU']) delete process.env[name];
  const tarballs = tarballsIn(packages);
  const scratch = mkdtempSync(path.join(realpathSync(os.tmpdir()), 'nudging-deployed-'));
  /** @param {string} version */
  const nodeOf = (version) => fetchRuntime('node', version, path.join(scratch, 'runtimes'));
  /** @type {string[]} */
  const failures = [];
  console.log('| deployed | run on | seconds | size |\n| --- | --- | --- | --- |');
  try {
    for (const name of names) {
      const folder = path.join(scratch, name);
      mkdirSync(folder);
      try {
        const { node, seconds, bytes } = await /** @type {NonNullable<typeof situations[string]>} */ (situations[name])({
          folder,
          tarballs,
          nodeOf,
        });
        console.log(`| ${name} | ${node} | ${seconds.toFixed(1)} | ${megabytes(bytes)} |`);
      } catch (error) {
        if (!(error instanceof BuildError)) throw error;
        console.log(`| ${name} | ${error instanceof Unavailable ? 'not tried' : 'FAILS'} | | |`);
        failures.push(`${name}: ${error.message}`);
      }
    }
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
  for (const failure of failures) console.error(`\n${failure}`);
  return failures.length === 0 ? 0 : 1;
});
