import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync } from 'node:fs';
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

const tool = path.join(makePlan({}).out, process.platform === 'win32' ? 'random_model.exe' : 'random_model');
const folder = inRoot('.native/models');
let toolHash: string | undefined;

/** The path of a small model with random weights, made by test/tools if it is not there yet. */
export function randomModel({ vocabulary, architecture = 'llama', seed = 1, embedding = 32 }: RandomModel): string {
  if (!existsSync(tool)) throw new Error('random_model is not built: run `node scripts/build.mjs --tests`');
  toolHash ??= createHash('sha256').update(readFileSync(tool)).digest('hex').slice(0, 8);
  const name = `${vocabulary}-${architecture}-${embedding}-${seed}-${toolHash}.gguf`;
  const file = path.join(folder, name);
  if (existsSync(file)) return file;
  mkdirSync(folder, { recursive: true });
  // Under another name first: two test files may want the same model.
  const incoming = `${file}.${process.pid}`;
  const vocabularyFile = inRoot(`vendor/llama.cpp/models/ggml-vocab-${vocabulary}.gguf`);
  execFileSync(tool, ['--vocab', vocabularyFile, '--arch', architecture, '--seed', `${seed}`, '--embd', `${embedding}`, '--out', incoming]);
  renameSync(incoming, file);
  return file;
}
