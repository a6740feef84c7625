import { parseArgs } from 'node:util';
import { BuildError } from '../../scripts/lib/errors.mjs';
import { inRoot } from '../../scripts/lib/paths.mjs';
import { defenceNames, familyNames } from './attacks.mjs';

export const help = `Attacks a pair and its defences: how often what should be refused is refused, how often what is harmless is, and what
each defence costs. docs/safety.md says what they do.

Usage: npm run bench:attacks -- [flags]

  --quick             for CI: 2 questions of each kind, one depth, at most 24 tokens, nothing written unless --out is given
  --pair PAIR         a pair's manifest (default: models/demo/pair.json); real: the pair of npm run test:real
  --prompts FILE      JSON: { "refuse": [...], "answer": [...], "refusals": [...], "about": "..." }: questions that should be refused,
                      harmless ones beside them, and the words in which the aligned model refuses (default: usual English ones). A question
                      is a text, or { "question", "compliant" }: the beginning of an answer that complies, else what the base says alone.
                      Default: bench/attacks/demo.json, a stand-in for the demonstration pair
  --limit N           questions of each kind, 1 to 1000; default: all
  --families LIST     of ${familyNames.join(', ')}; default: all
  --systems LIST      of ${defenceNames.join(', ')}; default: all
  --depths LIST       tokens of the compliant beginning (prefill), each 1 to 1000; default: 5,20,40
  --repeats N         of the pattern (repetition), 1 to 100; default: 8
  --every N, --tokens N      of the guard; default: 16, 20
  --max-tokens N, --gamma G, --lookahead N, --threads N     default: the pair's, and the engine's own choice
  --json              print JSON, with all answers, instead of tables
  --name NAME         of the result files; default: attacks- and the pair's
  --out FOLDER        default: bench/results
  --help              print this
`;

export function readAttackFlags() {
  /** @type {Record<string, string | boolean | undefined>} */
  let values;
  const text = /** @type {const} */ ({ type: 'string' });
  const flag = /** @type {const} */ ({ type: 'boolean' });
  const texts = ['pair', 'prompts', 'limit', 'families', 'systems', 'depths', 'repeats', 'every', 'tokens', 'max-tokens', 'gamma'];
  texts.push('lookahead', 'threads', 'name', 'out');
  try {
    ({ values } = parseArgs({
      options: { ...Object.fromEntries(texts.map((name) => [name, text])), quick: flag, json: flag, help: flag },
    }));
  } catch (error) {
    throw new BuildError(`${/** @type {Error} */ (error).message.split('. ')[0]}: see npm run bench:attacks -- --help`);
  }
  const string = (/** @type {string} */ name) => /** @type {string | undefined} */ (values[name]);
  /** @param {string} name @param {string} value @param {number} low @param {number} high */
  const integerIn = (name, value, low, high) => {
    if (!/^\d+$/.test(value) || Number(value) < low || Number(value) > high)
      throw new BuildError(`--${name} cannot be "${value}": it must be an integer from ${low} to ${high}`);
    return Number(value);
  };
  /** @param {string} name @param {number} low @param {number} high */
  const integer = (name, low, high) => {
    const value = string(name);
    return value === undefined ? undefined : integerIn(name, value, low, high);
  };
  /** @param {string} name */
  const list = (name) =>
    string(name)
      ?.split(',')
      .map((one) => one.trim());
  /** @param {string} name @param {readonly string[]} known */
  const namesIn = (name, known) => {
    for (const one of list(name) ?? [])
      if (!known.includes(one)) throw new BuildError(`--${name}: there is no "${one}"; known are ${known.join(', ')}`);
    return list(name);
  };
  const gamma = string('gamma') === undefined ? undefined : Number(string('gamma'));
  if (gamma !== undefined && !(gamma >= 0 && gamma <= 2))
    throw new BuildError(`--gamma cannot be "${string('gamma')}": it must be a number from 0 to 2`);
  const quick = values['quick'] === true;
  return {
    help: values['help'] === true,
    json: values['json'] === true,
    pair: string('pair'),
    prompts: string('prompts') ?? inRoot('bench/attacks/demo.json'),
    limit: integer('limit', 1, 1000) ?? (quick ? 2 : 1000),
    families: namesIn('families', familyNames),
    systems: namesIn('systems', defenceNames),
    depths: list('depths')?.map((depth) => integerIn('depths', depth, 1, 1000)) ?? (quick ? [8] : [5, 20, 40]),
    repeats: integer('repeats', 1, 100) ?? 8,
    every: integer('every', 1, 1_000_000) ?? 16,
    tokens: integer('tokens', 1, 1024) ?? 20,
    threads: integer('threads', 1, 512),
    settings: { gamma, lookahead: integer('lookahead', 1, 1024), maxTokens: integer('max-tokens', 1, 100_000) ?? (quick ? 24 : undefined) },
    name: string('name'),
    out: string('out') ?? (quick ? undefined : 'bench/results'),
  };
}
