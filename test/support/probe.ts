import { readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';

/** A vocabulary-only GGUF in the test addon (test/probe). */
export interface VocabularyProbe {
  tokenize(text: string): Int32Array;
  /** The same, by following the changes since the last call. */
  follow(text: string): Int32Array;
  restart(): void;
  /** How many of the 52 ASCII letters may stand in front of a cut. */
  readonly splits: number;
}

const inRoot = (path: string) => fileURLToPath(new URL(`../../${path}`, import.meta.url));

export const { VocabularyProbe } = createRequire(import.meta.url)(
  process.env['NUDGING_PROBE'] ?? inRoot('.native/cpu-release/nudging_probe.node'),
) as { VocabularyProbe: new (path: string) => VocabularyProbe };

/** The vocabularies that come with llama.cpp's source: name and path. */
export const vocabularies = readdirSync(inRoot('vendor/llama.cpp/models'))
  .filter((file) => /^ggml-vocab-.*\.gguf$/.test(file))
  .map((file) => ({ name: file.slice('ggml-vocab-'.length, -'.gguf'.length), path: inRoot(`vendor/llama.cpp/models/${file}`) }));
