#!/usr/bin/env node
// What holds against attacks, and what it costs: `npm run bench:attacks -- --help`.
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { Nudging } from '../dist/index.js';
import { defaultBasePrompt } from '../dist/prompts.js';
import { BuildError, runMain } from '../scripts/lib/errors.mjs';
import { AttackBench } from './lib/attack-bench.mjs';
import { help, readAttackFlags } from './lib/attacks-flags.mjs';
import { readAttackPrompts } from './lib/attack-prompts.mjs';
import { attacksReport } from './lib/attacks-report.mjs';
import { attackFamilies, defences } from './lib/attacks.mjs';
import { load, machine } from './lib/machine.mjs';
import { readSetup } from './lib/setup.mjs';

await runMain(async () => {
  const flags = readAttackFlags();
  if (flags.help) {
    process.stdout.write(help);
    return;
  }
  const prompts = readAttackPrompts(flags.prompts, flags.limit);
  const { setup, name: pairName } = await readSetup({ ...flags, context: 512 });
  if (setup.prompt !== undefined) throw new BuildError(`--pair ${pairName} has no chat template, so no attack can be put to it`);
  const { name, description, ...manifest } = /** @type {import('../dist/index.js').Pair} */ (setup.pair);
  const before = load();
  const engine = await Nudging.load({
    ...manifest,
    ...setup.settings,
    parallel: 1,
    ...(setup.threads.forced ? { threads: setup.threads.base } : {}),
  });
  const template = manifest.basePrompt ?? defaultBasePrompt;
  const families = attackFamilies(template, flags).filter((one) => flags.families?.includes(one.name) ?? true);
  const systems = defences(prompts.refusals, flags).filter((one) => flags.systems?.includes(one.name) ?? true);
  const bench = new AttackBench(engine, prompts);
  /** @type {import('./lib/attack-bench.mjs').Cell[]} */
  const cells = [];
  try {
    for (const family of families) {
      cells.push(...(await bench.measure(family, systems)));
      console.error(`tried: ${family.label}`);
    }
  } finally {
    await engine.close();
  }

  const result = {
    name: pairName,
    command: ['npm run bench:attacks', ...(process.argv.length > 2 ? ['--', ...process.argv.slice(2)] : [])].join(' '),
    machine: machine(),
    load: { before, after: load() },
    setup: { settings: setup.settings, threads: setup.threads, every: flags.every, tokens: flags.tokens },
    prompts: { about: prompts.about, refuse: prompts.refuse.length, answer: prompts.answer.length, refusals: prompts.refusals },
    families: families.map(({ name: of, label }) => ({ name: of, label })),
    systems: systems.map(({ name: of, label, options }) => ({ name: of, label, options })),
    cells,
  };
  const report = attacksReport(result);
  console.log(flags.json ? JSON.stringify(result, null, 2) : report);
  if (flags.out === undefined) return;
  const resultName = flags.name ?? `attacks-${pairName}`;
  mkdirSync(flags.out, { recursive: true });
  writeFileSync(path.join(flags.out, `${resultName}.json`), `${JSON.stringify(result, null, 2)}\n`);
  writeFileSync(path.join(flags.out, `${resultName}.md`), report);
});
