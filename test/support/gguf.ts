/** Writes small GGUF files, right and wrong. */

type Scalar = ['u8' | 'u32' | 'i32' | 'u64' | 'f32' | 'f64' | 'bool', number] | ['string', string];
export type Value = Scalar | ['array', 'string' | 'u32' | 'f32' | 'i32', readonly (string | number)[]];

const types = { u8: 0, i8: 1, u16: 2, i16: 3, u32: 4, i32: 5, f32: 6, bool: 7, string: 8, array: 9, u64: 10, i64: 11, f64: 12 } as const;

export interface Tensor {
  name: string;
  shape: readonly number[];
  /** ggml's number of it; 0 (F32) unless given. */
  type?: number;
}

const u32 = (value: number) => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value >>> 0);
  return bytes;
};
const u64 = (value: number | bigint) => {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(BigInt(value));
  return bytes;
};
const string = (text: string) => Buffer.concat([u64(Buffer.byteLength(text)), Buffer.from(text)]);

function scalar(type: Exclude<keyof typeof types, 'array'>, value: string | number): Buffer {
  if (type === 'string') return string(String(value));
  if (type === 'u64') return u64(Number(value));
  const bytes = Buffer.alloc({ u8: 1, i8: 1, bool: 1, u16: 2, i16: 2, u32: 4, i32: 4, f32: 4, i64: 8, f64: 8 }[type]);
  if (type === 'f32') bytes.writeFloatLE(Number(value));
  else if (type === 'f64') bytes.writeDoubleLE(Number(value));
  else bytes.writeIntLE(Number(value) | 0, 0, Math.min(6, bytes.length));
  return bytes;
}

/** The bytes of a header; `counts` says other numbers than there are. */
export function ggufBytes(
  values: Readonly<Record<string, Value>>,
  tensors: readonly Tensor[] = [],
  { version = 3, magic = 'GGUF', counts = {} as { tensors?: number | bigint; keys?: number | bigint } } = {},
): Buffer {
  const entries = Object.entries(values);
  return Buffer.concat([
    Buffer.from(magic),
    u32(version),
    u64(counts.tensors ?? tensors.length),
    u64(counts.keys ?? entries.length),
    ...entries.flatMap(([key, value]) =>
      value[0] === 'array'
        ? [string(key), u32(types.array), u32(types[value[1]]), u64(value[2].length), ...value[2].map((item) => scalar(value[1], item))]
        : [string(key), u32(types[value[0]]), scalar(value[0], value[1])],
    ),
    ...tensors.flatMap(({ name, shape, type = 0 }) => [string(name), u32(shape.length), ...shape.map(u64), u32(type), u64(0)]),
  ]);
}

/** The bytes as a source, which counts what is read of it. */
export function sourceOf(bytes: Uint8Array, size = bytes.length) {
  const source = {
    size,
    reads: 0,
    bytesRead: 0,
    async read(offset: number, length: number): Promise<Uint8Array> {
      if (offset < 0 || offset + length > size) throw new Error(`${length} bytes at ${offset} are outside of ${size}`);
      source.reads += 1;
      source.bytesRead += length;
      return bytes.subarray(offset, offset + length);
    },
  };
  return source;
}
