import { chmodSync, copyFileSync, cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createHash } from 'node:crypto';
import { BuildError } from './errors.mjs';
import { listing } from './fingerprint.mjs';
import { inRoot } from './paths.mjs';
import { run } from './process.mjs';

const stampFile = inRoot('dist/built.stamp');
const compiler = inRoot('node_modules/typescript/bin/tsc');

function key() {
  return createHash('sha256')
    .update(listing(['lib', 'tsconfig.json', 'package-lock.json']).join('\n'))
    .digest('hex');
}

/** Whether dist/ is what lib/ compiles to. A published package has no lib/ and is always up to date. */
export function isLibraryFresh() {
  if (!existsSync(inRoot('lib'))) return true;
  return existsSync(stampFile) && readFileSync(stampFile, 'utf8') === key();
}

/** Compiles lib/ to dist/ when it changed. @returns {Promise<boolean>} whether it did */
export async function buildLibrary() {
  if (isLibraryFresh()) return false;
  if (!existsSync(compiler)) {
    // `npm install --omit=dev` in a checkout: there is nothing to compile with, and maybe nothing stale that matters.
    console.error('nudging: TypeScript is not installed (development dependencies are left out); lib/ was not compiled.');
    return false;
  }
  const before = key();
  // A module that was removed from lib/ must not live on in dist/.
  rmSync(inRoot('dist'), { recursive: true, force: true });
  const { code, output } = await run(process.execPath, [compiler, '-p', inRoot('tsconfig.json')], { cwd: inRoot() });
  if (code !== 0) throw new BuildError(`lib/ does not compile:\n${output.trim()}`);
  mkdirSync(inRoot('dist'), { recursive: true });
  // Written by hand, because the compiler makes no such entry.
  for (const file of ['index.cjs', 'index.d.cts', 'eval/paper.json']) copyFileSync(inRoot('lib', file), inRoot('dist', file));
  // What browsers get, as it is written.
  cpSync(inRoot('lib/server/playground'), inRoot('dist/server/playground'), { recursive: true });
  if (existsSync(inRoot('dist/cli/main.js'))) chmodSync(inRoot('dist/cli/main.js'), 0o755);
  writeFileSync(stampFile, before);
  return true;
}
