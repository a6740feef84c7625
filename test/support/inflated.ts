import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import path from 'node:path';
import type { GenerateOptions, Input } from '../../lib/index.ts';
import { makePlan } from '../../scripts/lib/configs.mjs';
import { inRoot } from '../../scripts/lib/paths.mjs';

/** What the tool of bench/inflate makes of a model. */
export interface Shape {
  embedding: number;
  layers: number;
  feedForward: number;
  type: 'f32' | 'f16' | 'q8_0' | 'q4_0';
  /** As many as the width has room for, unless given. */
  heads?: number;
  /** In the original's proportion, unless given. */
  keyValueHeads?: number;
  seed?: number;
  /** Of how many quantised matrices each is the sum: as many as are of use, unless given. */
  copies?: number;
  /** Token t gets the logit of token t + `rotate`. */
  rotate?: number;
}

/** Shapes with names; the first two are what the figures of the benchmarks are about. */
export const shapes = {
  /** 1.09 B parameters. */
  base: { embedding: 2048, layers: 16, feedForward: 8192, type: 'q4_0' },
  /** 124 M parameters. */
  aligned: { embedding: 576, layers: 30, feedForward: 1536, type: 'q4_0' },
  smallBase: { embedding: 512, layers: 6, feedForward: 1536, type: 'f16' },
  smallAligned: { embedding: 256, layers: 5, feedForward: 768, type: 'f16' },
} as const satisfies Record<string, Shape>;

export type DemoModel = 'base' | 'aligned' | 'aligned-cross';

export const tool = path.join(makePlan({}).out, process.platform === 'win32' ? 'inflate.exe' : 'inflate');
// A folder of its own: test/support/models.ts removes from its one what it did not make.
const folder = inRoot('.native/models/inflated');
const hashOf = (...parts: (string | Buffer)[]) =>
  parts
    .reduce((hash, part) => hash.update(part), createHash('sha256'))
    .digest('hex')
    .slice(0, 8);
let toolHash: string | undefined;

/** The path of a model of the demo pair in a bigger shape, made if it is not there yet. */
export function inflated(name: DemoModel, shape: Shape): string {
  if (!existsSync(tool)) throw new Error('inflate is not built: run `node scripts/build.mjs --tests`');
  toolHash ??= prepareFolder();
  const model = inRoot(`models/demo/${name}.gguf`);
  const { embedding, layers, feedForward, type, heads, keyValueHeads, seed, copies, rotate } = shape;
  const options = { embd: embedding, layers, ffn: feedForward, type, heads, 'kv-heads': keyValueHeads, seed, copies, rotate };
  const words = Object.entries(options).flatMap(([option, value]) => (value === undefined ? [] : [`--${option}`, `${value}`]));
  const key = hashOf(words.join(' '), readFileSync(model));
  const file = path.join(folder, `${name}-${embedding}x${layers}x${feedForward}-${type}-${key}-${toolHash}.gguf`);
  if (existsSync(file)) return file;
  // Under another name first: two processes may want the same model.
  const incoming = `${file}.${process.pid}`;
  try {
    execFileSync(tool, ['--model', model, '--out', incoming, ...words], { stdio: 'pipe' });
    renameSync(incoming, file);
  } finally {
    // Only a failure leaves something, and it may be gigabytes.
    rmSync(incoming, { force: true });
  }
  return file;
}

export interface Pair {
  base: string;
  aligned: string;
}

/** The demo pair in bigger shapes: it answers as the demo pair does. */
export function inflatedPair(base: Shape = shapes.base, aligned: Shape = shapes.aligned): Pair {
  return { base: inflated('base', base), aligned: inflated('aligned', aligned) };
}

export interface SpecialPair extends Pair {
  /** What both models are to be asked, with the same text in front of both. */
  input(question: string): Input;
  /** Settings with which the pair shows what it is for. */
  options: GenerateOptions;
}

/**
 * A pair that agrees: the base is the aligned model, inflated, and sees the aligned model's prompt. Where it is less sure than γ its runs
 * end all the same; at γ 0 nearly the whole answer is one run.
 */
export function agreeingPair(base: Shape = shapes.base, aligned: Shape = shapes.aligned): SpecialPair {
  const prompt = (question: string) => [
    { text: '<|im_start|>user\n', special: true },
    { text: question, special: false },
    { text: '<|im_end|>\n<|im_start|>assistant\n', special: true },
  ];
  return {
    base: inflated('aligned', base),
    aligned: inflated('aligned', aligned),
    input: (question) => ({ base: prompt(question), aligned: prompt(question) }),
    options: { maxTokens: 96, gamma: 0.3 },
  };
}

/**
 * A pair that never agrees: the aligned model is the base with every logit moved to another token, so that after the same tokens it always
 * expects something else. Behind a prompt that is no question sheet the base goes on by itself all the same, for half of the answer.
 */
export function disagreeingPair(base: Shape = shapes.base, aligned: Shape = shapes.aligned): SpecialPair {
  // Odd, and far from the control tokens that begin the vocabulary.
  const rotate = 1237;
  const prompt = (question: string) => `${question}\n`;
  return {
    base: inflated('base', base),
    aligned: inflated('base', { ...aligned, rotate }),
    input: (question) => ({ base: prompt(question), aligned: prompt(question) }),
    options: { maxTokens: 96, gamma: 0.3 },
  };
}

/** Removes what another build of the tool has made. Returns the hash of this one. */
function prepareFolder(): string {
  const hash = hashOf(readFileSync(tool));
  mkdirSync(folder, { recursive: true });
  for (const name of readdirSync(folder)) {
    if (name.endsWith('.gguf') && !name.endsWith(`-${hash}.gguf`)) rmSync(path.join(folder, name), { force: true });
  }
  return hash;
}
