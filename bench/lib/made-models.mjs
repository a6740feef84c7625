import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import path from 'node:path';
import { makePlan } from '../../scripts/lib/configs.mjs';
import { BuildError } from '../../scripts/lib/errors.mjs';
import { inRoot } from '../../scripts/lib/paths.mjs';
import { run } from '../../scripts/lib/process.mjs';

const folder = inRoot('.native/bench');

/**
 * The path of a model that a tool of this build makes out of a file, made if it is not there yet.
 * @param {'inflate' | 'random_model'} tool
 * @param {{ stem: string, source: [option: string, file: string], options: Record<string, string | number> }} wanted stem: begins the
 *   file's name, one for each kind of model
 */
export async function madeModel(tool, { stem, source: [option, source], options }) {
  const program = path.join(makePlan({}).out, process.platform === 'win32' ? `${tool}.exe` : tool);
  if (!existsSync(program))
    throw new BuildError(`${tool}, which makes models for benchmarks, is not built: node scripts/build.mjs --tests`);
  if (!existsSync(source))
    throw new BuildError(`${path.relative(process.cwd(), source)}, which the benchmark's models are made of, is missing`);
  const words = Object.entries(options).flatMap(([name, value]) => [`--${name}`, String(value)]);
  const hash = createHash('sha256');
  for (const part of [words.join(' '), readFileSync(source), readFileSync(program)]) hash.update(part);
  const file = path.join(folder, `${stem}-${hash.digest('hex').slice(0, 8)}.gguf`);
  if (existsSync(file)) return file;
  mkdirSync(folder, { recursive: true });
  console.error(`making ${path.relative(process.cwd(), file)} …`);
  // Another build of the tool made these.
  for (const old of readdirSync(folder).filter((each) => each.startsWith(`${stem}-`) && each.length === path.basename(file).length))
    rmSync(path.join(folder, old));
  const incoming = `${file}.${process.pid}`;
  const { code, output } = await run(program, [`--${option}`, source, '--out', incoming, ...words]);
  if (code !== 0) {
    rmSync(incoming, { force: true });
    throw new BuildError(`${tool} ended with ${code}: ${output.trim()}`);
  }
  renameSync(incoming, file);
  return file;
}
