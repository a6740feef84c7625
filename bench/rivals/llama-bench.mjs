import { BuildError } from '../../scripts/lib/errors.mjs';
import { run } from '../../scripts/lib/process.mjs';
import { binary } from './binaries.mjs';

/**
 * Runs llama.cpp's own benchmark.
 * @param {string} model
 * @param {number} threads
 * @param {{ prompts?: readonly number[], generate?: number, depths?: readonly number[], repetitions?: number }} what
 * @returns {Promise<{ prompt: number, generated: number, depth: number, ms: number }[]>} ms for the whole batch, or for one generated token
 */
export async function llamaBench(model, threads, { prompts = [0], generate = 0, depths = [0], repetitions = 3 }) {
  const args = [
    '-m',
    model,
    '-t',
    threads,
    '-p',
    prompts.join(','),
    '-n',
    generate,
    '-d',
    depths.join(','),
    '-r',
    repetitions,
    '-o',
    'json',
  ];
  let json = '';
  // Its standard error goes through the same collector, so the JSON is cut out of what came.
  const { code, output } = await run(binary('llama-bench'), args.map(String));
  if (code !== 0) throw new BuildError(`llama-bench ended with ${code}: ${output.trim().split('\n').at(-1)}`);
  json = output.slice(output.indexOf('[\n'), output.lastIndexOf(']') + 1);
  return JSON.parse(json).map((/** @type {any} */ row) => {
    const median =
      row.samples_ns.toSorted((/** @type {number} */ a, /** @type {number} */ b) => a - b)[Math.floor(row.samples_ns.length / 2)] / 1e6;
    return { prompt: row.n_prompt, generated: row.n_gen, depth: row.n_depth, ms: row.n_gen > 0 ? median / row.n_gen : median };
  });
}
