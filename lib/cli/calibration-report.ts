import type { Calibration } from '../calibrate/types.ts';
import { inFlagNames } from './flags.ts';
import { entry, wrap } from './layout.ts';
import { bar, count, duration, rate } from './terminal.ts';

/** A calibration as text of at most so many columns. */
export function calibrationReport(found: Calibration, columns: number): string {
  const lines = (rows: readonly (readonly [head: string, text: string])[]) =>
    rows.map(([head, text]) => entry(head, text, 20, columns)).join('');
  return [
    `${wrap(`gamma ${found.gamma}: ${verdicts[found.verdict]}`, columns).join('\n')}\n`,
    lines(factsOf(found)),
    `${wrap('Nudged tokens by gamma (estimated; * measured)', columns).join('\n')}\n${curveOf(found, columns)}`,
    found.findings.length === 0
      ? ''
      : `${wrap(found.verdict === 'weak' ? 'What makes it weak' : 'Why it does not fit', columns).join('\n')}\n${found.findings
          .map(({ code, message }) => entry(code, inFlagNames(message), 20, columns))
          .join('')}`,
  ]
    .filter(Boolean)
    .join('\n');
}

const verdicts: Record<Calibration['verdict'], string> = {
  works: 'the pair works together',
  weak: 'the pair works together, but weakly',
  'does not fit': 'the pair does not fit together as it is set up',
};

const reasons: Record<Calibration['decidedBy'], string> = {
  bet: 'by the confidence bet',
  rate: 'by the rate of nudged tokens',
  low: 'the lower limit: less would be nudged only below it',
  high: 'the upper limit: more would be nudged only above it',
};

function factsOf(found: Calibration): [string, string][] {
  const { speed, effort } = found;
  const off = found.settled ? '' : '; it could not be brought there';
  return [
    ['decided', `${reasons[found.decidedBy]} (bet ${shown(found.betGamma)}, rate ${shown(found.rateGamma)})`],
    ['nudged tokens', `${percent(found.rate)} ± ${percent(found.standardError)} measured; target ${percent(found.targetRate)}${off}`],
    ['decisions', `the base defers at ${percent(found.decisionRate)} of those that gamma takes`],
    ['agreement', `in ${percent(found.agreement)} of the places the aligned model goes on as the base does`],
    ['p against it', `${found.agreementError.toFixed(2)} mean distance between the base's certainty and that agreement`],
    ['speed', `${rate(speed.nudged)} tokens/s nudged, ${rate(speed.base)} the base alone: ${rate(speed.ratio)} times as long for a token`],
    [
      'endings',
      Object.entries(found.endings)
        .map(([how, many]) => `${many} ${how}`)
        .join(', '),
    ],
    ['effort', `${count(effort.prompts, 'prompt')}, ${effort.answers} answers, ${effort.questions} questions, ${duration(effort.seconds)}`],
  ];
}

/** Bars stand in a line behind 18 columns of figures. */
function curveOf({ curve, measured }: Calibration, columns: number): string {
  const widest = Math.max(1, Math.min(40, columns - 18));
  const isMeasured = (gamma: number) => measured.some((each) => Math.abs(each.gamma - gamma) < 1e-9);
  const rows = [...curve.filter(({ gamma }) => Math.round(gamma * 100) % 10 === 0 && !isMeasured(gamma)), ...measured];
  return rows
    .sort((one, other) => one.gamma - other.gamma)
    .map(({ gamma, rate: share }) => {
      const label = `${gamma.toFixed(2)} ${isMeasured(gamma) ? '*' : ' '}`;
      return `  ${label} ${percent(share).padStart(7)}  ${bar(share, widest).slice(1, -1).replaceAll('-', '')}`.trimEnd();
    })
    .join('\n')
    .concat('\n');
}

const shown = (gamma: number | undefined) => (gamma === undefined ? 'none' : String(gamma));

/** `35.6 %`: rates of nudged tokens differ by less than one in a hundred. */
function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`;
}
