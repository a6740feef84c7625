import { NudgingError } from '../errors.ts';
import type { ByteSource } from '../gguf/bytes.ts';
import { contentUrl, explained, type HubFile } from './api.ts';
import { chunksOf, startOf, totalOf } from './body.ts';
import { unreachable, type HubClient } from './client.ts';
import type { HubName } from './name.ts';

/** How often a part is asked for that does not arrive whole. */
const tries = 4;

const mebi = 2 ** 20;

/** Bytes of the first part and of the largest one. Each is twice the one before: most headers need one, large vocabularies some. */
const parts = { first: mebi, largest: 8 * mebi };

/** Headers with the largest vocabularies that are known take about 20 MiB. */
const mostBytes = 64 * mebi;

/**
 * The first bytes of a file on the hub, fetched by ranges as far as they are read, and kept. It is to be read forward, as headers are.
 * Nothing is written to the disk. The size is compared with what the hub says; the hash cannot be, which only the whole file has.
 */
export class RemoteBytes implements ByteSource {
  readonly #client: HubClient;
  readonly #name: HubName;
  readonly #commit: string;
  readonly #file: HubFile;
  readonly #most: number;
  #bytes: Uint8Array = new Uint8Array();
  /** Where `#bytes` begin. */
  #from = 0;
  #part = parts.first;
  #fetched = 0;

  /** @param most bytes that are fetched at most */
  constructor(client: HubClient, name: HubName, commit: string, file: HubFile, most = mostBytes) {
    this.#most = most;
    this.#client = client;
    this.#name = name;
    this.#commit = commit;
    this.#file = file;
  }

  get size(): number {
    return this.#file.bytes;
  }

  /** Bytes that came over the network. */
  get fetched(): number {
    return this.#fetched;
  }

  /** @throws NudgingError ERR_HUB_…, ERR_MODEL_INVALID where the header has no end; the signal's reason */
  async read(offset: number, length: number): Promise<Uint8Array> {
    const at = offset - this.#from;
    if (at >= 0 && at + length <= this.#bytes.length) return this.#bytes.subarray(at, at + length);
    const wanted = Math.min(Math.max(length, this.#part), this.size - offset);
    if (this.#fetched + wanted > this.#most) throw this.#endless();
    this.#bytes = await this.#fetch(offset, wanted);
    this.#from = offset;
    this.#part = Math.min(this.#part * 2, parts.largest);
    return this.#bytes.subarray(0, length);
  }

  async #fetch(offset: number, length: number): Promise<Uint8Array> {
    for (let attempt = 1; ; attempt += 1) {
      const bytes = await this.#fetchOnce(offset, length);
      if (bytes) return bytes;
      const { endpoint } = this.#client.settings;
      if (attempt === tries) throw unreachable(endpoint, new Error('the connection was closed'));
      await this.#client.wait(attempt);
    }
  }

  /** Nothing if the connection ends too soon. */
  async #fetchOnce(offset: number, length: number): Promise<Uint8Array | undefined> {
    const client = this.#client;
    const headers = { range: `bytes=${offset}-${offset + length - 1}` };
    const url = contentUrl(client, this.#name.repo, this.#commit, this.#file);
    const response = await explained(client, this.#name, client.get(url, headers, [200, 206]));
    const wrong = this.#wrong(response, offset);
    if (wrong !== undefined) {
      await response.body?.cancel();
      throw this.#damaged(wrong);
    }
    const bytes = new Uint8Array(length);
    let received = 0;
    try {
      for await (const chunk of chunksOf(response, client.settings.silenceMs)) {
        this.#fetched += chunk.length;
        const kept = chunk.subarray(0, length - received);
        bytes.set(kept, received);
        received += kept.length;
        // A server that knows no ranges sends the whole file, of which no more is taken than this.
        if (received === length) return bytes;
      }
    } catch {
      client.throwIfStopped();
    }
    client.throwIfStopped();
    return undefined;
  }

  #wrong(response: Response, offset: number): string | undefined {
    const total = totalOf(response);
    if (total !== undefined && total !== this.size) return `the server has ${total} bytes of it, and the hub says ${this.size}`;
    const start = response.status === 206 ? startOf(response) : 0;
    return start === offset ? undefined : `bytes from ${offset} on were asked for, and those from ${start ?? 'somewhere'} on come`;
  }

  #damaged(why: string): NudgingError {
    const { repo, text } = this.#name;
    const remedy = `try again later, or download it with \`nudging pull ${text}\``;
    return new NudgingError('ERR_HUB_DAMAGED', `${this.#file.path} of ${repo} cannot be read in parts (${why}): ${remedy}`, {
      value: text,
    });
  }

  #endless(): NudgingError {
    const { text } = this.#name;
    const why = `its header goes on after ${Math.round(this.#most / mebi)} MiB, and that is more than is fetched for a look`;
    return new NudgingError('ERR_MODEL_INVALID', `"${text}": ${why}: download it with \`nudging pull ${text}\``, { value: text });
  }
}
