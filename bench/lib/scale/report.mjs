import { markdownTable } from '../markdown.mjs';
import { baseAloneRate, gpusFor, manyShare, pairs, remoteTokenMs, singles, tokenMs } from './growth.mjs';
import { gpus } from './machines.mjs';
import { deviation } from './points.mjs';
import { callsPerToken, rounds, stretch } from './statistics.mjs';

/** @typedef {import('./growth.mjs').Pair} Pair */

const roundTrips = [1, 10, 50];
const digits = (/** @type {number} */ value) => (value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2));
const nameOf = (/** @type {Pair} */ { base, aligned, weights }) => `${base} B + ${aligned} B, ${weights}`;

/**
 * @param {{ points: readonly import('./points.mjs').Point[], gpu: 'h100' | 'h200', price: number | undefined }} of `price`: of a GPU for an
 *   hour, in any currency
 */
export function scaleReport({ points, gpu, price }) {
  const machine = gpus[gpu];
  const worst = Math.max(...points.map((point) => Math.abs(deviation(point))));
  const ways = pairs.flatMap((pair) => {
    const count = gpusFor(machine, pair);
    const more = Math.max(count, 8);
    const one = { pair, split: /** @type {const} */ ('layer'), count };
    return pair.base >= 70 ? [one, { pair, split: /** @type {const} */ ('tensor'), count: more }] : [one];
  });
  const speeds = ways.map(({ pair, split, count }) => {
    const single = singles(machine, pair, { split, count });
    const [base, plain, guesses, agreeing] = /** @type {const} */ (['base', 'plain', 'speculative', 'agreeing']).map((who) =>
      tokenMs(who, single),
    );
    const hours = (count * (guesses ?? 0)) / 3.6;
    return [
      nameOf(pair),
      count === 1 ? '1' : `${count}, ${split === 'layer' ? 'by layers' : 'all on each layer'}`,
      ...[base, plain, guesses, agreeing].map((ms) => digits(1000 / (ms ?? Number.NaN))),
      digits(hours),
      ...(price === undefined ? [] : [digits(hours * price)]),
    ];
  });
  const local = (/** @type {Pair} */ pair) => singles(machine, pair, { split: 'layer', count: gpusFor(machine, pair) });
  const remote = pairs.map((pair) => {
    const single = local(pair);
    return [
      nameOf(pair),
      digits(tokenMs('plain', single)),
      ...roundTrips.map((ms) => {
        const [ours, naive] = [remoteTokenMs('plain', single, ms), remoteTokenMs('naive', single, ms)];
        return `${digits(ours)}, ${digits(naive)}: ${(naive / ours).toFixed(2)}`;
      }),
    ];
  });
  const many = pairs.map((pair) => [
    nameOf(pair),
    ...[1, 8, 32].map((requests) => digits(baseAloneRate(local(pair), requests))),
    .../** @type {const} */ ([8, 32]).map((requests) => digits(baseAloneRate(local(pair), requests) * manyShare[requests])),
  ]);
  return `### Measured, and what the model says

${points.length} points; none is off by more than ${(100 * worst).toFixed(0)} %.

${markdownTable(
  ['', 'from', 'measured', 'model', 'off by'],
  points.map((point) => [
    point.name,
    point.source,
    `${digits(point.measured)} ${point.unit}`,
    digits(point.modelled),
    `${(100 * deviation(point)).toFixed(0)} %`,
  ]),
)}

### One request (extrapolated)

Tokens a second on ${machine.name}s, one model after the other, and the GPU hours that a million tokens take with guesses, one request at a
time.${price === undefined ? '' : ` Cost: at ${price} an hour.`}

${markdownTable(
  [
    'base + aligned',
    'GPUs',
    'base alone',
    'plain',
    'with guesses',
    'a pair that agrees',
    'GPU hours a million',
    ...(price === undefined ? [] : ['cost']),
  ],
  speeds,
)}

### A remote base (extrapolated)

Milliseconds a token, plain: with ${callsPerToken.toFixed(2)} calls a token (${rounds.toFixed(3)} rounds of two), and with a
call for each pass of the base, as a naive client makes them; and how many times faster the first is.

${markdownTable(['base + aligned', 'in one machine', ...roundTrips.map((ms) => `${ms} ms away`)], remote)}

### Many requests (extrapolated)

Tokens a second of all together. Nudging is the base alone times what was measured on an H100: ${manyShare[8].toFixed(2)} with 8,
${manyShare[32].toFixed(2)} with 32.

${markdownTable(['base + aligned', 'base alone, 1', '8', '32', 'nudging, 8', '32'], many)}

Stretches: ${stretch.base.toFixed(1)} tokens of a nudge, ${stretch.aligned.toFixed(1)} of a run.`;
}
