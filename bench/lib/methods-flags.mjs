import { parseArgs } from 'node:util';
import { BuildError } from '../../scripts/lib/errors.mjs';
import { allMethods } from './methods.mjs';
import { describeNamedPairs } from './named-pairs.mjs';

const names = allMethods({ knowsQuestions: true }).map(({ name }) => name);

export const help = `Measures every method of the family in one engine, on one pair: how many of the demo pair's questions it answers,
what a token takes relative to nudging, and how often each model is asked. docs/methods.md says what the methods are.

Usage: npm run bench:methods -- [flags]

  --quick             for CI: 2 questions, 1 round, at most 16 tokens, nothing written unless --out is given
  --pair PAIR         a pair's manifest (default: models/demo/pair.json); real: the pair of npm run test:real; or one that is made out
                      of the demo pair:
${describeNamedPairs(' '.repeat(24))}
  --reference FILE    for proxy tuning; default: the pair's, or the aligned model's file in its place
  --methods LIST      names, separated by commas; default: all of
                      ${names.slice(0, 12).join(', ')},
                      ${names.slice(12).join(', ')}
  --questions N       that are timed, 2 to 300; default: 8
  --scored N          that are answered once before, to count right answers, 0 to 300, of pairs that were made for them; default: 60 with
                      a demo pair, else --questions
  --rounds N          1 to 100; methods take turns within each; default: 3
  --max-tokens N, --gamma G, --lookahead N, --threads N     default: the pair's, and the engine's own choice
  --json              print JSON instead of the table
  --name NAME         of the result files; default: methods- and the pair's
  --out FOLDER        default: bench/results
  --help              print this
`;

export function readMethodFlags() {
  /** @type {Record<string, string | boolean | undefined>} */
  let values;
  const text = /** @type {const} */ ({ type: 'string' });
  const flag = /** @type {const} */ ({ type: 'boolean' });
  const texts = [
    'pair',
    'reference',
    'methods',
    'questions',
    'scored',
    'rounds',
    'max-tokens',
    'gamma',
    'lookahead',
    'threads',
    'name',
    'out',
  ];
  try {
    ({ values } = parseArgs({
      options: { ...Object.fromEntries(texts.map((name) => [name, text])), quick: flag, json: flag, help: flag },
    }));
  } catch (error) {
    throw new BuildError(`${/** @type {Error} */ (error).message.split('. ')[0]}: see npm run bench:methods -- --help`);
  }
  const string = (/** @type {string} */ name) => /** @type {string | undefined} */ (values[name]);
  /** @param {string} name @param {number} low @param {number} high */
  const integer = (name, low, high) => {
    const value = string(name);
    if (value === undefined) return undefined;
    if (!/^\d+$/.test(value) || Number(value) < low || Number(value) > high)
      throw new BuildError(`--${name} cannot be "${value}": it must be an integer from ${low} to ${high}`);
    return Number(value);
  };
  const gamma = string('gamma') === undefined ? undefined : Number(string('gamma'));
  if (gamma !== undefined && !(gamma >= 0 && gamma <= 2))
    throw new BuildError(`--gamma cannot be "${string('gamma')}": it must be a number from 0 to 2`);
  const methods = string('methods')
    ?.split(',')
    .map((name) => name.trim());
  for (const name of methods ?? [])
    if (!names.includes(name)) throw new BuildError(`--methods: there is no "${name}"; known are ${names.join(', ')}`);
  const quick = values['quick'] === true;
  const questions = integer('questions', 2, 300) ?? (quick ? 2 : 8);
  const isDemo = string('pair') === undefined || /\bdemo\b/.test(string('pair') ?? '');
  return {
    help: values['help'] === true,
    json: values['json'] === true,
    pair: string('pair'),
    reference: string('reference'),
    methods,
    questions,
    scored: integer('scored', 0, 300) ?? (isDemo && !quick ? 60 : questions),
    rounds: integer('rounds', 1, 100) ?? (quick ? 1 : 3),
    threads: integer('threads', 1, 512),
    settings: { gamma, lookahead: integer('lookahead', 1, 1024), maxTokens: integer('max-tokens', 1, 100_000) ?? (quick ? 16 : undefined) },
    name: string('name'),
    out: string('out') ?? (quick ? undefined : 'bench/results'),
  };
}
