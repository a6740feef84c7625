import { median, spread, sum } from './statistics.mjs';

/** @typedef {import('../rivals/index.mjs').Outcome} Outcome */

/**
 * The figures of one rival.
 * @param {{ msPerToken: number[], outcomes: Outcome[][] }} samples
 * @param {{ peakMemory: number | null, eventLoop: { idleP99Ms: number, p99Ms: number } }} watched
 */
export function figures({ msPerToken, outcomes }, { peakMemory, eventLoop }) {
  const last = outcomes.at(-1) ?? [];
  const tokens = sum(last.map((each) => each.tokens));
  const total = (/** @type {(one: Outcome) => number | undefined} */ of) =>
    last.every((one) => of(one) !== undefined) ? sum(last.map((one) => of(one) ?? 0)) : null;
  const lane = (/** @type {'base' | 'aligned'} */ name) => ({
    decodesPerToken: sum(last.map(({ lanes }) => lanes[name].decodes)) / tokens,
    decodedPerToken: sum(last.map(({ lanes }) => lanes[name].decodedTokens)) / tokens,
  });
  const guessed = total(({ lanes }) => lanes.base.guessed);
  const right = total(({ lanes }) => lanes.base.guessesRight);
  const bytes = total((one) => one.bytes);
  const times = last.every((one) => one.times) ? share(last) : null;
  return {
    msPerToken: { ...spread(msPerToken), rounds: msPerToken },
    firstTokenMs: median(outcomes.flat().map(({ firstMs }) => firstMs)),
    tokens,
    lanes: { base: lane('base'), aligned: lane('aligned') },
    guessed,
    acceptance: guessed ? (right ?? 0) / guessed : null,
    rewindsPerToken: perToken(
      total((one) => one.rewinds),
      tokens,
    ),
    notForwardPass: times,
    bytesPerToken: perToken(bytes, tokens),
    peakMemory,
    eventLoop,
    texts: last.map(({ text }) => text),
    // The same question must have the same answer in every round.
    unstable: last.filter(({ text }, index) => outcomes.some((round) => round[index]?.text !== text)).length,
  };
}

/** @param {number | null} value @param {number} tokens */
const perToken = (value, tokens) => (value === null ? null : value / tokens);

/** Share of the time that was no forward pass. @param {readonly Outcome[]} outcomes */
function share(outcomes) {
  const all = (/** @type {string} */ phase) => sum(outcomes.map(({ times }) => times?.[phase] ?? 0));
  return 1 - (all('baseDecode') + all('alignedDecode')) / all('total');
}
