// What the fuzzers start from: small inputs of the right shape, written anew each time.
import { writeFileSync } from 'node:fs';
import path from 'node:path';

const types = { u8: 0, u32: 4, i32: 5, f32: 6, bool: 7, string: 8, array: 9 };

const u32 = (/** @type {number} */ value) => Buffer.from(Uint32Array.of(value).buffer);
const u64 = (/** @type {number} */ value) => Buffer.from(BigUint64Array.of(BigInt(value)).buffer);
const text = (/** @type {string} */ value) => Buffer.concat([u64(Buffer.byteLength(value)), Buffer.from(value)]);

/** @typedef {{ key: string, bytes: Buffer }} Value */

/** @param {string} key @param {number} type @param {Buffer} bytes @returns {Value} */
const value = (key, type, bytes) => ({ key, bytes: Buffer.concat([u32(type), bytes]) });
const number = (/** @type {string} */ key, /** @type {number} */ one) => value(key, types.u32, u32(one));
const string = (/** @type {string} */ key, /** @type {string} */ one) => value(key, types.string, text(one));
const list = (/** @type {string} */ key, /** @type {number} */ type, /** @type {Buffer[]} */ elements) =>
  value(key, types.array, Buffer.concat([u32(type), u64(elements.length), ...elements]));

/** @param {Value[]} values */
function header(values) {
  const tensors = Buffer.concat([text('output_norm.weight'), u32(1), u64(8), u32(0), u64(0)]);
  const head = Buffer.concat([
    Buffer.from('GGUF'),
    u32(3),
    u64(1),
    u64(values.length),
    ...values.flatMap(({ key, bytes }) => [text(key), bytes]),
    tensors,
  ]);
  return Buffer.concat([head, Buffer.alloc(((32 - (head.length % 32)) % 32) + 32)]);
}

/** @type {Record<string, string[]>} */
const tokenizers = {
  gpt2: ['a', 'b', 'ab', 'Ġ'],
  llama: ['<unk>', '<s>', '</s>', '<0x0A>', '▁a'],
  t5: ['<pad>', '</s>', '<unk>', '▁'],
  rwkv: ['\\n', 'a', 'ab', '\\x80'],
  bert: ['[PAD]', 'a', '##a'],
  plamo2: ['a', '<0x00>'],
};

/** @param {string} folder */
export function writeHeaderSeeds(folder) {
  for (const [model, tokens] of Object.entries(tokenizers)) {
    const values = [
      string('general.architecture', 'llama'),
      number('general.alignment', 32),
      number('llama.block_count', 2),
      number('llama.context_length', 64),
      number('llama.embedding_length', 32),
      list('llama.attention.head_count', types.u32, [u32(4), u32(4)]),
      number('llama.attention.head_count_kv', 2),
      number('llama.rope.dimension_count', 8),
      value('llama.attention.layer_norm_rms_epsilon', types.f32, Buffer.from(Float32Array.of(1e-5).buffer)),
      string('llama.rope.scaling.type', 'linear'),
      number('llama.expert_count', 4),
      number('llama.expert_used_count', 2),
      string('tokenizer.ggml.model', model),
      string('tokenizer.ggml.pre', 'default'),
      list('tokenizer.ggml.tokens', types.string, tokens.map(text)),
      list(
        'tokenizer.ggml.token_type',
        types.i32,
        tokens.map((_, i) => u32(i === 3 ? 6 : 1)),
      ),
      list(
        'tokenizer.ggml.scores',
        types.f32,
        tokens.map(() => u32(0)),
      ),
      list('tokenizer.ggml.merges', types.string, [text('a b')]),
      list(
        'tokenizer.ggml.precompiled_charsmap',
        types.u8,
        [...Buffer.from([4, 0, 0, 0, 0, 0, 0, 0, 97, 0])].map((byte) => Buffer.of(byte)),
      ),
      number('tokenizer.ggml.eos_token_id', 1),
      value('tokenizer.ggml.add_bos_token', types.bool, Buffer.of(1)),
    ];
    writeFileSync(path.join(folder, `${model}.gguf`), header(values));
    writeFileSync(
      path.join(folder, `${model}-tokenizer.gguf`),
      header(values.filter(({ key }) => key.startsWith('tokenizer.') || key === 'general.architecture')),
    );
  }
}

/** The first byte chooses a vocabulary; bytes from 128 on stand for words, 1 compares, 2 goes back. @param {string} folder */
export function writeTextSeeds(folder) {
  const texts = [
    'the harbor of a port',
    'A  \x01 harbor is\x01 where ships\x02\x01 lie.\n\n',
    '1234 5678\t\r\n x y z',
    "don't I'm it's </s>",
  ];
  for (let vocabulary = 0; vocabulary < 10; ++vocabulary) {
    texts.forEach((one, i) =>
      writeFileSync(
        path.join(folder, `${vocabulary}-${i}`),
        Buffer.concat([Buffer.of(vocabulary), Buffer.from(one), Buffer.from([1, 0x80 + vocabulary, 0x91, 1, 2, 1, 0xa0, 0x9c])]),
      ),
    );
  }
}
