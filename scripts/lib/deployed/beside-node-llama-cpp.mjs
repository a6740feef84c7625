// In one process with another binding of llama.cpp, of another version: each has its own, and neither sees the other's symbols.
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { question } from '../install-programs.mjs';
import { installInto, mustSucceed, quiet, sizeOf } from '../install-project.mjs';
import { npm } from '../npm.mjs';
import { run } from '../process.mjs';
import { thisNode } from '../runtimes.mjs';
import { mustAnswer, secondsSince } from './tools.mjs';

const version = '3.22.1';

/** Both are loaded, in either order, and both have a model when they are asked. */
const main = `import { Nudging, demoPair, readPair } from 'nudging';
import { getLlama } from 'node-llama-cpp';

const ours = () => Nudging.load({ threads: 1 });
const theirs = async () => {
  // They wait for each other by spinning.
  const llama = await getLlama({ gpu: false, build: 'never', maxThreads: 1 });
  const model = await llama.loadModel({ modelPath: (await readPair(demoPair)).base });
  const context = await model.createContext({ contextSize: 512, threads: 1 });
  return { llama, model, sequence: context.getSequence() };
};
const first = process.argv[2] === 'nudging' ? await ours() : undefined;
const other = await theirs();
const nudging = first ?? (await ours());
let tokens = 0;
for await (const _ of other.sequence.evaluate(other.model.tokenize('A harbor is'), { temperature: 0 })) if ((tokens += 1) === 8) break;
const { text } = await nudging.generate(${JSON.stringify(question)});
console.log('theirs', tokens);
console.log(text);
await nudging.close();
await other.llama.dispose();
`;

/** @type {import('./situation.mjs').Situation} */
export async function besideNodeLlamaCpp({ folder, tarballs }) {
  const node = thisNode();
  const project = path.join(folder, 'project');
  const started = Date.now();
  await installInto(project, tarballs, node);
  const bytes = sizeOf(path.join(project, 'node_modules'));
  // Its other optional packages are hundreds of megabytes for GPUs; its install script would build what it does not find.
  const wanted = [`node-llama-cpp@${version}`, `@node-llama-cpp/linux-x64@${version}`];
  const flags = ['--omit=optional', '--ignore-scripts', ...quiet];
  await mustSucceed('npm install node-llama-cpp', npm(['install', ...flags, ...wanted], { cwd: project }));
  writeFileSync(path.join(project, 'main.mjs'), main);
  for (const first of ['nudging', 'node-llama-cpp'])
    await mustAnswer(`nudging with ${first} first`, run(node.command, ['main.mjs', first], { cwd: project }));
  return { node: node.name, seconds: secondsSince(started), bytes };
}
