import { isGuarded } from './guard.ts';
import type { LaneLogits } from './logits.ts';
import type { NativeOther, NativePrompt } from './native.ts';
import { reject } from './options.ts';
import { promptFor, type PromptOptions, type Question } from './prompts.ts';
import type { AnswerStats, GenerateOptions, LaneName, Mode, ModelInfo } from './types.ts';

/** The loaded models by name, in the order of their places in the engine. */
export type Models = Readonly<Record<LaneName, ModelInfo> & Record<string, ModelInfo>>;

/** The name of the model that proxy tuning compares the aligned one with. */
export const referenceLane = 'reference';

/** What says which models a mode asks. */
type Mixing = Pick<GenerateOptions, 'weights'>;

/** How much each model counts in an ensemble: those with a weight over 0. */
const defaultWeights = { base: 1, aligned: 1 };

/**
 * The models that a mode asks, by name, in the order of their places.
 *
 * @throws NudgingError ERR_INVALID_OPTION: a model that is not loaded
 */
export function lanesOf(mode: Mode, { weights = defaultWeights }: Mixing, models: Models): string[] {
  switch (mode) {
    case 'nudge':
    case 'reverse':
      return ['base', 'aligned'];
    case 'base':
    case 'aligned':
      return [mode];
    case 'in-context':
      return ['base'];
    case 'ensemble': {
      for (const name of Object.keys(weights)) {
        if (!Object.hasOwn(models, name))
          reject('weights', name, `an object of weights by the names of loaded models (${Object.keys(models).join(', ')})`);
      }
      return Object.keys(models).filter((name) => (weights[name] ?? 0) > 0);
    }
    case 'proxy-tuning':
      mustHaveReference(Object.hasOwn(models, referenceLane) ? referenceLane : undefined);
      return ['base', 'aligned', referenceLane];
  }
}

/**
 * The models that a generation asks: those that its mode does, and the aligned one where it stands guard.
 *
 * @throws NudgingError ERR_INVALID_OPTION: a model that is not loaded
 */
export function lanesAsked(mode: Mode, settings: Mixing & Pick<GenerateOptions, 'guard'>, models: Models): string[] {
  const lanes = lanesOf(mode, settings, models);
  return isGuarded(settings) && !lanes.includes('aligned') ? [...lanes, 'aligned'] : lanes;
}

/** Throws ERR_INVALID_OPTION where proxy tuning has no third model. */
export function mustHaveReference(reference: string | undefined): void {
  if (reference !== undefined) return;
  reject('reference', undefined, 'the path of what the aligned model was before it was aligned: `mode: "proxy-tuning"` needs it at load');
}

/** Throws ERR_INVALID_OPTION where `compat: 'paper'` cannot have what is asked for besides: the published code has neither. */
export function mustBeAsInPaper(mode: Mode, { weights, alpha, temperature, compat }: GenerateOptions, lanes: readonly string[]): void {
  if (mode !== 'ensemble' && mode !== 'proxy-tuning')
    reject('compat', compat, 'left out where `mode` is neither "ensemble" nor "proxy-tuning"');
  if (temperature !== undefined && temperature !== 0) reject('temperature', temperature, '0 with `compat: "paper"`, which is greedy');
  if (mode === 'proxy-tuning') {
    if (alpha !== undefined && alpha !== 1) reject('alpha', alpha, '1 with `compat: "paper"`');
  } else if (lanes.join() !== 'base,aligned' || (weights !== undefined && weights['base'] !== weights['aligned'])) {
    reject('weights', weights, 'left out with `compat: "paper"`, which has the base and the aligned model alike');
  }
}

/** The weights of an ensemble by the places of the models; 0 for those that take no part. */
export function weightsOf({ weights = defaultWeights }: Mixing, models: Models): number[] {
  return Object.keys(models).map((name) => weights[name as keyof typeof weights] ?? 0);
}

/**
 * As which of the two a model is prompted: the reference as the base, for it was none but a base; others as the aligned model if they have
 * a chat template.
 */
export function promptedAs(lane: string, question: Question, models: Models): LaneName {
  if (lane === 'base' || lane === 'aligned') return lane;
  if (lane === referenceLane) return 'base';
  return question.kind === 'chat' && !models[lane]?.hasChatTemplate ? 'base' : 'aligned';
}

/** Prompts by model, as the native engine takes them. */
export interface LanePrompts {
  base?: NativePrompt;
  aligned?: NativePrompt;
  others?: NativeOther[];
}

/** The prompts of the models that take part. `biases`: what is added to the logits of further ones. */
export function promptsFor(
  lanes: readonly string[],
  question: Question,
  options: PromptOptions,
  models: Models,
  others: LaneLogits,
): LanePrompts {
  const prompts: LanePrompts = {};
  const further: NativeOther[] = [];
  for (const lane of lanes) {
    const prompt = promptFor(promptedAs(lane, question, models), question, options);
    if (lane === 'base' || lane === 'aligned') prompts[lane] = prompt;
    else further.push({ lane: Object.keys(models).indexOf(lane), prompt, ...(others.biases ? { biases: others.biases } : {}) });
  }
  if (further.length > 0) prompts.others = further;
  return prompts;
}

/** Whose prompt tokens a request's input is for who counts one: the base's, or where it is not asked the aligned model's. */
export function readingLane({ base }: AnswerStats): LaneName {
  return base.promptTokens > 0 ? 'base' : 'aligned';
}
