import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';

/** Writes files into a folder that are no model, each in its own way, and returns their paths. */
export function badModels(folder: string) {
  const file = (name: string, content: string | Buffer) => {
    const place = path.join(folder, name);
    writeFileSync(place, content);
    return place;
  };
  const directory = path.join(folder, 'directory.gguf');
  mkdirSync(directory);
  const unreadable = file('unreadable.gguf', 'GGUF');
  chmodSync(unreadable, 0o000);
  return {
    text: file('text.gguf', 'This is no model.\n'),
    empty: file('empty.gguf', ''),
    garbage: file('garbage.gguf', Buffer.concat([Buffer.from('GGUF'), Buffer.alloc(300, 0xfe)])),
    pointer: file('pointer.gguf', `version https://git-lfs.github.com/spec/v1\noid sha256:${'4d7a2146'.repeat(8)}\nsize 4661216384\n`),
    page: file('page.gguf', '<!DOCTYPE html>\n<html><head><title>model.gguf</title></head></html>\n'),
    laterPart: file('big-00002-of-00003.gguf', part(1)),
    renamedPart: file('big.gguf', part(0)),
    embedding: file('embedding.gguf', embeddingModel()),
    directory,
    unreadable,
  };
}

const u32 = (value: number) => Buffer.from(Uint32Array.of(value).buffer);
const u64 = (value: number) => Buffer.from(BigUint64Array.of(BigInt(value)).buffer);
const string = (text: string) => Buffer.concat([u64(text.length), Buffer.from(text)]);

/** The least that a GGUF header says about one of three parts of a model. */
function part(number: number): Buffer {
  const u16 = (value: number) => Buffer.from(Uint16Array.of(value).buffer);
  const uint16Type = 2;
  const values = [string('split.no'), u32(uint16Type), u16(number), string('split.count'), u32(uint16Type), u16(3)];
  return Buffer.concat([Buffer.from('GGUF'), u32(3), u64(0), u64(2), ...values]);
}

/** The least that a GGUF header says about an embedding model, with one tensor of eight zeros. */
function embeddingModel(): Buffer {
  const [uint32Type, stringType, f32] = [4, 8, 0];
  const header = Buffer.concat([
    Buffer.from('GGUF'),
    u32(3),
    u64(1),
    u64(2),
    ...[string('general.architecture'), u32(stringType), string('bert')],
    ...[string('bert.pooling_type'), u32(uint32Type), u32(1)],
    ...[string('weights'), u32(1), u64(8), u32(f32), u64(0)],
  ]);
  const padding = Buffer.alloc((32 - (header.length % 32)) % 32);
  return Buffer.concat([header, padding, Buffer.alloc(32)]);
}
