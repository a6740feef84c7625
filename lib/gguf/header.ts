import { Cursor, type ByteSource } from './bytes.ts';
import { tensorTypes } from './types.ts';

export type GgufScalar = number | boolean | string;

/** An array of the header. */
export interface GgufArray {
  /** How many it has. */
  count: number;
  /** Those, unless they are too many to be of use one by one. */
  items?: GgufScalar[];
}

export type GgufValue = GgufScalar | GgufArray;

export interface GgufTensor {
  name: string;
  /** A name of ggml's, such as `Q4_K`. */
  type: string;
  /** Product of its dimensions. */
  elements: number;
  bytes: number;
}

/** A key of a header with its value, as bytes of the file. */
export interface GgufSpan {
  key: string;
  from: number;
  to: number;
}

/** What stands in front of the weights in a GGUF file. */
export interface GgufHeader {
  version: number;
  values: Map<string, GgufValue>;
  /** Where the values stand, in the order of the file. */
  spans: GgufSpan[];
  tensors: GgufTensor[];
  /** Bytes of the header. */
  bytes: number;
}

/** What is wrong with a header, to go on after the file's name. */
export class HeaderError extends Error {
  override readonly name = 'HeaderError';
}

/**
 * Bounds of what is believed of a header. All lengths and counts are also compared with the size of the file before anything is allocated
 * or read. Real headers have some dozens of keys and some thousands of tensors, and vocabularies of up to a million tokens.
 */
export const headerLimits = {
  keys: 65_536,
  tensors: 1_000_000,
  keyBytes: 65_535,
  textBytes: 16 << 20,
  items: 4 << 20,
  bytes: 1 << 30,
} as const;

/** Arrays whose items are of use; of others only the count is kept if they are long. */
const keptWhole: ReadonlySet<string> = new Set(['tokenizer.ggml.tokens', 'tokenizer.ggml.token_type']);
const alwaysKept = 1024;

/**
 * Reads the header of a GGUF file, version 2 or 3, and trusts none of it. The format:
 * https://github.com/ggml-org/ggml/blob/master/docs/gguf.md. Reads forward, in blocks, and only as far as the header goes.
 *
 * @throws HeaderError; what the source rejects with
 */
export async function readHeader(source: ByteSource): Promise<GgufHeader> {
  try {
    return await new Reader(source).header();
  } catch (error) {
    if (error instanceof RangeError) throw new HeaderError(`is damaged or cut short (${error.message}): download it again`);
    throw error;
  }
}

/** By its number in the file: how many bytes a value has, and how to read it. Strings and arrays have a length of their own. */
const scalars: readonly ({ bytes: number; read: (view: DataView, at: number) => number } | undefined)[] = [
  { bytes: 1, read: (view, at) => view.getUint8(at) },
  { bytes: 1, read: (view, at) => view.getInt8(at) },
  { bytes: 2, read: (view, at) => view.getUint16(at, true) },
  { bytes: 2, read: (view, at) => view.getInt16(at, true) },
  { bytes: 4, read: (view, at) => view.getUint32(at, true) },
  { bytes: 4, read: (view, at) => view.getInt32(at, true) },
  { bytes: 4, read: (view, at) => view.getFloat32(at, true) },
  { bytes: 1, read: (view, at) => view.getUint8(at) },
  undefined,
  undefined,
  { bytes: 8, read: (view, at) => Number(view.getBigUint64(at, true)) },
  { bytes: 8, read: (view, at) => Number(view.getBigInt64(at, true)) },
  { bytes: 8, read: (view, at) => view.getFloat64(at, true) },
];
const [booleanType, stringType, arrayType] = [7, 8, 9] as const;

class Reader {
  readonly #at: Cursor;
  readonly #decoder = new TextDecoder('utf-8', { ignoreBOM: true });

  constructor(source: ByteSource) {
    this.#at = new Cursor(source);
  }

  async header(): Promise<GgufHeader> {
    const at = this.#at;
    if (at.left < 24) throw new HeaderError('is no GGUF file');
    await at.load(24);
    if (this.#decoder.decode(at.take(4)) !== 'GGUF') throw new HeaderError('is no GGUF file');
    const version = at.number(4, (view, place) => view.getUint32(place, true));
    if (version === 0x02000000 || version === 0x03000000) throw new HeaderError('is of the other byte order: convert it for this machine');
    if (version !== 2 && version !== 3) throw new HeaderError(`is of GGUF version ${version}, and 2 and 3 are known: convert it again`);
    const tensors = this.#count(at.unsigned64(), headerLimits.tensors, 24, 'tensors');
    const keys = this.#count(at.unsigned64(), headerLimits.keys, 13, 'keys');
    const values = new Map<string, GgufValue>();
    const spans: GgufSpan[] = [];
    for (let index = 0; index < keys; index += 1) {
      const from = at.position;
      const key = await this.#string(headerLimits.keyBytes, 'a key');
      if (values.has(key)) throw new HeaderError(`is damaged (the key ${shown(key)} stands there twice): download it again`);
      values.set(key, await this.#value(key));
      spans.push({ key, from, to: at.position });
      if (at.position > headerLimits.bytes) throw new HeaderError('has a header of more than a gigabyte, which no model needs');
    }
    const list: GgufTensor[] = [];
    for (let index = 0; index < tensors; index += 1) list.push(await this.#tensor());
    return { version, values, spans, tensors: list, bytes: at.position };
  }

  /** @param least bytes that each of them takes */
  #count(count: number, most: number, least: number, what: string): number {
    if (count > most || count * least > this.#at.left)
      throw new HeaderError(`is damaged or cut short (${count} ${what}): download it again`);
    return count;
  }

  async #value(key: string): Promise<GgufValue> {
    await this.#at.load(4);
    const type = this.#at.number(4, (view, place) => view.getUint32(place, true));
    if (type === arrayType) return this.#array(key);
    return this.#scalar(type, key);
  }

  async #array(key: string): Promise<GgufArray> {
    const at = this.#at;
    await at.load(12);
    const type = at.number(4, (view, place) => view.getUint32(place, true));
    const scalar = scalars[type];
    if (!scalar && type !== stringType) throw new HeaderError(`is damaged (${shown(key)} is an array of type ${type}): download it again`);
    const count = this.#count(at.unsigned64(), Number.MAX_SAFE_INTEGER, scalar?.bytes ?? 8, `values of ${shown(key)}`);
    if (count > alwaysKept && !(keptWhole.has(key) && count <= headerLimits.items)) {
      if (scalar) at.skip(count * scalar.bytes);
      else for (let index = 0; index < count; index += 1) if (!this.#skipReady()) await this.#skipString(key);
      return { count };
    }
    const items: GgufScalar[] = [];
    for (let index = 0; index < count; index += 1) items.push(this.#ready(type) ?? (await this.#scalar(type, key)));
    return { count, items };
  }

  /** The next value if all of it is ready: vocabularies are too many for a promise each. */
  #ready(type: number): GgufScalar | undefined {
    const at = this.#at;
    if (type !== stringType || !at.has(8)) return undefined;
    const length = at.peek64();
    return length <= headerLimits.textBytes && at.has(8 + length) ? this.#decoder.decode(at.take(8 + length).subarray(8)) : undefined;
  }

  #skipReady(): boolean {
    const at = this.#at;
    if (!at.has(8)) return false;
    const length = at.peek64();
    const ready = at.has(8 + length);
    if (ready) at.skip(8 + length);
    return ready;
  }

  async #scalar(type: number, key: string): Promise<GgufScalar> {
    if (type === stringType) return this.#string(headerLimits.textBytes, shown(key));
    const scalar = scalars[type];
    if (!scalar) throw new HeaderError(`is damaged (${shown(key)} is of type ${type}): download it again`);
    if (!this.#at.has(scalar.bytes)) await this.#at.load(scalar.bytes);
    const value = this.#at.number(scalar.bytes, scalar.read);
    return type === booleanType ? value !== 0 : value;
  }

  async #string(most: number, what: string): Promise<string> {
    const at = this.#at;
    if (!at.has(8)) await at.load(8);
    const length = at.unsigned64();
    if (length > most || length > at.left)
      throw new HeaderError(`is damaged or cut short (${what} has ${length} bytes): download it again`);
    if (!at.has(length)) await at.load(length);
    return this.#decoder.decode(at.take(length));
  }

  async #skipString(key: string): Promise<void> {
    const at = this.#at;
    if (!at.has(8)) await at.load(8);
    const length = at.unsigned64();
    if (length > at.left) throw new HeaderError(`is damaged or cut short (a text of ${shown(key)} has ${length} bytes): download it again`);
    at.skip(length);
  }

  async #tensor(): Promise<GgufTensor> {
    const at = this.#at;
    const name = await this.#string(headerLimits.keyBytes, 'the name of a tensor');
    await at.load(4);
    const dimensions = at.number(4, (view, place) => view.getUint32(place, true));
    if (dimensions > 4) throw new HeaderError(`is damaged (the tensor ${shown(name)} has ${dimensions} dimensions): download it again`);
    await at.load(dimensions * 8 + 12);
    let elements = 1;
    for (let index = 0; index < dimensions; index += 1) elements *= at.unsigned64();
    if (!Number.isSafeInteger(elements)) throw new HeaderError(`is damaged (the tensor ${shown(name)} is too large): download it again`);
    const id = at.number(4, (view, place) => view.getUint32(place, true));
    at.unsigned64();
    const type = tensorTypes[id];
    if (!type) throw new HeaderError(`has weights of a type that is not known (${id}, of ${shown(name)}): convert it to another type`);
    return { name, type: type.name, elements, bytes: (elements / type.block) * type.bytes };
  }
}

/** A name from the file in a message. */
function shown(name: string): string {
  return JSON.stringify(name.length > 60 ? `${name.slice(0, 60)}…` : name);
}
