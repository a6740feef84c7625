import { Nudging } from '../engine.ts';
import { abortSignal, callback, check, integer, isObject, number, type Rule } from '../options.ts';
import type { LoadOptions, StopReason } from '../types.ts';
import { faultsOf } from './answers-at-fault.ts';
import { rateCurve, rateEstimate } from './curve.ts';
import { Deferrals } from './deferrals.ts';
import { findingsOf, lowestRobust, verdictOf } from './findings.ts';
import { nonIncreasing } from './isotonic.ts';
import type { Compared } from './opinions.ts';
import { builtInPrompts } from './prompts.ts';
import { seededRandom } from './random.ts';
import { deferralsOf, type Recording } from './recording.ts';
import { Session, type Engine } from './session.ts';
import { settle, type Settled } from './settle.ts';
import { bootstrapError, calibrationError, mean } from './statistics.ts';
import { betThreshold, clip, highestCell, meanShare, rateThreshold, type GammaLimits } from './thresholds.ts';
import type { CalibrateOptions, Calibration, MeasuredRate } from './types.ts';

/** γ of the recorded runs: the paper's for Llama-2, and the highest of its three families. */
const recordedGamma = 0.4;

/**
 * Below the paper's robust range, 0.2 to 0.5, a base soon goes on as it likes (docs/calibration.md has the demo pair's fall); far above it
 * the aligned model writes nearly all.
 */
const usualLimits: GammaLimits = { low: lowestRobust, high: 0.7 };

/** Most nudged tokens without a target. Pairs above it did worse in BlendIn's data (arXiv 2606.11201); the paper's own have about 0.1. */
const ceiling = 0.2;

/** Fewer tell nothing about a rate of some tenths. */
export const fewestPrompts = 8;

export const calibrateRules: Record<string, Rule> = {
  prompts: {
    check: (value) => Array.isArray(value) && value.length >= fewestPrompts,
    expected: `an array of at least ${fewestPrompts} prompts`,
  },
  targetRate: { check: (value) => typeof value === 'number' && value > 0 && value < 1, expected: 'a number over 0 and under 1' },
  lambda: number(-1, 1),
  maxRounds: integer(1, 20),
  seed: integer(0, Number.MAX_SAFE_INTEGER),
  signal: abortSignal,
  onProgress: callback,
};

/**
 * Finds γ for a pair without any labels, and whether the pair fits together (docs/calibration.md says how, and what it does not tell). The
 * prompts are answered two times or more, so it takes as long as that.
 *
 * @param source a loaded engine, which stays open; or what {@link Nudging.load} takes: that is loaded, and closed at the end
 * @throws NudgingError as {@link Nudging.load} and {@link Nudging.generate}; rejects with the signal's reason if `signal` is aborted, and
 *   with what `onProgress` throws
 */
export async function calibrate(source: Nudging | string | LoadOptions = {}, options: CalibrateOptions = {}): Promise<Calibration> {
  check(options, calibrateRules);
  if (source instanceof Nudging) return calibrateEngine(source, options);
  const { signal } = options;
  const given = isObject(source) ? source : { pair: source };
  const nudging = await Nudging.load(signal === undefined ? given : { ...given, signal });
  try {
    return await calibrateEngine(nudging, options);
  } finally {
    await nudging.close();
  }
}

/** {@link calibrate} for anything that answers like an engine. */
export async function calibrateEngine(engine: Engine, options: CalibrateOptions): Promise<Calibration> {
  const { prompts = Object.values(builtInPrompts).flat(), targetRate, lambda = 0.1, maxRounds = 4, seed = 1 } = options;
  const session = new Session(engine, prompts, options);
  const random = seededRandom(seed);
  const measuredRate = (gamma: number, recordings: readonly Recording[]): MeasuredRate => {
    const rates = recordings.map(({ rate }) => rate);
    return { gamma, rate: mean(rates), standardError: bootstrapError(rates, random) };
  };

  const recorded = await session.answer(recordedGamma, 'record');
  const compared = await session.compare(recorded, recordedGamma);
  const first = measuredRate(recordedGamma, recorded);
  const withFirst = (rounds: readonly MeasuredRate[]) => [first, ...rounds.filter(({ gamma }) => gamma !== recordedGamma)];
  const deferrals = recorded.map(deferralsOf);
  const target = targetRate ?? ceiling;
  const betGamma = betThreshold(nonIncreasing(advantages(compared)), lambda);
  // How many judgements may defer for that share of the tokens, by what they were to each other in the recorded runs.
  const rateGamma = rateThreshold(deferrals, first.rate > 0 ? (target * meanShare(deferrals, recordedGamma)) / first.rate : 1);

  const limits = targetRate === undefined ? { ...usualLimits, high: clip(betGamma ?? 0, usualLimits) } : { low: 0, high: 1 };
  const runs = new Map([[recordedGamma, recorded]]);
  const settled = await settle({
    start: Math.min(rateGamma ?? 0, limits.high),
    target,
    limits,
    maxRounds,
    measure: async (gamma) => {
      const recordings = runs.get(gamma) ?? (await session.answer(gamma, 'check'));
      runs.set(gamma, recordings);
      return gamma === recordedGamma ? first : measuredRate(gamma, recordings);
    },
    propose: (rounds) => {
      const estimate = rateEstimate(deferrals, withFirst(rounds));
      return highestCell((gamma) => estimate(gamma) <= target) ?? 0;
    },
  });
  const { gamma, rate, standardError } = settled;
  const final = runs.get(gamma) as Recording[];
  const speed = await session.time(gamma);
  const measured = withFirst(settled.rounds);
  const { agreement, agreementError } = agreementOf(compared);
  const findings = findingsOf({
    measured: settled,
    targetRate: target,
    hasAdvantage: betGamma !== undefined,
    lambda,
    agreement,
    agreementError,
    timeRatio: speed.ratio,
    ...faultsOf(final),
  });
  return {
    gamma,
    decidedBy: targetRate === undefined ? decidedBy(settled, betGamma ?? 0, limits) : rateOrLimit(settled),
    targetRate: target,
    rate,
    standardError,
    settled: settled.atTarget || (settled.by === 'high' && targetRate === undefined),
    ...(betGamma === undefined ? {} : { betGamma }),
    ...(rateGamma === undefined ? {} : { rateGamma }),
    decisionRate: decisionRate(final, gamma),
    curve: rateCurve(deferrals, measured),
    measured,
    agreement,
    agreementError,
    speed,
    endings: endingsOf(final),
    verdict: verdictOf(findings),
    findings,
    effort: session.effort(),
  };
}

/** How much surer than the base the aligned model is, by how sure the base is: where γ decides. */
function advantages(compared: readonly Compared[]) {
  return compared
    .filter(({ by }) => by === 'gamma')
    .map(({ probability, aligned, weight }) => ({ x: probability, y: aligned.probability - probability, weight }));
}

function agreementOf(compared: readonly Compared[]): Pick<Calibration, 'agreement' | 'agreementError'> {
  const forecasts = compared.map(({ probability, aligned, weight }) => ({ probability, came: aligned.agrees, weight }));
  const all = forecasts.reduce((sum, { weight }) => sum + weight, 0);
  const agreed = forecasts.reduce((sum, { weight, came }) => sum + (came ? weight : 0), 0);
  return { agreement: all === 0 ? 0 : agreed / all, agreementError: calibrationError(forecasts) };
}

function decidedBy(settled: Settled, bet: number, limits: GammaLimits): Calibration['decidedBy'] {
  if (settled.gamma < limits.high) return rateOrLimit(settled);
  return bet > usualLimits.high ? 'high' : bet < usualLimits.low ? 'low' : 'bet';
}

function rateOrLimit({ by }: Settled): Calibration['decidedBy'] {
  return by === 'low' || by === 'high' ? by : 'rate';
}

/** Of all decisions that γ takes together. */
function decisionRate(recordings: readonly Recording[], gamma: number): number {
  const judgements = recordings.flatMap(({ judgements }) => judgements).filter(({ by }) => by === 'gamma');
  return new Deferrals(judgements.map(({ probability }) => probability)).share(gamma);
}

function endingsOf(recordings: readonly Recording[]): Calibration['endings'] {
  const endings: Partial<Record<StopReason, number>> = {};
  for (const { stopReason } of recordings) endings[stopReason] = (endings[stopReason] ?? 0) + 1;
  return endings;
}
