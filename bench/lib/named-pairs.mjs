import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import path from 'node:path';
import { makePlan } from '../../scripts/lib/configs.mjs';
import { BuildError } from '../../scripts/lib/errors.mjs';
import { inRoot } from '../../scripts/lib/paths.mjs';
import { run } from '../../scripts/lib/process.mjs';

const tool = path.join(makePlan({}).out, process.platform === 'win32' ? 'inflate.exe' : 'inflate');
const folder = inRoot('.native/bench');

/** 1.08 B parameters, and 122 M; the same as in test/support/inflated.ts. */
const big = { embd: 2048, layers: 16, ffn: 8192, type: 'q4_0' };
const small = { embd: 576, layers: 30, ffn: 1536, type: 'q4_0' };

/**
 * Pairs that are made when they are asked for, out of the demo pair. `prompt`: one raw prompt for both models.
 * @type {Record<string, { base: [string, object], aligned: [string, object], gamma: number, prompt?: string }>}
 */
const pairs = {
  /** Answers as the demo pair does. */
  inflated: { base: ['base', big], aligned: ['aligned', small], gamma: 0.3 },
  /** The base is the aligned model, inflated. */
  agreeing: { base: ['aligned', big], aligned: ['aligned', small], gamma: 0.3, prompt: '<|im_start|>user\n{question}<|im_end|>\n<|im_start|>assistant\n' },
  /** The aligned model is the base with every logit moved to another token, so it always expects something else. */
  disagreeing: { base: ['base', big], aligned: ['base', { ...small, rotate: 1237 }], gamma: 0.1, prompt: '{question}\n' },
};

export const namedPairs = Object.keys(pairs);

/** @param {string} name one of namedPairs */
export async function makePair(name) {
  const found = pairs[name];
  if (!found) throw new BuildError(`there is no pair "${name}"`);
  if (!existsSync(tool)) throw new BuildError('the tool that inflates models is not built: node scripts/build.mjs --tests');
  const { lookahead, maxTokens, basePrompt } = JSON.parse(readFileSync(inRoot('models/demo/pair.json'), 'utf8'));
  const pair = { name, base: await inflate(...found.base), aligned: await inflate(...found.aligned), gamma: found.gamma, lookahead, maxTokens, basePrompt };
  return { pair, prompt: found.prompt };
}

/** @param {string} model of the demo pair @param {object} shape */
async function inflate(model, shape) {
  const source = inRoot(`models/demo/${model}.gguf`);
  const words = Object.entries(shape).flatMap(([option, value]) => [`--${option}`, String(value)]);
  const hash = createHash('sha256');
  for (const part of [words.join(' '), readFileSync(source), readFileSync(tool)]) hash.update(part);
  const stem = `${model}-${Object.values(shape).join('-')}-`;
  const file = path.join(folder, `${stem}${hash.digest('hex').slice(0, 8)}.gguf`);
  if (existsSync(file)) return file;
  mkdirSync(folder, { recursive: true });
  console.error(`making ${path.relative(process.cwd(), file)} …`);
  // Another build of the tool made these.
  for (const old of readdirSync(folder).filter((each) => each.startsWith(stem) && each.length === path.basename(file).length)) rmSync(path.join(folder, old));
  const incoming = `${file}.${process.pid}`;
  const { code, output } = await run(tool, ['--model', source, '--out', incoming, ...words]);
  if (code !== 0) {
    rmSync(incoming, { force: true });
    throw new BuildError(`inflate ended with ${code}: ${output.trim()}`);
  }
  renameSync(incoming, file);
  return file;
}
