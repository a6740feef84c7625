import { NudgingError } from './errors.ts';
import { isFault, readLogitBias, type NamedBias } from './logit-bias.ts';
import type { NativeBiases, NativeRepeat } from './native.ts';
import { reject } from './options.ts';
import type { LaneName, LogitOptions, ModelInfo } from './types.ts';

/** Nothing is changed. */
export const logitDefaults = { repeatPenalty: 1, repeatWindow: 64 } as const satisfies LogitOptions;

/** What the native engine is told of one model's logits; nothing where nothing changes. */
export interface LaneLogits {
  biases?: NativeBiases;
  repeat?: NativeRepeat;
}

/**
 * Options that were checked, by model; `others` is what holds for models beside the two.
 *
 * @throws NudgingError ERR_TOKEN_UNKNOWN: a token id that the model's vocabulary does not have
 */
export function logitsOf(options: LogitOptions, models: Readonly<Record<LaneName, ModelInfo>>): Record<LaneName | 'others', LaneLogits> {
  const { logitBias, repeatPenalty = logitDefaults.repeatPenalty, repeatWindow = logitDefaults.repeatWindow } = options;
  const repeat = repeatPenalty === 1 ? {} : { repeat: { penalty: repeatPenalty, window: repeatWindow } };
  if (logitBias === undefined) return { base: repeat, aligned: repeat, others: repeat };
  const biases = readLogitBias(logitBias);
  // It has changed since it was checked.
  if (isFault(biases)) reject('logitBias', biases.value, biases.expected);
  const logits = (lane: LaneName | 'others'): LaneLogits => {
    const own = biases[lane];
    // What holds for all is texts alone.
    return own.length === 0 ? repeat : { ...repeat, biases: inColumns(own, lane, lane === 'others' ? 0 : models[lane].vocabulary) };
  };
  return { base: logits('base'), aligned: logits('aligned'), others: logits('others') };
}

function inColumns(biases: NamedBias[], lane: string, vocabulary: number): NativeBiases {
  for (const [name] of biases) {
    if (typeof name === 'number' && name >= vocabulary) {
      const what = `\`logitBias\` names token ${name} of the ${lane} model, whose vocabulary has ${vocabulary} tokens`;
      throw new NudgingError('ERR_TOKEN_UNKNOWN', `${what}: use an id from 0 to ${vocabulary - 1}`, { option: 'logitBias', value: name });
    }
  }
  return { names: biases.map(([name]) => name), biases: biases.map(([, bias]) => bias) };
}
