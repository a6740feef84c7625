#!/usr/bin/env node
// `npm run pack:all`: every tarball of a release that can be made on this machine, in one folder.
import { mkdirSync, readdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { makePlan } from './lib/configs.mjs';
import { BuildError, runMain } from './lib/errors.mjs';
import { buildNative } from './lib/native.mjs';
import { stageDemo } from './lib/packages/demo.mjs';
import { megabytes, tooLarge } from './lib/packages/limits.mjs';
import { stageMain } from './lib/packages/main.mjs';
import { stagePlatform } from './lib/packages/platform.mjs';
import { stageSource } from './lib/packages/source.mjs';
import { pack } from './lib/packages/staging.mjs';
import { inRoot } from './lib/paths.mjs';
import { compilersFor, findTarget, targets } from './lib/targets.mjs';

const help = `usage: npm run pack:all [-- options]

Makes the packages nudging, @nudging/demo, @nudging/source and those with binaries, each a tarball, and says how large they are. The
binaries are compiled with the pinned zig, which pip fetches: for glibc 2.28 or musl, on whatever Linux on x86-64 this is.

  --targets LIST    ${targets.map(({ name }) => name).join(',')}; all: each of them; default: linux-x64
  --this-machine    instead: one binary for this very machine, as npm run build:native makes it. To try packages with, not to publish
  --out DIR         default: packages/
`;

/** @param {string} name @param {string} folder */
async function makeTarget(name, folder) {
  const target = findTarget(name);
  const { NUDGING_AR, NUDGING_RANLIB, ...compilers } = await compilersFor(target);
  Object.assign(process.env, compilers);
  const cmake = { ...target.cmake, CMAKE_AR: NUDGING_AR ?? '', CMAKE_RANLIB: NUDGING_RANLIB ?? '' };
  /** @type {Record<string, string>} */
  const binaries = {};
  let levels = '';
  for (const level of target.levels) {
    const plan = makePlan({ variant: 'cpu', level, target: { ...target, cmake } });
    await buildNative(plan);
    binaries[level] = path.join(plan.out, 'nudging.node');
    levels = path.join(plan.out, 'levels.node');
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
      'this-machine': { type: 'boolean', default: false },
      out: { type: 'string', default: inRoot('packages') },
      help: { type: 'boolean', short: 'h' },
    },
  });
  if (values.help) return void process.stdout.write(help);
  const names = values.targets === 'all' ? targets.map(({ name }) => name) : values.targets.split(',');
  if (!values['this-machine']) names.forEach(findTarget);
  const out = path.resolve(values.out);
  mkdirSync(out, { recursive: true });
  for (const file of readdirSync(out).filter((each) => each.endsWith('.tgz'))) rmSync(path.join(out, file));
  const staging = inRoot('.native/packages');
  const places = [await stageMain(staging), stageDemo(staging), await stageSource(staging)];
  if (values['this-machine']) places.push(await makeThisMachine(staging));
  else for (const name of names) places.push(await makeTarget(name, staging));

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
