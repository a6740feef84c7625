import { open, type FileHandle } from 'node:fs/promises';

/** Bytes that can be read at any place: of a file, or of one that lies elsewhere. */
export interface ByteSource {
  /** Of the whole, not of what is at hand. */
  readonly size: number;
  /** Exactly these bytes, all of which lie within `size`; rejects if they cannot be had. */
  read(offset: number, length: number): Promise<Uint8Array>;
}

/** A file, to be closed. */
export async function openBytes(path: string): Promise<ByteSource & { close(): Promise<void> }> {
  const file = await open(path, 'r');
  try {
    const stats = await file.stat();
    // Whatever is no file has no size that could be relied on.
    return { size: stats.isFile() ? stats.size : 0, read: (offset, length) => readFully(file, offset, length), close: () => file.close() };
  } catch (error) {
    await file.close();
    throw error;
  }
}

async function readFully(file: FileHandle, offset: number, length: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(length);
  for (let done = 0; done < length; ) {
    const { bytesRead } = await file.read(bytes, done, length - done, offset + done);
    if (bytesRead === 0) throw new Error(`ends after ${offset + done} bytes`);
    done += bytesRead;
  }
  return bytes;
}

/** Reads forward in a source, in blocks: a header is millions of small values. */
export class Cursor {
  readonly #source: ByteSource;
  readonly #block: number;
  #bytes = new Uint8Array();
  #view = new DataView(this.#bytes.buffer);
  /** Where `#bytes` begin. */
  #from = 0;
  #at = 0;

  /** @param block bytes that are read at a time, at least */
  constructor(source: ByteSource, block = 1 << 20) {
    this.#source = source;
    this.#block = block;
  }

  /** Bytes from the beginning. */
  get position(): number {
    return this.#from + this.#at;
  }

  /** Bytes up to the end of the source. */
  get left(): number {
    return this.#source.size - this.position;
  }

  /** Makes the next bytes ready. Only where this is false, `load` has to be awaited. */
  has(length: number): boolean {
    return this.#at + length <= this.#bytes.length;
  }

  /** @throws RangeError if the source has no such bytes */
  async load(length: number): Promise<void> {
    if (this.has(length)) return;
    if (length > this.left) throw new RangeError(`${length} bytes are wanted and ${this.left} are left`);
    const from = this.position;
    this.#bytes = Uint8Array.from(await this.#source.read(from, Math.min(Math.max(length, this.#block), this.left)));
    this.#view = new DataView(this.#bytes.buffer);
    [this.#from, this.#at] = [from, 0];
  }

  /** Leaves out bytes, which need not be ready. @throws RangeError */
  skip(length: number): void {
    if (length > this.left) throw new RangeError(`${length} bytes are wanted and ${this.left} are left`);
    this.#at += length;
    if (this.#at <= this.#bytes.length) return;
    this.#from += this.#at;
    this.#at = 0;
    this.#bytes = new Uint8Array();
  }

  /** The next bytes, which are ready. */
  take(length: number): Uint8Array {
    const bytes = this.#bytes.subarray(this.#at, this.#at + length);
    this.#at += length;
    return bytes;
  }

  /** A number of the next bytes, which are ready. */
  number(length: number, read: (view: DataView, at: number) => number): number {
    const value = read(this.#view, this.#at);
    this.#at += length;
    return value;
  }

  /** The next bytes are ready. Numbers over 2^53 - 1 lose their last bits, and mean nothing in a header. */
  unsigned64(): number {
    const value = this.peek64();
    this.#at += 8;
    return value;
  }

  /** The same, and it stays the next. */
  peek64(): number {
    return this.#view.getUint32(this.#at + 4, true) * 2 ** 32 + this.#view.getUint32(this.#at, true);
  }
}
