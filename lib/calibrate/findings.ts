import type { Calibration, CalibrationFinding, MeasuredRate } from './types.ts';

/** What the verdict is made of. */
export interface Evidence {
  measured: MeasuredRate;
  targetRate: number;
  /** Whether the aligned model is anywhere surer than the base by λ. */
  hasAdvantage: boolean;
  lambda: number;
  agreement: number;
  agreementError: number;
  /** The nudged pair's time for a token ÷ the base's. */
  timeRatio: number;
  /** Shares of the answers. */
  unfinished: number;
  thinking: number;
  marks: number;
  nextQuestion: number;
  empty: number;
}

/** The lower end of the range in which the paper (arXiv 2410.09300) sees little difference. */
export const lowestRobust = 0.2;

type Code = CalibrationFinding['code'];

interface Criterion {
  code: Code;
  /** Beyond these the pair is weak or unfit; missing: never. */
  weak?: number;
  unfit?: number;
  /** Less is worse. */
  falling?: true;
  value: (evidence: Evidence) => number;
  message: (evidence: Evidence) => string;
}

const percent = (share: number) => `${Math.round(share * 100)} %`;

/**
 * Where limits come from. `rate`: above 20 % BlendIn (arXiv 2606.11201) saw pairs do worse on most tasks, which is a weak sign and no law;
 * without a target the ceiling is the same, and two standard errors above it count. Everything else is ours: limits beyond which an answer
 * in ten or in two is spoilt, and others far from what pairs that work show.
 */
const criteria: readonly Criterion[] = [
  {
    code: 'rate',
    unfit: 0.6,
    value: ({ measured }) => measured.rate,
    message: ({ measured }) =>
      `${percent(measured.rate)} of the tokens come from the aligned model: the base adds little to what it would write`,
  },
  {
    code: 'rate',
    weak: 0,
    value: ({ measured, targetRate }) => measured.rate - 2 * measured.standardError - targetRate,
    message: ({ measured, targetRate }) =>
      `${percent(measured.rate)} of the tokens are nudged, more than ${percent(targetRate)}: ` +
      'this base is often unsure here, or its answers are short',
  },
  {
    code: 'low-gamma',
    falling: true,
    weak: lowestRobust,
    value: ({ measured }) => measured.gamma,
    message: ({ measured }) =>
      `a gamma of ${measured.gamma} is below what the paper finds robust (0.2 to 0.5): ` +
      'the base may go on as it likes; look at some answers',
  },
  {
    code: 'no-advantage',
    weak: 0,
    value: ({ hasAdvantage }) => Number(!hasAdvantage),
    message: ({ lambda }) => `where the base is unsure, the aligned model is nowhere surer by ${lambda}: it knows no better how to go on`,
  },
  {
    code: 'unfinished',
    weak: 0.2,
    unfit: 0.5,
    value: ({ unfinished }) => unfinished,
    message: ({ unfinished }) =>
      `${percent(unfinished)} of the answers do not end by themselves: raise \`maxTokens\` if they are long, ` +
      "else the aligned model's template or end of turn is wrong",
  },
  {
    code: 'thinking',
    weak: 0.05,
    unfit: 0.5,
    value: ({ thinking }) => thinking,
    message: ({ thinking }) =>
      `${percent(thinking)} of the answers begin with thinking: ` +
      'set `templateOptions` so that the aligned model does not think, or `thinking`',
  },
  {
    code: 'marks',
    weak: 0.05,
    unfit: 0.5,
    value: ({ marks }) => marks,
    message: ({ marks }) => `${percent(marks)} of the answers show marks of a template: set the right one with \`alignedPrompt\``,
  },
  {
    code: 'next-question',
    weak: 0.1,
    unfit: 0.5,
    value: ({ nextQuestion }) => nextQuestion,
    message: ({ nextQuestion }) =>
      `${percent(nextQuestion)} of the answers go on with another question: the aligned model does not end them in time`,
  },
  {
    code: 'empty',
    weak: 0.05,
    unfit: 0.25,
    value: ({ empty }) => empty,
    message: ({ empty }) => `${percent(empty)} of the answers are empty`,
  },
  {
    code: 'disagreement',
    falling: true,
    weak: 0.15,
    unfit: 0.05,
    value: ({ agreement }) => agreement,
    message: ({ agreement }) =>
      `the aligned model goes on as the base does in ${percent(agreement)} of the places only: they do not write the same kind of text`,
  },
  {
    code: 'uninformative',
    weak: 0.4,
    value: ({ agreementError }) => agreementError,
    message: ({ agreementError }) =>
      `how sure the base is tells little about whether the aligned model agrees ` +
      `(error ${agreementError.toFixed(2)}): γ decides half blindly`,
  },
  {
    code: 'slow',
    weak: 3,
    value: ({ timeRatio }) => timeRatio,
    message: ({ timeRatio }) => `a nudged token takes ${timeRatio.toFixed(1)} times as long as one of the base alone`,
  },
];

/** What is wrong with a pair, the worst first; nothing if all is well. */
export function findingsOf(evidence: Evidence): CalibrationFinding[] {
  const found = criteria.flatMap((criterion) => finding(criterion, evidence));
  const worst = found.filter(({ level }) => level === 'unfit');
  const others = found.filter(({ level, code }) => level === 'weak' && !worst.some((each) => each.code === code));
  return [...worst, ...others];
}

function finding({ code, weak, unfit, falling, value, message }: Criterion, evidence: Evidence): CalibrationFinding[] {
  const measured = value(evidence);
  const isBeyond = (limit: number | undefined): limit is number => limit !== undefined && (falling ? measured < limit : measured > limit);
  const level = isBeyond(unfit) ? 'unfit' : isBeyond(weak) ? 'weak' : undefined;
  if (level === undefined) return [];
  return [{ code, level, value: measured, limit: (level === 'unfit' ? unfit : weak) as number, message: message(evidence) }];
}

export function verdictOf(findings: readonly CalibrationFinding[]): Calibration['verdict'] {
  if (findings.some(({ level }) => level === 'unfit')) return 'does not fit';
  return findings.length > 0 ? 'weak' : 'works';
}
