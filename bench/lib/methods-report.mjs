import { describeMachine } from './machine.mjs';
import { markdownTable } from './markdown.mjs';

/** @param {{ median: number, min: number, max: number }} spread */
const ranged = ({ median, min, max }) => `${median.toFixed(2)} (${min.toFixed(2)}–${max.toFixed(2)})`;

/** The report that a person reads. @param {any} result what methods.mjs writes as JSON */
export function methodsReport(result) {
  const { machine, load, setup, reference, methods, aims, missing, scored } = result;
  const rows = methods.map((/** @type {any} */ { label, right, scored: of, toNudging, msPerToken, passes, nudgeRatio }) => [
    label,
    of > 0 ? `${right} of ${of}` : 'not scored',
    toNudging ? ranged(toNudging) : '–',
    ranged(msPerToken),
    passes.base.toFixed(2),
    passes.aligned.toFixed(2),
    passes.reference === 0 ? '–' : passes.reference.toFixed(2),
    nudgeRatio === 0 ? '–' : `${(100 * nudgeRatio).toFixed(0)} %`,
  ]);
  const passes = ['base passes a token', 'aligned passes', 'reference passes'];
  const head = ['method', 'right', 'time ÷ nudging (range)', 'ms a token (range)', ...passes, 'nudged tokens'];
  const aimRows = aims.map((/** @type {any} */ { label, atMost, ...spread }) => [
    label,
    ranged(spread),
    `≤ ${atMost.toFixed(2)}`,
    spread.median <= atMost ? 'met' : 'missed',
  ]);
  const reasons = missing.map((/** @type {any} */ { label, reason }) => `- ${label}: ${reason}\n`);
  const leftOut = reasons.length > 0 ? `\nLeft out:\n\n${reasons.join('')}` : '';
  const { gamma, lookahead, maxTokens } = setup.settings;
  return `# Methods with ${result.name}

\`${result.command}\` on ${describeMachine(machine)}, Node.js ${machine.node};
one-minute load before ${load.before}, after ${load.after}. γ ${gamma}, L ${lookahead}, at most ${maxTokens} tokens;
${result.timed} questions timed in ${result.rounds} rounds, prompts in the caches. Times are of a token of the answer.
Methods took turns at every second question, so ratios of one round mean more than times.
${scored ? 'Right: by the scorer of `npm run eval:demo`.' : 'Answers are not scored.'}
The reference is ${reference}.

${markdownTable(head, rows)}

${aimRows.length > 0 ? markdownTable(['time a token', 'median (range)', 'aim', ''], aimRows) : ''}
${leftOut}`;
}
