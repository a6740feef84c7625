import { atBenchSpeed, batches, depths, timeOf } from './forward.mjs';
import { describeMachine } from './machine.mjs';
import { markdownTable } from './markdown.mjs';
import { phases } from './phases.mjs';
import { sum } from './statistics.mjs';

/** @typedef {import('./phases.mjs').Cost & { label: string }} Cost */

export const show = (/** @type {number} */ value) => (value === 0 ? '0' : value < 0.1 ? value.toFixed(4) : value.toFixed(2));

/**
 * How and where something was measured.
 * @param {{ command: string, machine: ReturnType<typeof import('./machine.mjs').machine>, load: { before: number, after: number } }} where
 */
export const conditions = ({ command, machine, load }) =>
  `\`${command}\`, on ${describeMachine(machine)}, one-minute load ${load.before} before and ${load.after} after.`;

/** @param {any} measured what cost.mjs collects */
export function costReport({ command, name, bytes, setup, questions, rounds, machine, load, modes, sweeps, forward }) {
  const { gamma, lookahead } = setup.settings;
  const phaseHead = ['whole', 'base: decode', 'aligned: decode', 'top-1', 'tokenise', 'everything else', 'not a forward pass'];
  const sweepHead = ['ms a token', 'base: decode', 'aligned: decode', 'nudged tokens'];
  return `## ${name}

${conditions({ command, machine, load })} Base ${(bytes.base / 1e6).toFixed(0)} MB,
aligned ${(bytes.aligned / 1e6).toFixed(0)} MB; ${setup.threads.base} and ${setup.threads.aligned} threads; γ ${gamma}, L ${lookahead};
${questions} questions, ${rounds} rounds.

### Milliseconds per output token

${markdownTable(['', ...phaseHead, 'decodes a token: base, aligned'], modes.map(phaseRow))}

${forward ? forwardPart(modes, forward) : '(llama-bench was not built: what forward passes cost is missing.)'}

### How it grows

Nudging with its defaults but for one setting. Answers change with γ and L, so tokens differ. k: tokens that the base decodes ahead; 0 is
\`speculation: false\`, the last one is chosen by measured costs, and the default.

${markdownTable(['', ...sweepHead, 'decodes a token: base, aligned', 'guesses right'], sweeps.map(sweepRow))}`;
}

/** @param {Cost} cost */
function phaseRow({ label, ms, phases: spent, stats, tokens }) {
  const rest = spent.top1 + spent.tokenize + spent.other;
  return [label, show(ms), ...phases.map((phase) => show(spent[phase])), `${((100 * rest) / ms).toFixed(1)} %`, decodes({ stats, tokens })];
}

/** @param {Cost} cost */
function sweepRow({ label, ms, phases: spent, stats, tokens }) {
  const nudged = sum(stats.map((each) => each.nudgedTokens)) / tokens;
  return [
    label,
    show(ms),
    show(spent.baseDecode),
    show(spent.alignedDecode),
    `${(100 * nudged).toFixed(0)} %`,
    decodes({ stats, tokens }),
    guessesRight(stats),
  ];
}

/** @param {Pick<Cost, 'stats' | 'tokens'>} cost */
const decodes = ({ stats, tokens }) =>
  /** @type {const} */ (['base', 'aligned']).map((lane) => show(sum(stats.map((each) => each[lane].decodes)) / tokens)).join(', ');

/** @param {Cost['stats']} stats */
function guessesRight(stats) {
  const guessed = sum(stats.map(({ base }) => base.guessed));
  return guessed === 0 ? '–' : `${((100 * sum(stats.map(({ base }) => base.guessesRight))) / guessed).toFixed(0)} %`;
}

/** @param {readonly Cost[]} modes @param {{ base: import('./forward.mjs').Forward, aligned: import('./forward.mjs').Forward }} forward */
function forwardPart(modes, { base, aligned }) {
  const one = { base: timeOf(base, 1), aligned: timeOf(aligned, 1) };
  const batchRows = batches.map((n) => [
    String(n),
    show(timeOf(base, n)),
    show(timeOf(base, n) / one.base),
    show(timeOf(aligned, n)),
    show(timeOf(aligned, n) / one.base),
  ]);
  const depthRows = depths.map((depth) => [
    String(depth),
    show(base.token.get(depth) ?? Number.NaN),
    show(aligned.token.get(depth) ?? Number.NaN),
  ]);
  const limits = modes.map(({ label, stats, tokens, ms }) => {
    const least =
      (atBenchSpeed(
        base,
        stats.map((each) => each.base),
      ) +
        atBenchSpeed(
          aligned,
          stats.map((each) => each.aligned),
        )) /
      tokens;
    return [label, show(ms), show(least), show(ms / least)];
  });
  return `### A forward pass

By llama-bench: a batch of n tokens in an empty context, also in units of the base's single token; and a single token after a longer
context.

${markdownTable(['n', 'base, ms', '÷ t_base(1)', 'aligned, ms', '÷ t_base(1)'], batchRows)}

${markdownTable(['tokens before', 'base, ms', 'aligned, ms'], depthRows)}

### How close to the limit

The same forward passes at llama-bench's speed (each prompt one batch, the rest batches of average size), and nothing else.

${markdownTable(['', 'ms a token', 'forward passes alone', 'ratio'], limits)}`;
}
