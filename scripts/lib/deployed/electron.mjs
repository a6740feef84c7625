// An application in an archive, as Electron has them. Electron itself is in no registry of packages; what makes its archives is, and
// electron-like.cjs reads them here.
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { installInto, mustSucceed, sizeOf } from '../install-project.mjs';
import { run } from '../process.mjs';
import { thisNode } from '../runtimes.mjs';
import { answering, fetchTool, mustAnswer, secondsSince } from './tools.mjs';

const like = fileURLToPath(new URL('electron-like.cjs', import.meta.url));

/** What lies beside the archive: docs/bundlers.md. */
const keptOut = 'node_modules/{nudging,@nudging}';

/** @type {import('./situation.mjs').Situation} */
export async function inElectronArchive({ folder, tarballs, nodeOf }) {
  const asar = path.join(await fetchTool(folder, '@electron/asar@^3'), '@electron/asar/bin/asar.js');
  // electron-like.cjs needs hooks that came with 22.15.
  const node = await nodeOf('24');

  const started = Date.now();
  const app = path.join(folder, 'app');
  await installInto(app, tarballs, node);
  writeFileSync(path.join(app, 'main.cjs'), answering);
  const archive = path.join(folder, 'resources/app.asar');
  mkdirSync(path.dirname(archive));
  const contents = path.join(folder, 'contents');
  const call = (/** @type {string[]} */ ...args) => mustSucceed(`asar ${args[0]}`, run(thisNode().command, [asar, ...args]));
  await call('pack', app, archive, '--unpack-dir', keptOut);
  await call('extract', archive, contents);
  // Nothing is to be found where it was installed.
  rmSync(app, { recursive: true });
  const env = { ...process.env, ASAR_ARCHIVE: archive, ASAR_CONTENTS: contents };
  const load = `require(${JSON.stringify(`${archive}/main.cjs`)})`;
  await mustAnswer('a program in an archive', run(node.command, ['--require', like, '--eval', load], { env }));
  return { node: node.name, seconds: secondsSince(started), bytes: sizeOf(path.dirname(archive)) };
}
