import { defaults, type Settings } from './defaults.ts';
import { inContext } from './in-context.ts';
import { lanesAsked, lanesOf, mustBeAsInPaper, promptsFor, referenceLane, weightsOf, type LanePrompts, type Models } from './lanes.ts';
import { logitsOf } from './logits.ts';
import { nativeGuard } from './native-guard.ts';
import type { NativeGeneration } from './native.ts';
import { baseEndsAlone, nextQuestion } from './next-question.ts';
import { lastQuestion, type Question } from './prompts.ts';
import { mustSuitRemote } from './remote/suits.ts';
import { resolvedRule } from './rule.ts';
import { samplingOf } from './sampling.ts';
import { RiskMeter, tellsSignals } from './signals.ts';
import type { ArrivingSettings } from './stream.ts';
import { marksOf, ThinkingSplitter } from './thinking.ts';
import { isTokenRule } from './token-rules.ts';
import type { Mode } from './types.ts';

/** A generation whose options were checked, ready to be submitted. */
export interface Generation {
  mode: Mode;
  /** The models that it asks, by name. */
  lanes: string[];
  /** What the native engine is told, but for the prompts and how it is read. */
  request: Omit<NativeGeneration, 'id' | 'streams' | keyof LanePrompts>;
  /** The prompts for a question, which may be this one without its oldest turns. */
  prompts(question: Question): LanePrompts;
  /** How its pieces are received. */
  arriving: ArrivingSettings;
  /** All settings, with the defaults of those that telemetry tells of. */
  settings: Settings & Required<Pick<Settings, 'gamma' | 'lookahead' | 'maxTokens'>>;
}

/**
 * Turns a question and its settings into what the native engine takes.
 *
 * @param models those that are loaded, in the order of their places
 * @throws NudgingError ERR_INVALID_OPTION: settings that exclude each other, or that the models cannot have; ERR_TOKEN_UNKNOWN
 */
export function generationOf(question: Question, settings: Settings, models: Models): Generation {
  const mode: Mode = settings.mode ?? defaults.mode;
  const own = settings.stop ?? (baseEndsAlone({ ...settings, mode }) ? nextQuestion(question, settings.basePrompt) : []);
  const stop = [...(typeof own === 'string' ? [own] : own), ...(mode === 'in-context' ? inContext(settings.inContextPrompt).stop : [])];
  const sampling = samplingOf(settings);
  const { base, aligned, others } = logitsOf(settings, models);
  const repeat = base.repeat;
  const lanes = lanesAsked(mode, settings, models);
  const rule = resolvedRule(settings.rule);
  mustSuitRemote(
    lanes.filter((lane) => models[lane]?.remote),
    { settings: { ...settings, mode }, rule, temperature: sampling.temperature, logits: { base, aligned } },
  );
  if (settings.compat !== undefined) mustBeAsInPaper(mode, settings, lanesOf(mode, settings, models));
  const guard = nativeGuard(settings);
  const marks = marksOf(settings.thinking);
  const gamma = settings.gamma ?? defaults.gamma;
  const lookahead = settings.lookahead ?? defaults.lookahead;
  const maxTokens = settings.maxTokens ?? defaults.maxTokens;
  const signals = tellsSignals(mode, settings.signals, rule) ? settings.signals : undefined;
  return {
    mode,
    lanes,
    request: {
      // The base does not know by what it learns.
      mode: mode === 'in-context' ? 'base' : mode,
      ...(mode === 'ensemble' ? { weights: weightsOf(settings, models) } : {}),
      ...(mode === 'proxy-tuning'
        ? { alpha: settings.alpha ?? defaults.alpha, reference: Object.keys(models).indexOf(referenceLane) }
        : {}),
      ...(settings.unit === undefined ? {} : { unit: settings.unit }),
      ...(settings.compat === undefined ? {} : { asInPaper: true }),
      gamma,
      rule,
      lookahead,
      repeatLimit: settings.repeatLimit ?? defaults.repeatLimit,
      endRule: settings.endRule ?? defaults.endRule,
      endCertainty: settings.endCertainty ?? defaults.endCertainty,
      checkShortDrafts: (settings.shortDrafts ?? defaults.shortDrafts) === 'check',
      lead: settings.lead ?? defaults.lead,
      keepPunctuation: (settings.punctuation ?? defaults.punctuation) === 'aligned',
      ...(signals ? { signals } : {}),
      ...(guard ? { guard } : {}),
      maxTokens,
      stop,
      ...(marks ? { thinking: marks } : {}),
      whole: settings.fit !== undefined,
      trace: settings.trace === 'full',
      guesses: guessesOf(settings.speculation ?? defaults.speculation),
      timeout: settings.timeout ?? 0,
      sampling,
      ...(repeat ? { repeat } : {}),
      ...(lanes.includes('base') && base.biases ? { baseBiases: base.biases } : {}),
      ...(lanes.includes('aligned') && aligned.biases ? { alignedBiases: aligned.biases } : {}),
    },
    prompts: (asked) => promptsFor(lanes, asked, settings, models, others),
    arriving: {
      highWaterMark: settings.highWaterMark ?? defaults.highWaterMark,
      seed: sampling.temperature > 0 ? sampling.seed : undefined,
      meter: signals && new RiskMeter(),
      splitter: marks && new ThinkingSplitter(marks),
      others: Object.keys(models).slice(2),
      decidedBy: settings.trace === 'full' && mode === 'nudge' && !isTokenRule(rule) ? { rule, gamma, lookahead } : undefined,
      asked: { question: lastQuestion(question), gamma, rule, mode },
    },
    settings: { ...settings, gamma, lookahead, maxTokens },
  };
}

function guessesOf(speculation: boolean | number): number {
  return typeof speculation === 'number' ? speculation : speculation ? -1 : 0;
}
