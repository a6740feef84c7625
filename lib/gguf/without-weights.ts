import type { ByteSource } from './bytes.ts';
import { readHeader } from './header.ts';

/** Of a split model, what says how many files there are: there is one now. */
const ofSplit = 'split.';

/** Weights would begin at a multiple of this, unless the file says otherwise; nobody needs more than a page. */
const usualAlignment = 32;
const mostAlignment = 4096;

/**
 * A GGUF file with what another one says of itself, its vocabulary above all, and none of its weights. Only the header is read.
 *
 * @throws HeaderError; what the source rejects with
 */
export async function withoutWeights(source: ByteSource): Promise<Uint8Array> {
  const kept = new KeptBytes(source);
  const { version, values: said, spans } = await readHeader(kept);
  const values = spans.filter(({ key }) => !key.startsWith(ofSplit));
  const start = Buffer.alloc(24);
  start.write('GGUF', 'latin1');
  start.writeUInt32LE(version, 4);
  start.writeBigUInt64LE(0n, 8);
  start.writeBigUInt64LE(BigInt(values.length), 16);
  const parts: Uint8Array[] = [start];
  for (const { from, to } of values) parts.push(await kept.read(from, to - from));
  const wanted = Number(said.get('general.alignment') ?? usualAlignment);
  const alignment = wanted > 0 && wanted <= mostAlignment ? wanted : usualAlignment;
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  return Buffer.concat(parts, Math.ceil(length / alignment) * alignment);
}

/** What was read of a source stays at hand. What is left out on the way is read as well, because it will be asked for. */
class KeptBytes implements ByteSource {
  readonly #source: ByteSource;
  #bytes = Buffer.alloc(0);
  #kept = 0;

  constructor(source: ByteSource) {
    this.#source = source;
  }

  get size(): number {
    return this.#source.size;
  }

  async read(offset: number, length: number): Promise<Uint8Array> {
    const wanted = offset + length - this.#kept;
    if (wanted > 0) {
      const more = await this.#source.read(this.#kept, wanted);
      if (this.#kept + wanted > this.#bytes.length) {
        const larger = Buffer.alloc(Math.max(2 * this.#bytes.length, this.#kept + wanted));
        larger.set(this.#bytes.subarray(0, this.#kept));
        this.#bytes = larger;
      }
      this.#bytes.set(more, this.#kept);
      this.#kept += wanted;
    }
    return this.#bytes.subarray(offset, offset + length);
  }
}
