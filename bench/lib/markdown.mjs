import { describeMachine } from './machine.mjs';

/** @param {number | null | undefined} value @param {number} [digits] */
const number = (value, digits = 2) => (value === null || value === undefined || !Number.isFinite(value) ? '–' : value.toFixed(digits));
/** @param {number | null | undefined} value */
const percent = (value) => (value === null || value === undefined ? '–' : `${(100 * value).toFixed(1)} %`);

/** @param {readonly string[]} head @param {readonly (readonly string[])[]} rows */
export const markdownTable = (head, rows) => [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');

/** The report that a person reads. @param {any} result what run.mjs writes as JSON */
export function report(result) {
  const { setup, machine, floor } = result;
  const there = result.rivals.filter((/** @type {any} */ rival) => rival.status === 'ok');
  const times = there.map(
    (
      /** @type {any} */ {
        label,
        msPerToken,
        firstTokenMs,
        lanes,
        acceptance,
        rewindsPerToken,
        notForwardPass,
        eventLoop,
        peakMemory,
        bytesPerToken,
      },
    ) => [
      label,
      `${number(msPerToken.median)} (${number(msPerToken.min)}–${number(msPerToken.max)})`,
      number(firstTokenMs, 1),
      `${number(lanes.base.decodesPerToken)} / ${number(lanes.base.decodedPerToken)}`,
      `${number(lanes.aligned.decodesPerToken)} / ${number(lanes.aligned.decodedPerToken)}`,
      percent(acceptance),
      number(rewindsPerToken),
      percent(notForwardPass),
      `${number(eventLoop.p99Ms)} (${number(eventLoop.idleP99Ms)})`,
      peakMemory === null ? '–' : String(Math.round(peakMemory / 1e6)),
      number(bytesPerToken, 0),
    ],
  );
  const head = [
    '',
    'ms a token, median (range)',
    'first text, ms',
    'base: decodes / tokens',
    'aligned: decodes / tokens',
    'guesses right',
    'rewinds',
    'not a forward pass',
    'event loop p99, ms (idle)',
    'peak memory, MB',
    'bytes',
  ];
  const target = (/** @type {any} */ { atMost, atLeast }) => (atMost ? `≤ ${number(atMost)}` : `≥ ${number(atLeast)}`);
  const ratioRows = result.ratios.map((/** @type {any} */ one) => [
    one.label,
    number(one.median, 3),
    `${number(one.min, 3)}–${number(one.max, 3)}`,
    target(one),
  ]);
  const missing = result.rivals
    .filter((/** @type {any} */ rival) => rival.status !== 'ok')
    .map((/** @type {any} */ { label, reason }) => `- ${label}: ${reason}`);
  const different = Object.entries(result.agreement.different).map(([name, count]) => `${name} ${count}`);
  const agreement =
    different.length === 0
      ? ''
      : `Answers that differ from those of \`${result.agreement.against}\`, of ${result.questions.length}: ${different.join(', ')}.
A decision on the edge may go either way when batches differ (docs/semantics.md, Ties).\n`;
  const { gamma, lookahead, maxTokens } = setup.settings;
  const loads = `one-minute load before ${result.load.before}, after ${result.load.after}`;
  const megabytes = (/** @type {number} */ size) => (size / 1e6).toFixed(0);
  const floors = floor ? `llama-bench: base ${number(floor.base.median)} ms a token, aligned ${number(floor.aligned.median)}.\n\n` : '';
  const ratios =
    ratioRows.length > 0 ? markdownTable(['ratio', 'median', 'range over rounds', 'target (inflated pair, 2 cores)'], ratioRows) : '';

  return `# ${result.name}

\`${result.command}\` on ${describeMachine(machine)}, Node.js ${machine.node}; ${loads}.
Base ${megabytes(result.bytes.base)} MB, aligned ${megabytes(result.bytes.aligned)} MB; γ ${gamma}, L ${lookahead},
at most ${maxTokens} tokens, ${setup.threads.base} and ${setup.threads.aligned} threads;
${result.questions.length} questions, ${result.rounds} rounds. Decodes, tokens, rewinds and bytes are per output token.

![Milliseconds per output token](${result.name}.svg)

${markdownTable(head, times)}

${floors}${ratios}

${agreement}${missing.length > 0 ? `\nNot measured:\n\n${missing.join('\n')}\n` : ''}`;
}
