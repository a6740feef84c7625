// `@nudging/<platform>`: binaries, one for each level of CPU, and the addon that says which of them a CPU can run.
import { copyFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { common, stage, writeManifest } from './staging.mjs';

/**
 * @param {string} folder where packages are put together
 * @param {{ name: string, os: string, cpu: string, libc?: string, variant?: string }} target
 * @param {Record<string, string>} binaries files, by level of CPU, or as `any`
 * @param {string} [levels] levels.node
 */
export function stagePlatform(folder, { name, os, cpu, libc, variant }, binaries, levels) {
  const place = stage(folder, `@nudging/${name}`);
  const file = (/** @type {string} */ level) => (level === 'any' ? 'nudging.node' : `nudging-${level}.node`);
  for (const [level, binary] of Object.entries(binaries)) copyFileSync(binary, path.join(place, file(level)));
  if (levels) copyFileSync(levels, path.join(place, 'levels.node'));
  // Tracers of files understand join(__dirname, …), each written out.
  const entries = Object.keys(binaries).map((level) => `    ${level}: join(__dirname, '${file(level)}'),\n`);
  const index = `'use strict';
const { join } = require('node:path');

module.exports = {
  version: '${common.version}',
  binaries: {
${entries.join('')}  },
${levels ? "  levels: join(__dirname, 'levels.node'),\n" : ''}};
`;
  writeFileSync(path.join(place, 'index.cjs'), index);
  const gpus = variant && { cuda: 'NVIDIA GPUs (CUDA)', vulkan: 'GPUs (Vulkan)' }[variant];
  const system = `${gpus ? `${gpus}, ` : ''}${os === 'linux' ? `Linux (${libc})` : os} on ${cpu}`;
  const use = gpus ? 'Install it beside nudging, which takes it where a driver runs' : 'Installed with it';
  writeFileSync(
    path.join(place, 'README.md'),
    `# @nudging/${name}\n\nThe binaries of nudging for ${system}. ${use}; nothing to use
by itself.\n`,
  );
  writeManifest(place, {
    name: `@nudging/${name}`,
    description: `The binaries of nudging for ${system}`,
    ...common,
    main: './index.cjs',
    os: [os],
    cpu: [cpu],
    ...(libc ? { libc: [libc] } : {}),
    // Yarn would leave them in an archive, out of which no system loads a library.
    preferUnplugged: true,
  });
  return place;
}
