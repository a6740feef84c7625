import { parseArgs } from 'node:util';
import { BuildError } from '../../scripts/lib/errors.mjs';
import { rivals } from '../rivals/index.mjs';
import { describeNamedPairs } from './named-pairs.mjs';

export const help = `Measures nudging against its rivals, each in a process of its own, and writes JSON, a table and a chart.

Usage: npm run bench -- [flags]

  --quick             for CI: demo pair, 3 questions, 2 rounds, no external rivals, nothing written unless --out is given
  --pair PAIR         a pair's manifest (default: models/demo/pair.json), or one that is made out of the demo pair:
${describeNamedPairs(' '.repeat(24))}
  --questions N       2 to 300, spread over models/demo/eval.jsonl; default: 8 (one question, asked again, would be answered from memory)
  --rounds N          1 to 100; every round asks every rival, in another order; default: 5
  --threads N         for every model of every rival; default: all cores, fewer for small models
  --gamma G, --lookahead N, --max-tokens N, --context N     default: the pair's, and 512
  --rivals LIST       names, separated by commas: ${rivals.map(({ name }) => name).join(', ')}, llama-bench
  --name NAME         of the result files; default: of the pair
  --out FOLDER        default: bench/results
  --help              print this

\`npm run bench:rivals\` builds llama-server and llama-bench; \`npm ci --prefix bench/peer\` installs node-llama-cpp.
A rival that is not there is named, and left out.
`;

export function readFlags() {
  /** @type {Record<string, string | boolean | undefined>} */
  let values;
  const text = /** @type {const} */ ({ type: 'string' });
  try {
    ({ values } = parseArgs({
      options: {
        quick: { type: 'boolean' },
        help: { type: 'boolean' },
        pair: text,
        questions: text,
        rounds: text,
        threads: text,
        gamma: text,
        lookahead: text,
        'max-tokens': text,
        context: text,
        rivals: text,
        name: text,
        out: text,
      },
    }));
  } catch (error) {
    throw new BuildError(`${/** @type {Error} */ (error).message.split('. ')[0]}: see npm run bench -- --help`);
  }
  const quick = values['quick'] === true;
  /** @param {string} flag @param {number} low @param {number} high */
  const integer = (flag, low, high) => {
    const value = values[flag];
    if (value === undefined) return undefined;
    if (!/^\d+$/.test(String(value)) || Number(value) < low || Number(value) > high)
      throw new BuildError(`--${flag} cannot be "${value}": it must be an integer from ${low} to ${high}`);
    return Number(value);
  };
  const gamma = values['gamma'] === undefined ? undefined : Number(values['gamma']);
  if (gamma !== undefined && !(gamma >= 0 && gamma <= 2))
    throw new BuildError(`--gamma cannot be "${values['gamma']}": it must be a number from 0 to 2`);

  const known = [...rivals.map(({ name }) => name), 'llama-bench'];
  const wanted =
    values['rivals'] === undefined
      ? quick
        ? rivals.filter(({ ours }) => ours).map(({ name }) => name)
        : known
      : String(values['rivals'])
          .split(',')
          .map((name) => name.trim());
  for (const name of wanted)
    if (!known.includes(name)) throw new BuildError(`--rivals: there is no "${name}"; known are ${known.join(', ')}`);
  const string = (/** @type {string} */ flag) => /** @type {string | undefined} */ (values[flag]);
  return {
    help: values['help'] === true,
    quick,
    pair: string('pair'),
    questions: integer('questions', 2, 300) ?? (quick ? 3 : 8),
    rounds: integer('rounds', 1, 100) ?? (quick ? 2 : 5),
    threads: integer('threads', 1, 512),
    settings: { gamma, lookahead: integer('lookahead', 1, 1024), maxTokens: integer('max-tokens', 1, 100_000) },
    context: integer('context', 64, 1_000_000) ?? 512,
    rivals: wanted,
    name: string('name'),
    out: string('out') ?? (quick ? undefined : 'bench/results'),
  };
}
