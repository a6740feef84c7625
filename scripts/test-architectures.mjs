#!/usr/bin/env node
// `npm run test:architectures`: for every architecture that llama.cpp's own tests can make a small model of, whether it keeps what
// `deterministic` promises.
import path from 'node:path';
import { parseArgs } from 'node:util';
import { architectureModels, quantisedCopy } from './lib/architecture-models.mjs';
import { makePlan } from './lib/configs.mjs';
import { BuildError, runMain } from './lib/errors.mjs';
import { buildLibrary } from './lib/library.mjs';
import { buildNative } from './lib/native.mjs';
import { inRoot } from './lib/paths.mjs';
import { run } from './lib/process.mjs';

const help = `usage: npm run test:architectures -- [--architecture REGEX] [--types f32,q4_0] [--plain-attention]

Makes a small model of every architecture that llama.cpp's own tests can make one of, loads it with \`deterministic: true\`, and asks it the
same questions a token at a time, in one batch, in company, after cuts and with guesses. All answers must be the same to the bit; a model
that cannot promise it must be refused.

  --architecture     default: all, 121 of them; some minutes on two cores
  --types            of the weights: f32 (as made), q4_0, q8_0 …; default: f32,q4_0
  --plain-attention  without flash attention only; default: with and without it
`;

/** @param {string} pattern */
function readPattern(pattern) {
  try {
    return new RegExp(`^(?:${pattern})$`);
  } catch (error) {
    throw new BuildError(`--architecture: ${/** @type {Error} */ (error).message}`);
  }
}

/** @param {string} file @param {string} flashAttention @returns {Promise<{ outcome: string, detail: string }>} */
async function ask(file, flashAttention) {
  const { code, output } = await run(process.execPath, [inRoot('test/architectures/ask.mjs'), file, flashAttention]);
  const line = output.trim().split('\n').pop() ?? '';
  if (code !== 0 || !line.startsWith('{')) return { outcome: 'crashed', detail: `exit code ${code}: ${output.slice(-400)}` };
  return JSON.parse(line);
}

await runMain(async () => {
  const text = /** @type {const} */ ({ type: 'string' });
  const flag = /** @type {const} */ ({ type: 'boolean', default: false });
  const { values } = parseArgs({
    options: {
      architecture: { ...text, default: '.*' },
      types: { ...text, default: 'f32,q4_0' },
      'plain-attention': flag,
      help: { ...flag, short: 'h' },
    },
  });
  if (values.help) {
    process.stdout.write(help);
    return 0;
  }
  const wanted = readPattern(values.architecture);

  const plan = makePlan({ parts: ['addon', 'tools'] });
  await buildNative(plan);
  await buildLibrary();
  const quantise = path.join(plan.out, process.platform === 'win32' ? 'quantise.exe' : 'quantise');
  const models = (await architectureModels()).filter(({ name }) => wanted.test(name));
  if (models.length === 0) throw new BuildError(`no architecture is called ${values.architecture}`);

  /** @type {Map<string, number>} */
  const counts = new Map();
  for (const { file } of models) {
    for (const type of values.types.split(',')) {
      const copy = type === 'f32' ? file : await quantisedCopy(quantise, file, type);
      if (copy === undefined) {
        console.log(`${path.basename(file)}, ${type}: llama.cpp does not quantise it`);
        continue;
      }
      for (const flashAttention of values['plain-attention'] ? ['false'] : ['auto', 'false']) {
        const { outcome, detail } = await ask(copy, flashAttention);
        counts.set(outcome, (counts.get(outcome) ?? 0) + 1);
        const attention = flashAttention === 'auto' ? 'flash' : 'plain';
        const more = detail && `: ${detail.replaceAll(copy, 'model')}`;
        console.log(`${path.basename(file)}, ${type}, ${attention} attention: ${outcome}${more}`);
      }
    }
  }
  console.log([...counts].map(([outcome, count]) => `${count} ${outcome}`).join(', '));
  // Refused is right; what runs must keep its promise. All of them refused would be no test.
  const bad = ['differs', 'failed', 'crashed'].some((outcome) => counts.has(outcome));
  return bad || (values.architecture === '.*' && !counts.has('same')) ? 1 : 0;
});
