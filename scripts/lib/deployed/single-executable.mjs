// One executable file with Node.js and the program in it (https://nodejs.org/api/single-executable-applications.html), and node_modules
// beside it: no addon can be in it.
import { chmodSync, copyFileSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { BuildError } from '../errors.mjs';
import { question } from '../install-programs.mjs';
import { installInto, mustSucceed, sizeOf } from '../install-project.mjs';
import { run } from '../process.mjs';
import { thisNode } from '../runtimes.mjs';
import { fetchTool, mustAnswer, secondsSince } from './tools.mjs';

const main = `const { createRequire } = require('node:module');
const { Nudging } = createRequire(process.execPath)('nudging');
console.log('started');
(async () => {
  await Nudging.load({ isolate: true }).catch(({ code }) => console.log(code));
  const nudging = await Nudging.load();
  console.log((await nudging.generate(${JSON.stringify(question)})).text);
  await nudging.close();
})();
`;

/** As Node.js looks for it. */
const fuse = 'NODE_SEA_FUSE_fce680ab2cc467b6e072b8b5df1996b2';

/** @type {import('./situation.mjs').Situation} */
export async function asSingleExecutable({ folder, tarballs }) {
  const node = thisNode();
  const postject = path.join(await fetchTool(folder, 'postject@1.0.0-alpha.6'), 'postject/dist/cli.js');

  const started = Date.now();
  const project = path.join(folder, 'project');
  await installInto(project, tarballs, node);
  writeFileSync(path.join(project, 'main.cjs'), main);
  writeFileSync(
    path.join(project, 'sea.json'),
    JSON.stringify({ main: 'main.cjs', output: 'main.blob', disableExperimentalSEAWarning: true }),
  );
  const inProject = { cwd: project };
  await mustSucceed('--experimental-sea-config', run(node.command, ['--experimental-sea-config', 'sea.json'], inProject));
  const deployed = path.join(folder, 'deployed');
  const program = path.join(deployed, 'program');
  mkdirSync(deployed);
  copyFileSync(node.command, program);
  chmodSync(program, 0o755);
  const injecting = run(node.command, [postject, program, 'NODE_SEA_BLOB', 'main.blob', '--sentinel-fuse', fuse], inProject);
  await mustSucceed('postject', injecting);
  renameSync(path.join(project, 'node_modules'), path.join(deployed, 'node_modules'));
  rmSync(project, { recursive: true });
  const output = await mustAnswer('a single executable', run(program, [], { cwd: folder }));
  // A process of the engine's would be the program anew.
  if (!/^started\nERR_ENGINE_CRASHED\n/.test(output) || output.match(/started/g)?.length !== 1)
    throw new BuildError(`a single executable started itself again, or did not refuse \`isolate\`:\n${output}`);
  return { node: node.name, seconds: secondsSince(started), bytes: sizeOf(deployed) };
}
