// `@nudging/source`: what `npx nudging build` compiles.
import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { ensureSource, pinned } from '../../../vendor/fetch.mjs';
import { BuildError } from '../errors.mjs';
import { listFiles, isForBuild, SHIPPED_RECORDS } from '../vendor-tree.mjs';
import { common, copyTo, manifest, stage, writeManifest } from './staging.mjs';

/** @param {string} folder where packages are put together */
export async function stageSource(folder) {
  if (process.env.NUDGING_LLAMA_CPP_DIR)
    throw new BuildError(`NUDGING_LLAMA_CPP_DIR is set: a package has ${pinned.name} ${pinned.tag}, not another checkout.`);
  const llama = await ensureSource();
  const place = stage(folder, '@nudging/source');
  copyTo(place, [
    ...['native', 'cmake', 'CMakeLists.txt', 'binding.gyp', 'scripts/build.mjs', 'scripts/lib'],
    ...['vendor/fetch.mjs', 'vendor/llama.cpp.json', 'vendor/patches', 'vendor/README.md'],
  ]);
  // Without those that no build reads: tests, servers, other languages.
  for (const file of listFiles(llama).filter((each) => SHIPPED_RECORDS.includes(each) || isForBuild(pinned, each))) {
    const target = path.join(place, 'vendor/llama.cpp', file);
    mkdirSync(path.dirname(target), { recursive: true });
    copyFileSync(path.join(llama, file), target);
  }
  const version = (/** @type {string} */ name) => [name, manifest.devDependencies[name]];
  writeManifest(place, {
    name: '@nudging/source',
    description: 'The native source of nudging with its pinned llama.cpp, for `npx nudging build`',
    ...common,
    type: 'module',
    gypfile: false,
    // Without it cmake-js would download the headers of this very Node.js.
    binary: manifest.binary,
    dependencies: Object.fromEntries(['cmake-js', 'node-addon-api'].map(version)),
  });
  const readme = `# @nudging/source\n\nThe native source of nudging. Install it beside a nudging of the
same version, and run \`npx nudging build\`, where there is no binary for your machine, or for one of your own making (CUDA, Vulkan, this
CPU and no other).\n`;
  writeFileSync(path.join(place, 'README.md'), readme);
  return place;
}
