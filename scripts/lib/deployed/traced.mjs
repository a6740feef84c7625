// What Next.js' standalone output, Vercel and others deploy: the files that @vercel/nft finds a program to need, and no others.
import { cpSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { installInto, sizeOf } from '../install-project.mjs';
import { run } from '../process.mjs';
import { thisNode } from '../runtimes.mjs';
import { answering, fetchTool, mustAnswer, secondsSince } from './tools.mjs';

/** @type {import('./situation.mjs').Situation} */
export async function asTraced({ folder, tarballs }) {
  const node = thisNode();
  const require = createRequire(path.join(await fetchTool(folder, '@vercel/nft@^1'), 'x.js'));
  /** @type {{ nodeFileTrace(files: string[], options: { base: string }): Promise<{ fileList: Set<string> }> }} */
  const { nodeFileTrace } = require('@vercel/nft');

  const started = Date.now();
  const project = path.join(folder, 'project');
  await installInto(project, tarballs, node);
  writeFileSync(path.join(project, 'main.cjs'), answering);
  const { fileList } = await nodeFileTrace([path.join(project, 'main.cjs')], { base: project });
  const deployed = path.join(folder, 'deployed');
  mkdirSync(deployed);
  // The pair is named, as everybody names models of his own: docs/bundlers.md.
  for (const file of [...fileList, 'node_modules/@nudging/demo'])
    cpSync(path.join(project, file), path.join(deployed, file), { recursive: true });
  rmSync(project, { recursive: true });
  await mustAnswer('a traced program', run(node.command, ['main.cjs'], { cwd: deployed }));
  return { node: node.name, seconds: secondsSince(started), bytes: sizeOf(deployed) };
}
