import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import path from 'node:path';
import { makePlan } from '../../scripts/lib/configs.mjs';
import { inRoot } from '../../scripts/lib/paths.mjs';

export interface RandomModel {
  /** One of vendor/llama.cpp/models/ggml-vocab-*.gguf. */
  vocabulary: string;
  architecture?: 'llama' | 'gemma2' | 'gemma3' | 'mamba' | 'jamba' | 'rwkv7';
  seed?: number;
  /** Width: 32 unless given. */
  embedding?: number;
}

const toolNamed = (name: string) => path.join(makePlan({}).out, process.platform === 'win32' ? `${name}.exe` : name);
const tool = toolNamed('random_model');
const folder = inRoot('.native/models');
let toolHash: string | undefined;

/** The path of a small model with random weights, made by test/tools if it is not there yet. */
export function randomModel({ vocabulary, architecture = 'llama', seed = 1, embedding = 32 }: RandomModel): string {
  if (!existsSync(tool)) throw new Error('random_model is not built: run `node scripts/build.mjs --tests`');
  toolHash ??= prepareFolder();
  const name = `${vocabulary}-${architecture}-${embedding}-${seed}-${toolHash}.gguf`;
  const file = path.join(folder, name);
  if (existsSync(file)) return file;
  // Under another name first: two test files may want the same model.
  const incoming = `${file}.${process.pid}`;
  const vocabularyFile = inRoot(`vendor/llama.cpp/models/ggml-vocab-${vocabulary}.gguf`);
  execFileSync(tool, ['--vocab', vocabularyFile, '--arch', architecture, '--seed', `${seed}`, '--embd', `${embedding}`, '--out', incoming]);
  renameSync(incoming, file);
  return file;
}

/** Removes what another build of the tool has made. Returns the hash of this one. */
function prepareFolder(): string {
  const hash = createHash('sha256').update(readFileSync(tool)).digest('hex').slice(0, 8);
  mkdirSync(folder, { recursive: true });
  for (const name of readdirSync(folder)) {
    if (name.endsWith('.gguf') && !name.endsWith(`-${hash}.gguf`)) rmSync(path.join(folder, name), { force: true });
  }
  return hash;
}

/** The paths of the demo pair's models as copies with weights of another type. */
export function demoPairIn(type: string): { base: string; aligned: string } {
  const converter = toolNamed('convert_weights');
  if (!existsSync(converter)) throw new Error('convert_weights is not built: run `node scripts/build.mjs --tests`');
  toolHash ??= prepareFolder();
  const [base, aligned] = ['base', 'aligned'].map((name) => {
    const file = path.join(folder, `demo-${name}-${type}-${toolHash}.gguf`);
    if (existsSync(file)) return file;
    const incoming = `${file}.${process.pid}`;
    execFileSync(converter, ['--model', inRoot(`models/demo/${name}.gguf`), '--out', incoming, '--type', type]);
    renameSync(incoming, file);
    return file;
  });
  return { base: base as string, aligned: aligned as string };
}
