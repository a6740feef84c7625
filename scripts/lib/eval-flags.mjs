import { parseArgs } from 'node:util';
import { BuildError } from './errors.mjs';

/** What the scripts that measure a pair on its questions have in common. */
const common = { rows: 'string', gamma: 'string', write: 'boolean', help: 'boolean' };

/**
 * @param {string} command for messages: what --help is asked of
 * @param {{ rows: number, gammas: string }} defaults the most rows, which is the default, too; gammas with commas between them
 * @param {Record<string, 'string' | 'boolean'>} own further flags
 * @returns {{ rows: number, gammas: number[], write: boolean, help: boolean, values: Record<string, string | boolean | undefined> }}
 */
export function readEvalFlags(command, defaults, own) {
  const types = Object.entries({ ...common, ...own });
  /** @type {Record<string, string | boolean | undefined>} */
  let values;
  try {
    ({ values } = parseArgs({
      options: Object.fromEntries(
        types.map(([name, type]) => [
          name,
          { type: /** @type {'string' | 'boolean'} */ (type), ...(name === 'help' ? { short: 'h' } : {}) },
        ]),
      ),
    }));
  } catch (error) {
    throw new BuildError(`${/** @type {Error} */ (error).message.split('. ')[0]}: see ${command} -- --help`);
  }
  const rows = Number(values['rows'] ?? defaults.rows);
  if (!Number.isInteger(rows) || rows < 1 || rows > defaults.rows)
    throw new BuildError(`--rows cannot be "${values['rows']}": it must be an integer from 1 to ${defaults.rows}`);
  const gammas = String(values['gamma'] ?? defaults.gammas)
    .split(',')
    .map((part) => (part.trim() === '' ? Number.NaN : Number(part)));
  if (!gammas.every((gamma) => gamma >= 0 && gamma <= 2))
    throw new BuildError(`--gamma cannot be "${values['gamma']}": it must be numbers from 0 to 2, separated by commas`);
  return { rows, gammas, write: values['write'] === true, help: values['help'] === true, values };
}
