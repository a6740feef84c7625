// `nudging`: what is written in TypeScript, and which packages have its binaries.
import { readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { buildLibrary } from '../library.mjs';
import { inRoot, root } from '../paths.mjs';
import { targets } from '../targets.mjs';
import { common, copyTo, manifest, stage, writeManifest } from './staging.mjs';

/** Packages that come with it unless somebody leaves optional dependencies out. */
export const optional = [...targets.map(({ name }) => `@nudging/${name}`), '@nudging/darwin-arm64', '@nudging/win32-x64', '@nudging/demo'];

/** The scripts that the library runs on, with all that they import. @param {readonly string[]} files from the root @returns {string[]} */
function closure(files) {
  /** @type {Set<string>} */
  const found = new Set();
  const visit = (/** @type {string} */ file) => {
    if (found.has(file)) return;
    found.add(file);
    const text = readFileSync(inRoot(file), 'utf8');
    for (const [, name = ''] of text.matchAll(/(?:from|import) '(\.[^']+\.mjs)'/g))
      visit(path.relative(root, path.resolve(inRoot(file), '..', name)));
  };
  for (const file of files) visit(file);
  return [...found];
}

/** @param {string} folder where packages are put together @returns {Promise<string>} */
export async function stageMain(folder) {
  await buildLibrary();
  const place = stage(folder, manifest.name);
  const imported = ['cores', 'control-groups', 'own-runtime', 'kernels'].map((name) => `scripts/lib/${name}.mjs`);
  // The last one is the program of a process of its own.
  const scripts = closure([...imported, 'scripts/check-kernels.mjs']);
  copyTo(place, ['dist', 'schema', 'models/presets', 'examples', 'README.md', 'CHANGELOG.md', 'SECURITY.md', ...scripts]);
  rmSync(path.join(place, 'dist/built.stamp'), { force: true });
  // Private is the checkout, which has none of this: `npm publish` there would publish everything that lies in it.
  const { scripts: _, devDependencies, private: __, binary, ...rest } = manifest;
  writeManifest(place, {
    ...rest,
    optionalDependencies: Object.fromEntries(optional.map((name) => [name, common.version])),
  });
  return place;
}
