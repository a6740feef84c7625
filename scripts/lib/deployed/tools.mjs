import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { BuildError } from '../errors.mjs';
import { expected, question } from '../install-programs.mjs';
import { mustSucceed, quiet } from '../install-project.mjs';
import { npm } from '../npm.mjs';

/** Somebody's program, as CommonJS: it prints the answer. */
export const answering = `const { Nudging } = require('nudging');
(async () => {
  const nudging = await Nudging.load();
  console.log((await nudging.generate(${JSON.stringify(question)})).text);
  await nudging.close();
})();
`;

/**
 * A tool that packs or deploys programs, apart from what is deployed.
 * @param {string} folder
 * @param {string} name as npm understands it
 * @returns {Promise<string>} its node_modules
 */
export async function fetchTool(folder, name) {
  const place = path.join(folder, 'tools');
  mkdirSync(place, { recursive: true });
  writeFileSync(path.join(place, 'package.json'), '{ "private": true }');
  await mustSucceed(`npm install ${name}`, npm(['install', name, '--ignore-scripts', ...quiet], { cwd: place }));
  return path.join(place, 'node_modules');
}

/** @param {string} what @param {Promise<{ code: number, output: string }>} running */
export async function mustAnswer(what, running) {
  const { output } = await mustSucceed(what, running);
  if (!output.includes(expected)) throw new BuildError(`${what} did not answer "… ${expected} …":\n${output}`);
  return output;
}

/** @param {number} started */
export const secondsSince = (started) => (Date.now() - started) / 1000;
