import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { makePlan } from '../../scripts/lib/configs.mjs';
import { inRoot } from '../../scripts/lib/paths.mjs';

/**
 * A vocabulary of some 280 tokens, so that all that a model says can be listed (`candidates`): byte-level BPE as GPT-2 has it, of the 256
 * bytes, a few merges, and two ends of text.
 */
export interface TinyVocabulary {
  /** Pairs that are merged, in order. */
  merges?: readonly (readonly [string, string])[];
  /** Tokens at the end that show nothing, as vocabularies are filled up to round numbers. */
  padding?: number;
  /** Tokens at the very end that show this. */
  more?: readonly string[];
  /** The byte whose token ends a text beside the two that do in any case. */
  end?: string;
}

export interface TinyModel extends TinyVocabulary {
  seed?: number;
  /** How much more likely the end of text is than a random token: 1.6 unless given. */
  endBias?: number;
  /** Tokens: 1024 unless given. */
  context?: number;
}

const usualMerges = [
  ['Ġ', 't'],
  ['h', 'e'],
  ['Ġt', 'he'],
  ['i', 'n'],
  ['Ġ', 'a'],
  ['o', 'n'],
  ['r', 'e'],
  ['Ġ', 'w'],
  ['Ġw', 'ord'],
  ['o', 'r'],
  ['or', 'd'],
] as const;

const tool = path.join(makePlan({}).out, process.platform === 'win32' ? 'random_model.exe' : 'random_model');
// A folder of its own: test/support/models.ts removes from its one what it did not make.
const folder = inRoot('.native/models/tiny');

/** The path of a small model with random weights and such a vocabulary, made if it is not there yet. */
export function tinyModel({ seed = 1, endBias = 1.6, context = 1024, ...shape }: TinyModel = {}): string {
  if (!existsSync(tool)) throw new Error('random_model is not built: run `node scripts/build.mjs --tests`');
  const vocabulary = vocabularyFile(shape);
  const key = createHash('sha256').update(vocabulary).update(readFileSync(tool)).digest('hex').slice(0, 12);
  mkdirSync(folder, { recursive: true });
  const file = path.join(folder, `${key}-${seed}-${endBias}-${context}.gguf`);
  if (existsSync(file)) return file;
  // Under other names first: two test files may want the same model.
  const incoming = `${file}.${process.pid}`;
  writeFileSync(`${incoming}.vocabulary`, vocabulary);
  const numbers = ['--seed', `${seed}`, '--eos-bias', `${endBias}`, '--context', `${context}`];
  execFileSync(tool, ['--vocab', `${incoming}.vocabulary`, '--arch', 'llama', ...numbers, '--out', incoming]);
  renameSync(incoming, file);
  return file;
}

/** How GPT-2 spells the bytes: those that print as themselves, the others from U+0100 on. */
function bytes(): string[] {
  const prints = (byte: number) => (byte > 0x20 && byte < 0x7f) || (byte > 0xa0 && byte !== 0xad);
  let hidden = 0;
  return Array.from({ length: 256 }, (_, byte) => String.fromCharCode(prints(byte) ? byte : 0x100 + hidden++));
}

function vocabularyFile({ merges = usualMerges, padding = 0, more = [], end }: TinyVocabulary): Buffer {
  const ends = ['<|endoftext|>', '<|im_end|>'];
  const text = [...bytes(), ...merges.map((pair) => pair.join(''))];
  const pads = Array.from({ length: padding }, (_, i) => `[PAD${i}]`);
  const tokens = [...text, ...ends, ...pads, ...more];
  // llama.cpp's types: normal 1, control 3, unused 5.
  const types = [...text.map(() => 1), ...ends.map(() => 3), ...pads.map(() => 5), ...more.map(() => 1)];
  const values = [
    string('general.architecture', 'llama'),
    string('tokenizer.ggml.model', 'gpt2'),
    string('tokenizer.ggml.pre', 'gpt-2'),
    list('tokenizer.ggml.tokens', 8, tokens.map(spelled)),
    list('tokenizer.ggml.token_type', 5, types.map(int32)),
    list(
      'tokenizer.ggml.merges',
      8,
      merges.map((pair) => spelled(pair.join(' '))),
    ),
    value('tokenizer.ggml.eos_token_id', 4, int32(end === undefined ? text.length : end.charCodeAt(0))),
    value('tokenizer.ggml.add_bos_token', 7, Buffer.from([0])),
  ];
  // Magic, version 3, no tensors.
  return Buffer.concat([Buffer.from('GGUF'), int32(3), int64(0), int64(values.length), ...values]);
}

const int32 = (number: number) => Buffer.from(Int32Array.of(number).buffer);
const int64 = (number: number) => Buffer.from(BigInt64Array.of(BigInt(number)).buffer);
const spelled = (text: string) => Buffer.concat([int64(Buffer.byteLength(text)), Buffer.from(text)]);
const value = (key: string, type: number, content: Buffer) => Buffer.concat([spelled(key), int32(type), content]);
const string = (key: string, text: string) => value(key, 8, spelled(text));
const list = (key: string, type: number, items: Buffer[]) => value(key, 9, Buffer.concat([int32(type), int64(items.length), ...items]));
