import { existsSync, renameSync } from 'node:fs';
import path from 'node:path';
import { BuildError } from './errors.mjs';
import { withLock } from './lock.mjs';
import { run } from './process.mjs';

/**
 * The path of a copy of a model with 32-bit floats for weights, made beside it if it is not there yet.
 * @param {string} tool test/real/dequantise
 * @param {string} model
 * @param {(line: string) => void} [log]
 */
export async function exactCopy(tool, model, log = console.error) {
  const target = model.replace(/\.gguf$/, '.F32.gguf');
  const make = async () => {
    if (existsSync(target)) return target;
    log(`making ${path.basename(target)} …`);
    const incoming = `${target}.incoming`;
    const { code, output } = await run(tool, ['--model', model, '--out', incoming]);
    if (code !== 0) throw new BuildError(`${path.basename(target)} cannot be made: ${output.trim()}`);
    renameSync(incoming, target);
    return target;
  };
  return withLock(`${target}.lock`, make, log, 'another process is making this copy');
}
