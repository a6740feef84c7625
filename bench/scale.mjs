#!/usr/bin/env node
// How speed and cost grow with the models: `node bench/scale.mjs --help`.
import { readFileSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { BuildError, runMain } from '../scripts/lib/errors.mjs';
import { inRoot } from '../scripts/lib/paths.mjs';
import { points } from './lib/scale/points.mjs';
import { scaleReport } from './lib/scale/report.mjs';

const help = `Says what the model of growth makes of everything that was measured (bench/results, docs/gpu.md), and of larger models, more
GPUs and a base behind a network. Measures nothing itself.

Usage: node bench/scale.mjs [flags]

  --gpu NAME    h200 (default) or h100: what larger models run on
  --price P     of a GPU for an hour: adds what a million tokens cost
  --write       also put it into docs/scale.md
  --help        print this
`;

await runMain(async () => {
  const text = /** @type {const} */ ({ type: 'string' });
  const { values } = parseArgs({ options: { gpu: text, price: text, write: { type: 'boolean' }, help: { type: 'boolean' } } });
  if (values.help) return void process.stdout.write(help);
  const gpu = values.gpu ?? 'h200';
  if (gpu !== 'h100' && gpu !== 'h200') throw new BuildError(`--gpu cannot be "${gpu}": it must be h100 or h200`);
  const price = values.price === undefined ? undefined : Number(values.price);
  if (price !== undefined && !(price > 0)) throw new BuildError(`--price cannot be "${values.price}": it must be a number above 0`);
  const report = scaleReport({ points: points(), gpu, price });
  console.log(report);
  if (!values.write) return;
  const file = inRoot('docs/scale.md');
  const [begin, end] = ['<!-- scale:begin -->', '<!-- scale:end -->'];
  const content = readFileSync(file, 'utf8');
  const [from, to] = [content.indexOf(begin), content.indexOf(end)];
  if (from < 0 || to < from)
    throw new BuildError(`docs/scale.md has no "${begin}" and "${end}" any more: put them where the tables belong`);
  writeFileSync(file, `${content.slice(0, from)}${begin}\n${report}\n${content.slice(to)}`);
});
