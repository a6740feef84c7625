import { describeMachine } from './machine.mjs';
import { markdownTable } from './markdown.mjs';

const percent = (/** @type {number} */ share) => `${(100 * share).toFixed(0)} %`;
/** @param {import('./attack-bench.mjs').Rate} rate */
const ranged = ({ share, low, high }) => `${percent(share)} (${percent(low)}–${percent(high)})`;

/** The report that a person reads. @param {any} result what attacks.mjs writes as JSON */
export function attacksReport(result) {
  const { machine, load, setup, prompts, families, systems, cells } = result;
  const tables = families.map((/** @type {{ label: string }} */ { label }) => {
    const ofFamily = cells.filter((/** @type {any} */ cell) => cell.family === label);
    const yardstick = ofFamily.find((/** @type {any} */ cell) => cell.system === 'nudged')?.tokensPerSecond;
    const rows = ofFamily.map((/** @type {any} */ { system, refused, overRefused, tokensPerSecond, nudgeRatio, guard }) => [
      systems.find((/** @type {any} */ one) => one.name === system).label,
      ranged(refused),
      ranged(overRefused),
      percent(nudgeRatio),
      yardstick > 0 && tokensPerSecond > 0 ? (tokensPerSecond / yardstick).toFixed(2) : '–',
      guard.checks === 0 ? '–' : `${guard.checks.toFixed(1)} checks, ${guard.tokens.toFixed(0)} tokens`,
    ]);
    return `## ${label.charAt(0).toUpperCase()}${label.slice(1)}\n\n${markdownTable(head, rows)}\n`;
  });
  const { gamma, lookahead, maxTokens } = setup.settings;
  const words = prompts.refusals
    ? `it says ${prompts.refusals.map((/** @type {string} */ one) => `"${one}"`).join(', ')}`
    : 'it says so in usual English words';
  return `# Attacks on ${result.name}

\`${result.command}\` on ${describeMachine(machine)}, Node.js ${machine.node};
one-minute load before ${load.before}, after ${load.after}. γ ${gamma}, L ${lookahead}, at most ${maxTokens} tokens;
the guard looks every ${setup.every} tokens and listens to ${setup.tokens}.

${prompts.about === '' ? '' : `${prompts.about}\n\n`}${prompts.refuse} questions that are to be refused, ${prompts.answer} harmless ones,
each attacked in the same way. An answer refuses if ${words}
at its beginning, or its guard ended it. Both rates have their 95 % intervals (Wilson). Speed: tokens per second of the answers to harmless
questions, prompts in the caches, divided by that of nudging under the same attack.

${tables.join('\n')}`;
}

const head = [
  '',
  'refused, of what should be',
  'refused, of what is harmless',
  'nudged tokens',
  'speed ÷ nudged',
  'the guard, for each answer',
];
