// What an image such as node:22-slim is: a small Debian with Node.js in it, and nothing that compiles. An older one than those of today,
// whose glibc is 2.31, because that finds more. npm installs in there, without a network.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { BuildError } from '../errors.mjs';
import { question } from '../install-programs.mjs';
import { installInto, mustSucceed, ownPlatform, quiet, sizeOf } from '../install-project.mjs';
import { npmScript } from '../npm.mjs';
import { Unavailable } from '../pip.mjs';
import { run } from '../process.mjs';
import { needs, runInRoot } from './roots.mjs';
import { mustAnswer, secondsSince } from './tools.mjs';

const places = ['/opt/node', '/opt/npm', '/opt/packages', '/opt/cache', '/project'];

/** @type {import('./situation.mjs').Situation} */
export async function inSlimRoot({ folder, tarballs, nodeOf }) {
  const npm = npmScript();
  if (!npm) throw new Unavailable('npm was not found beside Node.js');
  const root = await debianIn(path.join(folder, 'root'));
  for (const place of places) mkdirSync(path.join(root, place), { recursive: true });
  const node = await nodeOf('22');
  // Fills npm's cache, which is all that is to be had of a registry in there.
  const cache = path.join(folder, 'cache');
  await installInto(path.join(folder, 'filling'), tarballs, node, { system: ['--cache', cache] });

  const project = path.join(folder, 'project');
  mkdirSync(project);
  const own = ['nudging', '@nudging/demo', ownPlatform].map((name) => [name, `file:/opt/packages/${path.basename(tarballs[name] ?? '')}`]);
  writeFileSync(path.join(project, 'package.json'), JSON.stringify({ private: true, dependencies: Object.fromEntries(own) }));
  const seen = [path.dirname(node.command), path.resolve(npm, '../..'), path.dirname(tarballs['nudging'] ?? ''), cache, project];
  const bound = Object.fromEntries(places.map((place, index) => [place, seen[index] ?? '']));
  /** @param {string[]} command */
  const inRoot = (...command) => runInRoot(root, bound, command, { writable: ['/opt/cache', '/project'], cwd: '/project' });

  const { code } = await inRoot(
    '/bin/sh',
    '-c',
    'command -v cc || command -v gcc || command -v c++ || command -v make || command -v python3',
  );
  if (code === 0) throw new BuildError('there is a compiler in it, and the point was that there is none');
  const started = Date.now();
  const flags = ['--ignore-scripts', '--offline', '--cache', '/opt/cache', ...quiet];
  await mustSucceed('npm install in a slim Debian', inRoot('/opt/node/node', '/opt/npm/bin/npm-cli.js', 'install', ...flags));
  await mustAnswer('nudging in a slim Debian', inRoot('/opt/node/node', 'node_modules/nudging/dist/cli/main.js', question));
  const debian = readFileSync(path.join(root, 'etc/debian_version'), 'utf8').trim();
  return { node: `${node.name}, Debian ${debian}`, seconds: secondsSince(started), bytes: sizeOf(path.join(project, 'node_modules')) };
}

/** @param {string} folder where it is made @returns {Promise<string>} one that was made before, if there is */
async function debianIn(folder) {
  needs('bwrap', 'bubblewrap');
  const there = process.env.NUDGING_TEST_DEBIAN;
  if (there !== undefined) return there;
  const { code, output } = await run(needs('debootstrap'), ['--variant=minbase', 'bullseye', folder]);
  if (code !== 0) throw new Unavailable(`debootstrap ended with ${code} (it needs root and Debian's packages):\n${output.slice(-2000)}`);
  return folder;
}
