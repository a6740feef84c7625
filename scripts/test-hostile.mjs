#!/usr/bin/env node
// `npm run test:hostile`: for every architecture that llama.cpp's own tests can make a small model of, every single thing made wrong, each
// copy loaded in a process of its own.
import path from 'node:path';
import { parseArgs } from 'node:util';
import { architectureModels } from './lib/architecture-models.mjs';
import { makePlan } from './lib/configs.mjs';
import { BuildError, runMain } from './lib/errors.mjs';
import { buildNative } from './lib/native.mjs';
import { run } from './lib/process.mjs';

const help = `usage: npm run test:hostile -- [--architecture REGEX] [--count N] [--first 1]

Makes a small model of every architecture that llama.cpp's own tests can make one of, and loads wrong copies of it, each in a process of its
own: every hyperparameter with every awkward value, and the model without each of its tensors.

  --architecture  default: all, 121 of them; most of an hour on two cores
  --count         instead: so many copies with several things wrong, which a seed chooses
  --first         seed of the first of them
`;

/** @param {{ architecture: string, count?: string | undefined, first: string }} flags */
function check(flags) {
  for (const flag of /** @type {const} */ (['count', 'first'])) {
    const value = flags[flag];
    if (value !== undefined && !/^[1-9]\d{0,8}$/.test(value))
      throw new BuildError(`--${flag} must be a number from 1 to 999999999; got "${value}".`);
  }
  try {
    return new RegExp(`^(?:${flags.architecture})$`);
  } catch (error) {
    throw new BuildError(`--architecture: ${/** @type {Error} */ (error).message}`);
  }
}

await runMain(async () => {
  const { values } = parseArgs({
    options: {
      architecture: { type: 'string', default: '.*' },
      count: { type: 'string' },
      first: { type: 'string', default: '1' },
      help: { type: 'boolean', short: 'h' },
    },
  });
  if (values.help) {
    process.stdout.write(help);
    return 0;
  }
  const wanted = check(values);
  if (process.platform === 'win32') throw new BuildError('the wrong copies are loaded in forked processes, which Windows does not have.');

  const plan = makePlan({ variant: 'cpu', parts: ['tests'] });
  await buildNative(plan);
  const models = await architectureModels();

  const which = values.count === undefined ? ['--sweep', '1', '--count', '1000000'] : ['--first', values.first, '--count', values.count];
  let bad = 0;
  for (const { name, file } of models) {
    if (!wanted.test(name)) continue;
    const { code, output } = await run(path.join(plan.out, 'hostile_models'), ['--model', file, '--seconds', '5', ...which]);
    console.log(`${path.basename(file)}: ${output.trim()}`);
    bad += Number(code !== 0);
  }
  console.log(bad === 0 ? 'none crashed or hung' : `${bad} models have copies that crashed or hung`);
  return bad === 0 ? 0 : 1;
});
