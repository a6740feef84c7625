import type { AbortSignalLike, Input, StopReason } from '../types.ts';

/** How to calibrate; all of it may be left out. */
export interface CalibrateOptions {
  /** At least 8, what {@link Nudging.generate} takes. Default: 64 questions of eight kinds that come with the package. */
  prompts?: readonly Input[];
  /**
   * Share of nudged tokens to come to, over 0 and under 1. Default: none; then γ is what the confidence bet says, and lower where more than
   * a fifth of the tokens would be nudged.
   */
  targetRate?: number;
  /** λ, -1 to 1: how much surer than the base the aligned model has to be on average where it is asked. Default 0.1. */
  lambda?: number;
  /** How often all prompts are run at most to correct γ, 1 to 20. Default 4. */
  maxRounds?: number;
  /** 0 to 2^53 - 1: which judgements are looked at, and which prompts are resampled. Default 1. */
  seed?: number;
  /** Ends the calibration, which then rejects with the signal's reason. */
  signal?: AbortSignalLike;
  /** Called after each prompt. What it throws ends the calibration, which rejects with it. */
  onProgress?: (progress: CalibrationProgress) => void;
}

/** How far a calibration is. */
export interface CalibrationProgress {
  /**
   * `record`: prompts are answered with γ = 0.4. `ask`: the aligned model is asked what it would have said in the base's runs. `check`:
   * prompts are answered with the calibrated γ. `time`: some are answered one after the other, nudged and by the base alone.
   */
  phase: 'record' | 'ask' | 'check' | 'time';
  /** Prompts of this phase that are done, and all of them. */
  done: number;
  total: number;
  /** What the prompts are answered with. */
  gamma: number;
}

/** A share of nudged tokens that was measured. */
export interface MeasuredRate {
  gamma: number;
  /** Mean of the prompts' nudged tokens ÷ tokens, in [0, 1]. */
  rate: number;
  /** Of that mean, by the bootstrap over prompts. */
  standardError: number;
}

/** Something about the pair that was found, as data: `message` says the same in words. */
export interface CalibrationFinding {
  /**
   * `rate`: too much is nudged. `low-gamma`: γ is below the robust range. `no-advantage`: nowhere is the aligned model surer than the base
   * by λ. `unfinished`: answers do not end. `thinking`: answers begin with thinking that is not told apart. `marks`: answers show marks of
   * a template. `next-question`: answers go on with another question. `empty`: answers are empty. `disagreement`: the aligned model hardly
   * ever says what the base says. `uninformative`: how sure the base is says little about whether the aligned model agrees. `slow`: nudged
   * tokens take much longer than the base's alone.
   */
  code:
    | 'rate'
    | 'low-gamma'
    | 'no-advantage'
    | 'unfinished'
    | 'thinking'
    | 'marks'
    | 'next-question'
    | 'empty'
    | 'disagreement'
    | 'uninformative'
    | 'slow';
  /** `unfit`: with this the pair does not fit as it is set up. `weak`: it may be worth less than others. */
  level: 'weak' | 'unfit';
  /** What was measured, and the limit that it is beyond. */
  value: number;
  limit: number;
  message: string;
}

/** What was found out about a pair, without any labels. */
export interface Calibration {
  /** The calibrated γ: a whole hundredth. */
  gamma: number;
  /**
   * What decided γ. `bet`: the confidence bet. `rate`: the rate of nudged tokens. `low`, `high`: the limits 0.2 and 0.7 (with
   * `targetRate`, 0 and 1), beyond which the bet or the rate would have it.
   */
  decidedBy: 'bet' | 'rate' | 'low' | 'high';
  /** `targetRate`, or the ceiling 0.2. */
  targetRate: number;
  /** Share of nudged tokens with this γ, measured. */
  rate: number;
  standardError: number;
  /** Whether the rate is the target's within two standard errors, or rightly below the ceiling. */
  settled: boolean;
  /** γ by the confidence bet alone; missing if the aligned model is nowhere surer by λ. */
  betGamma?: number;
  /** γ by the rate alone, from the recorded runs; missing if no γ keeps it. */
  rateGamma?: number;
  /** Share of the decisions that γ takes with which the base defers, at this γ: `rate` of an adaptive {@link GenerateOptions.gamma}. */
  decisionRate: number;
  /** Share of nudged tokens by γ, as the recorded runs and the measured rates estimate it. */
  curve: { gamma: number; rate: number }[];
  /** Rates that were measured, in order: the recorded runs, then each correction. */
  measured: MeasuredRate[];
  /** How often the aligned model says what the base says, in [0, 1]: where the base was asked in the recorded runs. */
  agreement: number;
  /**
   * Mean distance between how sure the base is and how often the aligned model agrees with it, in [0, 1], over ten bins. It is no
   * calibration against the truth, which needs labels.
   */
  agreementError: number;
  /** Tokens per second, one request alone, prompts included; `ratio`: the nudged pair's time for a token ÷ the base's. */
  speed: { base: number; nudged: number; ratio: number };
  /** How many of the answers with this γ ended how. */
  endings: Partial<Record<StopReason, number>>;
  verdict: 'works' | 'weak' | 'does not fit';
  /** Why the verdict is not a better one; empty for `works`. */
  findings: CalibrationFinding[];
  /** What it took. */
  effort: { prompts: number; answers: number; questions: number; seconds: number };
}
