#!/usr/bin/env node
// `npm run pack:all`: every tarball of a release that can be made on this machine, in one folder.
import { mkdirSync, readdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { makePlan } from './lib/configs.mjs';
import { BuildError, runMain } from './lib/errors.mjs';
import { checkArchitectures, findGpuTarget, gpuTargets } from './lib/gpu-targets.mjs';
import { buildNative } from './lib/native.mjs';
import { stageDemo } from './lib/packages/demo.mjs';
import { megabytes, tooLarge } from './lib/packages/limits.mjs';
import { stageMain } from './lib/packages/main.mjs';
import { needsOf, tooNew } from './lib/packages/needs.mjs';
import { stagePlatform } from './lib/packages/platform.mjs';
import { stageSource } from './lib/packages/source.mjs';
import { pack } from './lib/packages/staging.mjs';
import { inRoot } from './lib/paths.mjs';
import { compilersFor, findTarget, targets } from './lib/targets.mjs';

const help = `usage: npm run pack:all [-- options]

Makes the packages nudging, @nudging/demo, @nudging/source and those with binaries, each a tarball, and says how large they are. The
binaries are compiled with the pinned zig, which pip fetches: for glibc 2.28 or musl, on whatever Linux on x86-64 this is.

  --targets LIST    ${targets.map(({ name }) => name).join(',')}; all: each of them; default: linux-x64.
                    ${gpuTargets.map(({ name }) => name).join(',')}: only by name, and with this system's compiler (docs/gpu.md)
  --cuda-arch LIST  for other GPUs than a published package is for: to try it with, as 90-real
  --any-glibc       also binaries that ask for a newer glibc than 2.28, as this system's compiler makes them. To try packages with,
                    not to publish
  --this-machine    instead: one binary for this very machine, as npm run build:native makes it. To try packages with, not to publish
  --out DIR         default: packages/
`;

/** @typedef {{ cudaArch?: string | undefined, anyGlibc: boolean }} Choices */

/** @param {string} name @param {string} folder @param {Choices} choices */
async function makeTarget(name, folder, { cudaArch, anyGlibc }) {
  const gpu = findGpuTarget(name);
  if (gpu) {
    const architectures = gpu.architectures && (cudaArch ?? gpu.architectures);
    const wanted = { variant: gpu.variant, target: gpu, ...(architectures ? { cudaArch: architectures } : {}) };
    return makeLevels(gpu, folder, wanted, { anyGlibc, libraries: gpu.libraries });
  }
  const target = findTarget(name);
  const { NUDGING_AR, NUDGING_RANLIB, ...compilers } = await compilersFor(target);
  const before = Object.keys(compilers).map((key) => /** @type {const} */ ([key, process.env[key]]));
  Object.assign(process.env, compilers);
  try {
    const cmake = { ...target.cmake, CMAKE_AR: NUDGING_AR ?? '', CMAKE_RANLIB: NUDGING_RANLIB ?? '' };
    return await makeLevels(target, folder, { variant: 'cpu', target: { ...target, cmake } }, { anyGlibc });
  } finally {
    // The next one may be for another compiler.
    for (const [key, value] of before) {
      if (value === undefined) delete process.env[key];
      else process.env[key] = value;
    }
  }
}

/**
 * @param {import('./lib/targets.mjs').Target | import('./lib/gpu-targets.mjs').GpuTarget} target
 * @param {string} folder
 * @param {import('./lib/configs.mjs').Wanted} wanted
 * @param {{ anyGlibc: boolean, libraries?: RegExp }} may what its binaries may need beside what every system has
 */
async function makeLevels(target, folder, wanted, { anyGlibc, libraries }) {
  /** @type {Record<string, string>} */
  const binaries = {};
  let levels = '';
  for (const level of target.levels) {
    const plan = makePlan({ ...wanted, level });
    await buildNative(plan);
    binaries[level] = path.join(plan.out, 'nudging.node');
    levels = path.join(plan.out, 'levels.node');
  }
  for (const binary of [...Object.values(binaries), levels]) {
    const needs = await needsOf(binary);
    console.log(`${path.relative(inRoot(), binary)}: ${[`glibc ${needs.glibc ?? 'none'}`, ...needs.libraries].join(', ')}`);
    const wrong = tooNew(anyGlibc ? { ...needs, glibc: undefined } : needs, target.libc, libraries);
    if (wrong.length > 0) throw new BuildError(`${binary} ${wrong.join(', and ')}: it would not be loaded on old or small systems`);
  }
  return stagePlatform(folder, target, binaries, levels);
}

/** @param {string} folder */
async function makeThisMachine(folder) {
  const plan = makePlan({});
  await buildNative(plan);
  const { platform: os, arch: cpu } = process;
  const libc = os === 'linux' ? 'glibc' : undefined;
  const target = { name: `${os}-${cpu}`, os, cpu, ...(libc ? { libc } : {}) };
  return stagePlatform(folder, target, { any: path.join(plan.out, 'nudging.node') });
}

await runMain(async () => {
  const { values } = parseArgs({
    options: {
      targets: { type: 'string', default: 'linux-x64' },
      'cuda-arch': { type: 'string' },
      'any-glibc': { type: 'boolean', default: false },
      'this-machine': { type: 'boolean', default: false },
      out: { type: 'string', default: inRoot('packages') },
      help: { type: 'boolean', short: 'h' },
    },
  });
  if (values.help) return void process.stdout.write(help);
  const names = values.targets === 'all' ? targets.map(({ name }) => name) : values.targets.split(',');
  if (!values['this-machine']) for (const name of names) if (!findGpuTarget(name)) findTarget(name);
  if (values['cuda-arch'] !== undefined) checkArchitectures(values['cuda-arch']);
  const out = path.resolve(values.out);
  mkdirSync(out, { recursive: true });
  for (const file of readdirSync(out).filter((each) => each.endsWith('.tgz'))) rmSync(path.join(out, file));
  const staging = inRoot('.native/packages');
  const places = [await stageMain(staging), stageDemo(staging), await stageSource(staging)];
  if (values['this-machine']) places.push(await makeThisMachine(staging));
  else
    for (const name of names)
      places.push(await makeTarget(name, staging, { cudaArch: values['cuda-arch'], anyGlibc: values['any-glibc'] }));

  console.log('| package | packed | unpacked |\n| --- | --- | --- |');
  /** @type {import('./lib/packages/staging.mjs').Tarball[]} */
  const packed = [];
  for (const place of places) {
    const tarball = await pack(place, out);
    console.log(`| ${tarball.name} | ${megabytes(tarball.packed)} | ${megabytes(tarball.unpacked)} |`);
    packed.push(tarball);
  }
  const wrong = tooLarge(packed);
  if (wrong.length > 0) throw new BuildError(`larger than they may be: ${wrong.join(', ')}`);
});
