import { check, defined, generateRules, isObject, reject } from '../options.ts';
import type { GenerateOptions } from '../types.ts';
import type { CallOptions, Warning } from './specification.ts';

/** Options of ours for which the SDK has names of its own. */
const standard = {
  maxTokens: 'maxOutputTokens',
  temperature: 'temperature',
  topK: 'topK',
  topP: 'topP',
  seed: 'seed',
  stop: 'stopSequences',
  system: 'system',
  signal: 'abortSignal',
} as const satisfies Partial<Record<keyof GenerateOptions, string>>;

/**
 * Settings of a model, and of one call under `providerOptions.nudging`: all of {@link GenerateOptions} that the SDK has no name of its own
 * for, such as `gamma`, `rule`, `mode`, `thinking` and `trace`.
 */
export type NudgingSettings = Omit<GenerateOptions, keyof typeof standard>;

const ownRules = Object.fromEntries(Object.entries(generateRules).filter(([name]) => !Object.hasOwn(standard, name)));

/** @throws NudgingError ERR_INVALID_OPTION for unknown names, wrong values, and names that the SDK has others for */
export function checkSettings(settings: unknown, what: string): asserts settings is NudgingSettings {
  for (const [name, value] of Object.entries(isObject(settings) ? settings : {})) {
    if (Object.hasOwn(standard, name))
      reject(name, value, `left out of ${what}: the AI SDK calls it ${standard[name as keyof typeof standard]}`);
  }
  check(settings, ownRules, what);
}

/** What a call sets, in our names, and what of it nothing comes of. */
export function settingsOf(call: CallOptions, own: NudgingSettings): { options: GenerateOptions; warnings: Warning[] } {
  const given = call.providerOptions?.['nudging'] ?? {};
  checkSettings(given, 'providerOptions.nudging');
  const { thinking, warnings } = thinkingOf(call.reasoning);
  const options = defined<GenerateOptions>({
    ...(thinking === undefined ? {} : { thinking }),
    ...defined(own),
    ...defined(given),
    // Whoever wants no reasoning in this call wants none, whatever marks the model would have.
    ...(thinking === false && given.thinking === undefined ? { thinking } : {}),
    maxTokens: call.maxOutputTokens,
    temperature: call.temperature,
    topK: call.topK,
    topP: call.topP,
    seed: call.seed,
    // None are no wish to have none: without a base's default the base would ask itself the next question.
    stop: call.stopSequences?.length === 0 ? undefined : call.stopSequences,
    signal: call.abortSignal,
  } as GenerateOptions);
  return { options, warnings: [...unsupported(call), ...warnings] };
}

function unsupported(call: CallOptions): Warning[] {
  const { presencePenalty, frequencyPenalty, responseFormat, tools = [], toolChoice } = call;
  const penalty = 'providerOptions.nudging.repeatPenalty is the penalty that there is';
  const features: [wanted: boolean, feature: string, details: string][] = [
    [(presencePenalty ?? 0) !== 0, 'presencePenalty', penalty],
    [(frequencyPenalty ?? 0) !== 0, 'frequencyPenalty', penalty],
    [responseFormat?.type === 'json', 'responseFormat', 'the answer is plain text, and not held to JSON or a schema'],
    [tools.length > 0, 'tools', 'the models are not told of tools and call none'],
    [toolChoice?.type === 'required' || toolChoice?.type === 'tool', 'toolChoice', 'no tool is called'],
  ];
  return features.filter(([wanted]) => wanted).map(([, feature, details]) => ({ type: 'unsupported', feature, details }));
}

/** How much a model thinks cannot be chosen, only whether its thinking is let and told apart. */
function thinkingOf(reasoning: string | undefined): { thinking?: boolean; warnings: Warning[] } {
  if (reasoning === undefined || reasoning === 'provider-default') return { warnings: [] };
  if (reasoning === 'none') return { thinking: false, warnings: [] };
  const details = `"${reasoning}" lets the aligned model think if it can, as every level does`;
  return { thinking: true, warnings: [{ type: 'compatibility', feature: 'reasoning', details }] };
}
