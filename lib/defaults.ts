import { logitDefaults } from './logits.ts';
import { generateRules } from './options.ts';
import { samplingDefaults } from './sampling.ts';
import type { GenerateOptions } from './types.ts';

/** What says how a generation goes, without what may end it from outside. */
export type Settings = Omit<GenerateOptions, 'signal'>;

/** What a generation does unless it, the pair or the engine says otherwise. `stop` is not here: its default depends on mode and prompt. */
export const defaults = {
  mode: 'nudge',
  alpha: 1,
  gamma: 0.4,
  rule: 'top1',
  lookahead: 16,
  maxTokens: 256,
  repeatLimit: 0,
  endRule: 'aligned',
  endCertainty: 0.9,
  shortDrafts: 'accept',
  lead: 0,
  punctuation: 'aligned',
  guard: false,
  sealBasePrompt: true,
  speculation: true,
  trace: 'rounds',
  highWaterMark: 64,
  ...samplingDefaults,
  ...logitDefaults,
} as const satisfies Settings;

/** Those of an engine's options that say how its generations go. */
export function settingsIn(options: GenerateOptions & object): Settings {
  const { signal, ...rules } = generateRules;
  return Object.fromEntries(Object.entries(options).filter(([name]) => Object.hasOwn(rules, name)));
}
