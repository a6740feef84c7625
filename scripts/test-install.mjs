#!/usr/bin/env node
// `npm run test:install`: what somebody does who finds the package: installs it into an empty project, without any script of a package, and
// asks it something; then builds it from the source package. That compiles all of it once more, which takes minutes where there is no
// ccache, so it is no part of `npm test`.
import { mkdtempSync, readdirSync, realpathSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { BuildError, runMain } from './lib/errors.mjs';
import { expected, programs, question, writePrograms } from './lib/install-programs.mjs';
import { installInto, megabytes, mustSucceed, ownPlatform, quiet, sizeOf, tarballsIn } from './lib/install-project.mjs';
import { npm } from './lib/npm.mjs';
import { root } from './lib/paths.mjs';
import { run } from './lib/process.mjs';
import { fetchRuntime, nodeVersions, thisNode } from './lib/runtimes.mjs';

/** @typedef {import('./lib/runtimes.mjs').Runtime} Runtime */
/** @typedef {import('./lib/install-project.mjs').Tarballs} Tarballs */

const help = `usage: npm run test:install [-- options]

Installs the packed packages into an empty project, without scripts, and asks there: by import, by require, on the command
line, in Jest, through the AI SDK, on the Node.js that runs this and on one more. Then builds the binary from the source package, and asks
again.

  --packages DIR  tarballs that npm run pack:all has made; default: made now, with one binary for this machine
  --runtimes      on Node.js ${nodeVersions.join(', ')}, and on Bun and Deno; takes some minutes
  --no-build      without the build from source
  --keep          leave the projects there, and say where
`;

/** Seconds from an empty folder to the first answer. */
const mostSeconds = 20;

await runMain(async () => {
  const flag = /** @type {const} */ ({ type: 'boolean', default: false });
  const { values } = parseArgs({
    options: { packages: { type: 'string' }, runtimes: flag, 'no-build': flag, keep: flag, help: { type: 'boolean', short: 'h' } },
  });
  if (values.help) return void process.stdout.write(help);
  // They name another addon than the one that is to be tried.
  delete process.env.NUDGING_BINARY;
  delete process.env.NUDGING_CPU;
  const folder = mkdtempSync(path.join(realpathSync(os.tmpdir()), 'nudging-install-'));
  try {
    const packages = values.packages ? path.resolve(values.packages) : await packAll(folder);
    await tryPackages(folder, tarballsIn(packages), values.runtimes, !values['no-build']);
  } finally {
    if (values.keep) console.log(`kept: ${folder}`);
    else rmSync(folder, { recursive: true, force: true });
  }
});

/** @param {string} folder @param {Tarballs} tarballs @param {boolean} everywhere @param {boolean} builds */
async function tryPackages(folder, tarballs, everywhere, builds) {
  const fetched = (/** @type {Parameters<typeof fetchRuntime>[0]} */ name, version = 'latest') =>
    fetchRuntime(name, version, path.join(folder, 'runtimes'));

  const project = path.join(folder, 'project');
  const started = Date.now();
  await install(project, tarballs, thisNode());
  await mustAnswer('npx nudging', npm(['exec', '--no', '--', 'nudging', question], { cwd: project }));
  const seconds = (Date.now() - started) / 1000;
  console.log(`empty folder to first answer: ${seconds.toFixed(1)} s`);
  await mustComeFrom(project, ownPlatform);
  mustHaveTriedKernels(path.join(project, 'node_modules', ownPlatform));
  await addAiSdk(project, thisNode());
  writePrograms(project);
  await ask(project, thisNode());
  const ours = process.versions.node.split('.')[0] ?? '';
  const others = nodeVersions.filter((version) => version !== ours);
  if (everywhere) {
    for (const version of others) {
      const node = await fetched('node', version);
      const own = path.join(folder, `project-${version}`);
      await install(own, tarballs, node);
      await addAiSdk(own, node);
      writePrograms(own);
      await ask(own, node);
    }
    for (const name of /** @type {const} */ (['bun', 'deno'])) await ask(project, await fetched(name));
  } else {
    // The addon is the same for all of them (Node-API).
    await ask(project, await fetched('node', others.at(-1)));
  }
  // Late, because what Jest brings is in nobody's way then.
  await addJest(project);
  for (const version of everywhere ? nodeVersions : [ours])
    await askInJest(project, version === ours ? thisNode() : await fetched('node', version));
  if (builds) await buildFromSource(project, tarballs);
  // Last, because a busy machine says nothing of all the rest.
  if (seconds > mostSeconds) throw new BuildError(`it took ${seconds.toFixed(1)} s to the first answer: over ${mostSeconds} s`);
}

/** @param {string} folder where the tarballs go */
async function packAll(folder) {
  const out = path.join(folder, 'packages');
  const packing = run(process.execPath, [path.join(root, 'scripts/pack-all.mjs'), '--this-machine', '--out', out], { cwd: root });
  const { output } = await mustSucceed('pack-all', packing);
  console.log(output.slice(output.indexOf('| package')).trim());
  return out;
}

/** @param {string} project to be made @param {Tarballs} tarballs @param {Runtime} node */
async function install(project, tarballs, node) {
  const started = Date.now();
  await installInto(project, tarballs, node);
  const bytes = sizeOf(path.join(project, 'node_modules'));
  console.log(`installed on ${node.name}: ${megabytes(bytes)}, in ${((Date.now() - started) / 1000).toFixed(1)} s`);
}

/** Which major that is depends on the Node.js, and the package is to work with either. @param {string} project @param {Runtime} node */
async function addAiSdk(project, node) {
  const adding = npm(['install', 'ai', '--ignore-scripts', ...quiet], { cwd: project, node: node.command });
  await mustSucceed(`npm install ai on ${node.name}`, adding);
}

/** @param {string} project @param {string} from where the binary must come from */
async function mustComeFrom(project, from) {
  const doctor = npm(['exec', '--no', '--', 'nudging', 'doctor', '--seconds', '0', '--json'], { cwd: project });
  const { output } = await mustSucceed('nudging doctor', doctor);
  const { machine } = JSON.parse(output.slice(output.indexOf('{')));
  if (machine.from !== from) throw new BuildError(`the binary comes from ${machine.from}, not from ${from}`);
  console.log(`binary: ${from}${machine.chosen ? `, level ${machine.chosen}` : ''}`);
}

/** Before the first model was loaded, in a process of its own. @param {string} folder of the package with binaries */
function mustHaveTriedKernels(folder) {
  if (!readdirSync(folder).some((file) => file.endsWith('.kernels.json')))
    throw new BuildError(`no kernel was tried: there is no record beside the binary in ${folder}`);
}

/** @param {string} project @param {Tarballs} tarballs */
async function buildFromSource(project, tarballs) {
  const adding = npm(['install', `file:${tarballs['@nudging/source']}`, '--ignore-scripts', ...quiet], { cwd: project });
  await mustSucceed('npm install @nudging/source', adding);
  const started = Date.now();
  await mustSucceed('nudging build', npm(['exec', '--no', '--', 'nudging', 'build'], { cwd: project }));
  console.log(`npx nudging build: ${Math.round((Date.now() - started) / 1000)} s`);
  await mustComeFrom(project, 'build');
  await ask(project, thisNode());
}

/** Runs every program on a runtime, and says in one line what works. @param {string} project @param {Runtime} runtime */
async function ask(project, { name, command, args }) {
  /** @type {string[]} */
  const works = [];
  /** @type {string[]} */
  const failures = [];
  for (const [what, { file }] of Object.entries(programs)) {
    const { code, output } = await run(command, [...args, file], { cwd: project });
    const answers = code === 0 && output.includes(expected);
    works.push(`${what} ${answers ? 'ok' : 'FAILS'}`);
    if (!answers) failures.push(`${file} ended with ${code}:\n${output}`);
  }
  console.log(`${name}: ${works.join(', ')}`);
  if (failures.length > 0) throw new BuildError(`on ${name}, ${failures.join('\n')}`);
}

/** @param {string} project */
async function addJest(project) {
  await mustSucceed('npm install jest', npm(['install', 'jest@^30', ...quiet], { cwd: project }));
}

/** @param {string} project @param {Runtime} node */
async function askInJest(project, { name, command }) {
  const jest = path.join(project, 'node_modules/jest/bin/jest.js');
  const { output } = await mustSucceed(`Jest on ${name}`, run(command, [jest, '--runInBand', '--ci'], { cwd: project }));
  const passed = /^Tests: +(\d+) passed, \1 total$/m.exec(output)?.[1];
  if (passed === undefined) throw new BuildError(`Jest on ${name} did not pass:\n${output}`);
  console.log(`${name} in Jest: ${passed} tests passed`);
}

/** @param {string} what @param {Promise<{ code: number, output: string }>} running */
async function mustAnswer(what, running) {
  const { output } = await mustSucceed(what, running);
  if (!output.includes(expected)) throw new BuildError(`${what} did not answer "… ${expected} …":\n${output}`);
  console.log(`${what}: answers`);
}
