import { existsSync, renameSync } from 'node:fs';
import path from 'node:path';
import { BuildError } from './errors.mjs';
import { withLock } from './lock.mjs';
import { run } from './process.mjs';

/**
 * The path of a copy of a model with other weights, made beside it if it is not there yet: by default 32-bit floats that are exactly the
 * numbers of the original.
 * @param {string} tool test/weights
 * @param {string} model
 * @param {(line: string) => void} [log]
 * @param {string} [type] ggml's name of a type of weights
 */
export async function weightsCopy(tool, model, log = console.error, type = 'f32') {
  const target = model.replace(/\.gguf$/, `.${type.toUpperCase()}.gguf`);
  const make = async () => {
    if (existsSync(target)) return target;
    log(`making ${path.basename(target)} …`);
    const incoming = `${target}.incoming`;
    const { code, output } = await run(tool, ['--model', model, '--out', incoming, '--type', type]);
    if (code !== 0) throw new BuildError(`${path.basename(target)} cannot be made: ${output.trim()}`);
    renameSync(incoming, target);
    return target;
  };
  return withLock(`${target}.lock`, make, log, 'another process is making this copy');
}
